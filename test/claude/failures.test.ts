import type { SDKAssistantMessageError, SDKRateLimitInfo } from "@anthropic-ai/claude-agent-sdk";
import { describe, expect, it } from "vitest";
import type { ErrorCode } from "../../src/auth/errors.ts";
import type { Signal } from "../../src/auth/signal.ts";
import { processDied, toFailure } from "../../src/claude/failures.ts";

const nowMs = 1_700_000_000_000;
const fail = (signal: Signal, rateLimit?: Partial<SDKRateLimitInfo>) =>
  toFailure(signal, { rateLimit: rateLimit as SDKRateLimitInfo | undefined, nowMs });
const said = (error: string | undefined, status: number | null, text = ""): Signal => ({
  source: "assistant",
  error,
  status,
  text,
});

/** Every typed error of the SDK, as the CLI words it. */
const typed: readonly {
  readonly error: SDKAssistantMessageError;
  readonly status: number | null;
  readonly text: string;
  readonly code: ErrorCode;
  readonly http: number;
}[] = [
  {
    error: "authentication_failed",
    status: 401,
    text: "Failed to authenticate. API Error: 401 invalid x-api-key",
    code: "upstream_auth_unavailable",
    http: 503,
  },
  {
    error: "authentication_failed",
    status: null,
    text: "Not logged in · Please run /login",
    code: "upstream_auth_unavailable",
    http: 503,
  },
  {
    error: "oauth_org_not_allowed",
    status: 403,
    text: "Your organization does not have access to Claude.",
    code: "upstream_auth_unavailable",
    http: 503,
  },
  {
    error: "account_on_hold",
    status: 403,
    text: "Your account is on hold.",
    code: "upstream_auth_unavailable",
    http: 503,
  },
  {
    error: "verification_required",
    status: 403,
    text: "Verification required.",
    code: "upstream_auth_unavailable",
    http: 503,
  },
  {
    error: "cloud_credential_error",
    status: null,
    text: "Could not load credentials from any providers",
    code: "upstream_auth_unavailable",
    http: 503,
  },
  { error: "billing_error", status: 400, text: "Credit balance is too low", code: "upstream_billing", http: 402 },
  {
    error: "rate_limit",
    status: 429,
    text: "API Error: Request rejected (429)",
    code: "upstream_rate_limited",
    http: 429,
  },
  { error: "overloaded", status: 529, text: "API Error: 529 Overloaded", code: "upstream_overloaded", http: 503 },
  { error: "invalid_request", status: 400, text: "Prompt is too long", code: "context_length_exceeded", http: 400 },
  {
    error: "invalid_request",
    status: 413,
    text: "Request too large (max 32MB).",
    code: "context_length_exceeded",
    http: 400,
  },
  {
    error: "invalid_request",
    status: 400,
    text: "API Error: 400 tools.0: bad schema",
    code: "upstream_rejected",
    http: 400,
  },
  {
    error: "invalid_request",
    status: 401,
    text: "Your apiKeyHelper script is failing",
    code: "upstream_auth_unavailable",
    http: 503,
  },
  {
    error: "model_not_found",
    status: 404,
    text: "There's an issue with the selected model",
    code: "model_not_found",
    http: 404,
  },
  {
    error: "server_error",
    status: 500,
    text: "API Error: 500 Internal server error",
    code: "upstream_error",
    http: 502,
  },
  { error: "server_error", status: 504, text: "API Error: 504", code: "upstream_timeout", http: 504 },
  { error: "unknown", status: null, text: "API Error: Connection error.", code: "upstream_error", http: 502 },
  { error: "unknown", status: null, text: "Request timed out", code: "upstream_timeout", http: 504 },
  {
    error: "max_output_tokens",
    status: null,
    text: "exceeded the output token maximum",
    code: "upstream_error",
    http: 502,
  },
];

describe("the client's error for a failed run", () => {
  it.each(typed)("is $code ($http) for $error, status $status: $text (B1)", ({ error, status, text, code, http }) => {
    expect(fail(said(error, status, text))).toMatchObject({ code, status: http });
  });

  it.each([
    [400, "upstream_rejected"],
    [401, "upstream_auth_unavailable"],
    [402, "upstream_billing"],
    [404, "model_not_found"],
    [408, "upstream_timeout"],
    [413, "context_length_exceeded"],
    [418, "upstream_error"],
    [429, "upstream_rate_limited"],
    [500, "upstream_error"],
    [503, "upstream_overloaded"],
    [504, "upstream_timeout"],
    [529, "upstream_overloaded"],
  ] as const)("is, by status %i alone, %s (B1)", (status, code) => {
    expect(fail({ source: "result", error: undefined, status, text: "" }).code).toBe(code);
    if (status !== 401) {
      expect(fail({ source: "result", error: undefined, status: null, text: `API Error: ${status} x` }).code).toBe(
        code,
      );
    }
  });

  it("is about the model, not the login, where a cloud provider refuses one model (B1)", () => {
    const text = "API Error: 403 You don't have access to the model with the specified model ID.";
    expect(fail(said("authentication_failed", 403, text)).code).toBe("model_not_found");
  });

  it("survives an error type that nobody knows, also one that every object has (C4)", () => {
    for (const error of ["brand_new", "toString", "__proto__"]) {
      expect(fail(said(error, 500)).code).toBe("upstream_error");
    }
  });

  it("never repeats the upstream's text, which may hold anything (C2)", () => {
    for (const { error, status, text } of typed) {
      const failure = fail(said(error, status, `${text} marked-secret`));
      expect(`${failure.message} ${JSON.stringify(failure)} ${String(failure.cause)}`).not.toContain("marked");
    }
  });
});

describe("when a client may try again", () => {
  it("is told for a rate limit: at its reset where that is known, else after 10 s (B1)", () => {
    const limited = said("rate_limit", 429);
    expect(fail(limited).retryAfterMs).toBe(10_000);
    expect(fail(limited, { status: "rejected", resetsAt: nowMs / 1_000 + 90 }).retryAfterMs).toBe(90_000);
    expect(fail(limited, { status: "rejected", resetsAt: nowMs / 1_000 - 90 }).retryAfterMs).toBe(1_000);
    expect(fail(limited, { status: "rejected" }).retryAfterMs).toBe(10_000);
    expect(fail(limited, { status: "allowed", resetsAt: nowMs / 1_000 + 90 }).retryAfterMs).toBe(10_000);
  });

  it("is told for an overload, and never for what trying again can't mend (B1)", () => {
    expect(fail(said("overloaded", 529)).retryAfterMs).toBe(10_000);
    const hopeless = [said("billing_error", 400), said("invalid_request", 400), said("model_not_found", 404)];
    for (const signal of hopeless) expect(fail(signal)).toMatchObject({ shouldRetry: false, retryAfterMs: undefined });
  });

  it("names the parameter where the model is at fault (B2)", () => {
    expect(fail(said("model_not_found", 404)).param).toBe("model");
  });
});

describe("a process that died", () => {
  it("is a 502 that says how, where that is known (B1)", () => {
    expect(processDied("SIGKILL")).toMatchObject({ code: "upstream_process_died", status: 502 });
    expect(processDied("SIGKILL").message).toContain("SIGKILL");
    expect(processDied(undefined).message).toContain("no reason known");
  });
});
