// The one error class of the product, its closed union of codes, and what each code means over HTTP.
// Codes are API: every one is explained in docs/errors.md. Messages never hold a secret or a prompt.

/** How one error code is told to a client: HTTP status, OpenAI error type. */
interface ErrorKind {
  readonly status: number;
  readonly type: string;
}

/** Every error code with its HTTP status and OpenAI `type`. */
export const errorKinds = {
  // The caller's request
  invalid_request: { status: 400, type: "invalid_request_error" },
  invalid_json: { status: 400, type: "invalid_request_error" },
  unsupported_parameter: { status: 400, type: "invalid_request_error" },
  previous_response_not_found: { status: 400, type: "invalid_request_error" },
  context_length_exceeded: { status: 400, type: "invalid_request_error" },
  invalid_api_key: { status: 401, type: "invalid_request_error" },
  admin_key_required: { status: 403, type: "permission_error" },
  cross_origin_refused: { status: 403, type: "permission_error" },
  not_found: { status: 404, type: "invalid_request_error" },
  model_not_found: { status: 404, type: "invalid_request_error" },
  response_not_found: { status: 404, type: "invalid_request_error" },
  session_not_found: { status: 404, type: "invalid_request_error" },
  method_not_allowed: { status: 405, type: "invalid_request_error" },
  client_closed_request: { status: 499, type: "invalid_request_error" },
  request_too_slow: { status: 408, type: "invalid_request_error" },
  request_too_large: { status: 413, type: "invalid_request_error" },
  idempotency_key_reused: { status: 422, type: "invalid_request_error" },
  idempotent_run_lost: { status: 503, type: "service_unavailable_error" },
  unsupported_media_type: { status: 415, type: "invalid_request_error" },
  headers_too_large: { status: 431, type: "invalid_request_error" },
  // This server's limits
  rate_limit_exceeded: { status: 429, type: "rate_limit_error" },
  queue_full: { status: 429, type: "rate_limit_error" },
  max_turns_exceeded: { status: 400, type: "invalid_request_error" },
  budget_exceeded: { status: 402, type: "billing_error" },
  request_timeout: { status: 504, type: "timeout_error" },
  shutting_down: { status: 503, type: "service_unavailable_error" },
  // The Claude credential
  upstream_auth_unavailable: { status: 503, type: "service_unavailable_error" },
  upstream_auth_failed_after_side_effects: { status: 503, type: "service_unavailable_error" },
  auth_refresh_failed: { status: 502, type: "upstream_error" },
  auth_refresh_limited: { status: 429, type: "rate_limit_error" },
  // The model API and the Claude process
  upstream_rate_limited: { status: 429, type: "rate_limit_error" },
  upstream_overloaded: { status: 503, type: "service_unavailable_error" },
  upstream_billing: { status: 402, type: "billing_error" },
  upstream_rejected: { status: 400, type: "invalid_request_error" },
  tool_call_missing: { status: 502, type: "upstream_error" },
  upstream_error: { status: 502, type: "upstream_error" },
  output_schema_missed: { status: 502, type: "upstream_error" },
  upstream_process_died: { status: 502, type: "upstream_error" },
  upstream_timeout: { status: 504, type: "timeout_error" },
  internal_error: { status: 500, type: "server_error" },
} as const satisfies Record<string, ErrorKind>;

/** A code of {@link CcapiError}: stable, documented in docs/errors.md. */
export type ErrorCode = keyof typeof errorKinds;

/** What an error may carry beside its code and message. */
export interface ErrorDetails {
  /** The request parameter at fault, as OpenAI's `param`. */
  readonly param?: string;
  /** How long the caller should wait before it tries again, in milliseconds. */
  readonly retryAfterMs?: number;
  /** False where trying again cannot help until a person acts (`x-should-retry: false`). */
  readonly shouldRetry?: boolean;
  /** Public state of the credential, where the error is about it. */
  readonly state?: string;
  /** What a person does to mend it, in words. */
  readonly action?: string;
  readonly cause?: unknown;
}

/**
 * Every failure that ccapi reports, by `code`.
 * Misuse of the library throws `TypeError` instead.
 */
export class CcapiError extends Error {
  readonly code: ErrorCode;
  readonly param: string | undefined;
  /** Milliseconds. */
  readonly retryAfterMs: number | undefined;
  readonly shouldRetry: boolean | undefined;
  readonly state: string | undefined;
  readonly action: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "CcapiError";
    this.code = code;
    this.param = details.param;
    this.retryAfterMs = details.retryAfterMs;
    this.shouldRetry = details.shouldRetry;
    this.state = details.state;
    this.action = details.action;
  }

  /** The HTTP status that tells of this error. */
  get status(): number {
    return errorKinds[this.code].status;
  }

  /** OpenAI's `error.type`. */
  get type(): string {
    return errorKinds[this.code].type;
  }
}
