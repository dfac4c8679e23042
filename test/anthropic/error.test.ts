import { describe, expect, it } from "vitest";
import { toErrorBody, toErrorStatus } from "../../src/anthropic/error.ts";
import { CcapiError, type ErrorCode, errorKinds } from "../../src/auth/errors.ts";
import { errorBody } from "../helpers/anthropic-schema.ts";

describe("an error in Anthropic's envelope", () => {
  it.each([
    ["invalid_request", "invalid_request_error", 400],
    ["invalid_api_key", "authentication_error", 401],
    ["upstream_billing", "billing_error", 402],
    ["admin_key_required", "permission_error", 403],
    ["model_not_found", "not_found_error", 404],
    ["method_not_allowed", "invalid_request_error", 405],
    ["request_too_large", "request_too_large", 413],
    ["queue_full", "rate_limit_error", 429],
    ["internal_error", "api_error", 500],
    ["upstream_error", "api_error", 502],
    ["upstream_auth_unavailable", "api_error", 503],
    ["upstream_timeout", "timeout_error", 504],
    ["upstream_overloaded", "overloaded_error", 529],
  ] as const)("%s is a %s with status %i (B7)", (code, type, status) => {
    const error = new CcapiError(code, "Words.");
    expect(toErrorBody(error, "req_1")).toEqual({
      type: "error",
      error: { type, message: "Words.", code },
      request_id: "req_1",
    });
    expect(toErrorStatus(error)).toBe(status);
  });

  it("is true to its schema for every code, and keeps what we say beside (B7)", () => {
    const details = { param: "model", state: "needs_login", action: "log in" };
    for (const code of Object.keys(errorKinds) as ErrorCode[]) {
      const body = toErrorBody(new CcapiError(code, "Words.", details), "req_1");
      expect(errorBody.safeParse(body).error).toBeUndefined();
      expect(body.error).toMatchObject(details);
    }
  });
});
