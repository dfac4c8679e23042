// What a request must get past before its handler: kind and size of its body, the rate of its key, the server's own end.
import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { CcapiError } from "../auth/errors.ts";
import type { AppEnv } from "./app-env.ts";
import type { RateCounter } from "./rate-counter.ts";

/** Bodies are JSON of at most so many bytes. */
export function jsonOnly(maxBytes: number): MiddlewareHandler<AppEnv>[] {
  return [
    async (context, next) => {
      const type = context.req.header("content-type") ?? "";
      if (!/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(type)) {
        throw new CcapiError(
          "unsupported_media_type",
          "The body has to be JSON: send `Content-Type: application/json`.",
        );
      }
      // One spelling for all that read it later: they differ about parameters and blanks.
      context.req.raw.headers.set("content-type", "application/json");
      await next();
    },
    bodyLimit({
      maxSize: maxBytes,
      onError: () => {
        throw new CcapiError("request_too_large", `The body is larger than ${maxBytes} bytes.`);
      },
    }),
  ];
}

/** At most so many requests of one key in a minute. `undefined`: no limit. */
export function rateLimit(perMinute: number | undefined, counter: RateCounter): MiddlewareHandler<AppEnv> {
  if (perMinute === undefined) return (_context, next) => next();
  return async (context, next) => {
    const { count, resetsInMs } = await counter.count(context.var.client?.name ?? "");
    if (count > perMinute) {
      throw new CcapiError("rate_limit_exceeded", `This key may send ${perMinute} requests a minute.`, {
        retryAfterMs: resetsInMs,
      });
    }
    await next();
  };
}

/** No new work once the server is going down. */
export function acceptWhile(isServing: () => boolean): MiddlewareHandler<AppEnv> {
  return async (_context, next) => {
    if (!isServing()) {
      throw new CcapiError("shutting_down", "The server is shutting down.", { retryAfterMs: 5_000 });
    }
    await next();
  };
}
