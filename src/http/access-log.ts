// One log line for each request, when its answer has been sent in full or the client has gone.
import type { MiddlewareHandler } from "hono";
import type { Logger } from "../observe/log.ts";
import type { AppEnv } from "./app-env.ts";
import { onceSent } from "./sent.ts";

/** Logs method, path without query, status, duration; never a body or a header. Probes, and what the dashboard looks at, are logged at debug. */
export function accessLog(log: Logger): MiddlewareHandler<AppEnv> {
  return async (context, next) => {
    const startedAt = performance.now();
    await next();
    const { method, path } = context.req;
    // The dashboard asks every few seconds.
    const isProbe =
      path.startsWith("/health") || path === "/metrics" || (method === "GET" && path.startsWith("/dashboard"));
    const write = (isAborted: boolean) => {
      const { requestId, client, errorCode } = context.var;
      const fields = {
        requestId,
        method,
        path,
        status: context.res.status,
        durationMs: Math.round(performance.now() - startedAt),
        ...(client === undefined ? {} : { client: client.name }),
        ...(errorCode === undefined ? {} : { error: errorCode }),
        ...(isAborted ? { aborted: true } : {}),
      };
      log[isProbe ? "debug" : "info"](fields, "Request");
    };
    onceSent(context, write);
  };
}
