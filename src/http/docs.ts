// GET /openapi.json and GET /docs: how this server is spoken to, for programs and for people. Open: there is nothing secret in it.
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { AppEnv } from "./app-env.ts";
import { docsPolicy, renderDocs } from "./docs-page.ts";
import { describeApi } from "./openapi.ts";

/** Makes the handlers. The document is made when it is first asked for: by then the app has all its routes. */
export function docsHandlers(app: OpenAPIHono<AppEnv>) {
  let made: { readonly document: string; readonly page: string } | undefined;
  function make() {
    const document = describeApi(app);
    return { document: JSON.stringify(document), page: renderDocs(document) };
  }
  return {
    document: (context: Context<AppEnv>): Response =>
      context.body((made ??= make()).document, 200, { "content-type": "application/json" }),
    page: (context: Context<AppEnv>): Response =>
      context.body((made ??= make()).page, 200, {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": docsPolicy,
      }),
  };
}
