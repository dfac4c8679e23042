// A failed run → the error that the client gets: one table over the SDK's typed errors, one over statuses, a few texts.
// Authentication is judged by the classifier; everything else here. No message repeats the upstream's text.
import type { SDKAssistantMessageError, SDKRateLimitInfo } from "@anthropic-ai/claude-agent-sdk";
import { classify } from "../auth/classify.ts";
import { CcapiError, type ErrorCode } from "../auth/errors.ts";
import type { Signal } from "../auth/signal.ts";

/** Retry-After where the upstream's own is not known: Claude Code does not hand it on (SDK 0.3.330). */
const defaultRetryAfterMs = 10_000;

/** The SDK's typed errors. `undefined`: the status or the text tells more. */
const codeBySdkError: Readonly<Record<SDKAssistantMessageError, ErrorCode | undefined>> = {
  account_on_hold: "upstream_auth_unavailable",
  authentication_failed: "upstream_auth_unavailable",
  billing_error: "upstream_billing",
  cloud_credential_error: "upstream_auth_unavailable",
  invalid_request: undefined,
  max_output_tokens: "upstream_error",
  model_not_found: "model_not_found",
  oauth_org_not_allowed: "upstream_auth_unavailable",
  overloaded: "upstream_overloaded",
  rate_limit: "upstream_rate_limited",
  server_error: undefined,
  unknown: undefined,
  verification_required: "upstream_auth_unavailable",
};

const codeByStatus: Readonly<Record<number, ErrorCode>> = {
  400: "upstream_rejected",
  401: "upstream_auth_unavailable",
  402: "upstream_billing",
  404: "model_not_found",
  408: "upstream_timeout",
  413: "context_length_exceeded",
  429: "upstream_rate_limited",
  503: "upstream_overloaded",
  504: "upstream_timeout",
  529: "upstream_overloaded",
};

/** Texts of Claude Code and the Messages API that say more than their type. First match wins. */
const codeByText: readonly { readonly pattern: RegExp; readonly code: ErrorCode }[] = [
  {
    pattern: /prompt is too long|context (?:window|length)|too many tokens|request too large/i,
    code: "context_length_exceeded",
  },
  { pattern: /credit balance is too low|billing/i, code: "upstream_billing" },
  {
    pattern:
      /issue with the selected model|access to (?:the|this) model|model .{0,80}(?:not found|does(?:n't| not) exist)/i,
    code: "model_not_found",
  },
  { pattern: /overloaded/i, code: "upstream_overloaded" },
  { pattern: /rate limit|usage limit|limit reached|hit your .{0,40}limit/i, code: "upstream_rate_limited" },
  { pattern: /timed? ?out/i, code: "upstream_timeout" },
];

const messages: Partial<Record<ErrorCode, string>> = {
  context_length_exceeded: "The conversation is longer than the model's context window.",
  model_not_found: "The model does not exist, or this Claude account has no access to it.",
  upstream_auth_unavailable: "Claude rejected the credential of this server.",
  upstream_billing: "Claude refused the request for a reason of billing: check the account's credit and plan.",
  upstream_error: "The model API failed.",
  upstream_overloaded: "The model API is overloaded.",
  upstream_rate_limited: "The model API's rate limit is reached.",
  upstream_rejected: "The model API rejected the request as invalid.",
  upstream_timeout: "The model API did not answer in time.",
};

/** What is known of a failed run beside its signal. */
interface FailureContext {
  readonly rateLimit: SDKRateLimitInfo | undefined;
  readonly nowMs: number;
}

/** The client's error for a failed run. */
export function toFailure(signal: Signal, { rateLimit, nowMs }: FailureContext): CcapiError {
  const code = failureCode(signal);
  const message = messages[code] ?? "The model API failed.";
  switch (code) {
    case "upstream_rate_limited":
      return new CcapiError(code, message, { retryAfterMs: untilReset(rateLimit, nowMs) });
    case "upstream_overloaded":
      return new CcapiError(code, message, { retryAfterMs: defaultRetryAfterMs });
    case "upstream_billing":
    case "upstream_rejected":
    case "context_length_exceeded":
      return new CcapiError(code, message, { shouldRetry: false });
    case "model_not_found":
      return new CcapiError(code, message, { shouldRetry: false, param: "model" });
    default:
      return new CcapiError(code, message);
  }
}

/** The error for a Claude process that ended without a result. */
export function processDied(reason: string | undefined): CcapiError {
  return new CcapiError(
    "upstream_process_died",
    `The Claude process ended before its answer did (${reason ?? "no reason known"}).`,
  );
}

function failureCode(signal: Signal): ErrorCode {
  if (classify(signal).verdict !== "not_auth") return "upstream_auth_unavailable";
  const typed = "error" in signal && typeof signal.error === "string" ? signal.error : undefined;
  const known = typed !== undefined && isSdkError(typed) ? codeBySdkError[typed] : undefined;
  // Typed as a failed authentication, yet judged not to be one: a cloud provider's 403 about model access.
  if (known !== undefined && typed !== "authentication_failed") return known;
  const text = "text" in signal ? signal.text : "";
  const byText = codeByText.find(({ pattern }) => pattern.test(text))?.code;
  if (byText !== undefined) return byText;
  const status = ("status" in signal ? signal.status : null) ?? statusInText(text);
  if (status === 403) return "upstream_rejected";
  return (status === null ? undefined : codeByStatus[status]) ?? "upstream_error";
}

function isSdkError(error: string): error is SDKAssistantMessageError {
  return Object.hasOwn(codeBySdkError, error);
}

/** "API Error: 529 …" */
function statusInText(text: string): number | null {
  const match = /API Error:? (?:\()?([45]\d\d)\b/.exec(text);
  return match ? Number(match[1]) : null;
}

function untilReset(rateLimit: SDKRateLimitInfo | undefined, nowMs: number): number {
  if (rateLimit?.status !== "rejected" || rateLimit.resetsAt === undefined) return defaultRetryAfterMs;
  // Seconds since the epoch, as the API's `anthropic-ratelimit-unified-reset` header gives them.
  return Math.max(1_000, rateLimit.resetsAt * 1_000 - nowMs);
}
