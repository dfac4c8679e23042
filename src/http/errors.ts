// Every failure of a request → the error envelope of the API whose client asks. The only place that decides what a client sees of an error.
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import * as anthropic from "../anthropic/error.ts";
import { CcapiError } from "../auth/errors.ts";
import type { Logger } from "../observe/log.ts";
import { toErrorBody } from "../openai/error.ts";
import type { AppEnv } from "./app-env.ts";
import { speaksAnthropic } from "./dialect.ts";
import { toRetryHeaders } from "./retry-headers.ts";

/** Makes the app's error handler. What nobody foresaw is logged with where it came from, and told without any of it. */
export function errorHandler(log: Logger): (error: Error, context: Context<AppEnv>) => Response {
  return (thrown, context) => {
    // A client that broke off in its upload is no failure of ours.
    const hasGone = context.req.raw.signal.aborted && !(thrown instanceof CcapiError);
    const error = hasGone
      ? new CcapiError("client_closed_request", "The client closed the connection.")
      : toCcapiError(thrown);
    logUnforeseen(log, error, context);
    context.set("errorCode", error.code);
    return errorResponse(error, context);
  };
}

/** Logs an error that nobody foresaw; of any other the access log says enough. */
export function logUnforeseen(log: Logger, { code, cause }: CcapiError, context: Context<AppEnv>): void {
  if (code === "internal_error") log.error({ requestId: context.var.requestId, stack: cause }, "Unforeseen error");
}

/** The response that tells of an error. */
export function errorResponse(error: CcapiError, context: Context<AppEnv>): Response {
  const headers = toRetryHeaders(error);
  if (speaksAnthropic(context)) {
    const status = anthropic.toErrorStatus(error) as ContentfulStatusCode; // 529 is one of Anthropic's own.
    return context.json(anthropic.toErrorBody(error, context.var.requestId), status, headers);
  }
  // 499 is nobody's to read: the client has gone.
  return context.json(toErrorBody(error), error.status as ContentfulStatusCode, headers);
}

/** Whatever was thrown, as the product's error. */
export function toCcapiError(error: unknown): CcapiError {
  if (error instanceof CcapiError) return error;
  if (error instanceof HTTPException && error.status < 500) {
    if (error.status === 413) return new CcapiError("request_too_large", "The body is too large.");
    return new CcapiError("invalid_json", "The body is not valid JSON.");
  }
  return new CcapiError("internal_error", "The server failed in a way that nobody foresaw; its log says more.", {
    cause: error,
  });
}
