// The error shape of the Messages API, and what each status is called there. Data and one builder; no HTTP.

/** An error answer, before it has a request id. */
export interface ApiError {
  readonly status: number;
  readonly type: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent in place of the usual shape. */
  readonly body?: string;
}

/**
 * Type and default message by status.
 * @see https://docs.claude.com/en/api/errors (read 2026-11)
 */
const DEFAULTS: Readonly<Record<number, readonly [type: string, message: string]>> = {
  400: ["invalid_request_error", "Error"],
  401: ["authentication_error", "invalid x-api-key"],
  402: ["billing_error", "Your credit balance is too low to access the Anthropic API."],
  403: ["permission_error", "Your API key does not have permission to use the specified resource."],
  404: ["not_found_error", "Not found"],
  405: ["invalid_request_error", "Method Not Allowed"],
  408: ["timeout_error", "Request timed out"],
  413: ["request_too_large", "Request exceeds the maximum size"],
  429: ["rate_limit_error", "This request would exceed your account's rate limit. Please try again later."],
  500: ["api_error", "Internal server error"],
  504: ["timeout_error", "Request timed out"],
  529: ["overloaded_error", "Overloaded"],
};

/** An error with the API's own type and message for its status, unless others are given. */
export function createApiError(status: number, message?: string, type?: string): ApiError {
  const [defaultType, defaultMessage] =
    DEFAULTS[status] ?? (status >= 500 ? ["api_error", "Internal server error"] : DEFAULTS[400]!); // 400 is in the table
  return { status, type: type ?? defaultType, message: message ?? defaultMessage };
}

/** The body of an error answer and of an `error` event. */
export function errorBody(error: ApiError, requestId: string): string {
  if (error.body !== undefined) return error.body;
  const { type, message } = error;
  return JSON.stringify({ type: "error", error: { type, message }, request_id: requestId });
}
