// Which API's client asks, where a path or an error is both's: Anthropic's clients say `anthropic-version`, and have paths of their own.
import type { Context, MiddlewareHandler } from "hono";
import type { AppEnv } from "./app-env.ts";

const anthropicPaths = /^\/v1\/messages(?:\/|$)/;
const openaiPaths = /^\/v1\/(?:chat|responses|sessions)(?:\/|$)/;

/** Whether the request is to be answered in Anthropic's shapes. */
export function speaksAnthropic({ req }: Context<AppEnv>): boolean {
  if (anthropicPaths.test(req.path)) return true;
  return req.header("anthropic-version") !== undefined && !openaiPaths.test(req.path);
}

/** Gives answers the request's id under the name that Anthropic's clients read, too. */
export const anthropicRequestId: MiddlewareHandler<AppEnv> = async (context, next) => {
  if (speaksAnthropic(context)) context.header("request-id", context.var.requestId);
  await next();
};
