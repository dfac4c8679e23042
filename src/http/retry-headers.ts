// CcapiError → the headers that clients' retry logic reads, whatever the API.
import type { CcapiError } from "../auth/errors.ts";

/** `retry-after` in whole seconds for everybody; `retry-after-ms` and `x-should-retry` as OpenAI's and Anthropic's SDKs read them. */
export function toRetryHeaders({ retryAfterMs, shouldRetry }: CcapiError): Record<string, string> {
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
