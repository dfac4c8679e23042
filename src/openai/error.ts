// CcapiError → OpenAI's error envelope and the headers that clients' retry logic reads. Pure.
import type { CcapiError } from "../auth/errors.ts";

/** OpenAI's error body. `state` and `action` are ours, where the error is about the Claude credential. */
export interface ErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string;
    readonly state?: string;
    readonly action?: string;
  };
}

/** The body that tells of an error. */
export function toErrorBody(error: CcapiError): ErrorBody {
  const { message, type, code, param = null, state, action } = error;
  return {
    error: {
      message,
      type,
      param,
      code,
      ...(state === undefined ? {} : { state }),
      ...(action === undefined ? {} : { action }),
    },
  };
}

/** `retry-after` in whole seconds for everybody; `retry-after-ms` and `x-should-retry` as OpenAI's and Anthropic's SDKs read them. */
export function toErrorHeaders({ retryAfterMs, shouldRetry }: CcapiError): Record<string, string> {
  return {
    ...(retryAfterMs === undefined
      ? {}
      : {
          "retry-after": String(Math.max(1, Math.ceil(retryAfterMs / 1_000))),
          "retry-after-ms": String(Math.max(0, Math.ceil(retryAfterMs))),
        }),
    ...(shouldRetry === undefined ? {} : { "x-should-retry": String(shouldRetry) }),
  };
}
