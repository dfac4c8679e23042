import { describe, expect, it } from "vitest";
import { classify } from "../../src/auth/classify.ts";
import { credentialRules } from "../../src/auth/rules/credential.ts";
import { elsewhereRules } from "../../src/auth/rules/elsewhere.ts";
import { sourceOf } from "../../src/auth/rules/source-of.ts";
import { apiErrorTypes, fallbackRules, sdkErrors, statusRules } from "../../src/auth/rules/typed.ts";
import type { Signal } from "../../src/auth/signal.ts";
import { readExamples } from "./errors.ts";

const rules = [...credentialRules, ...elsewhereRules];
const ruleOf = (signal: Signal) => classify(signal).rule;

describe("a row about texts", () => {
  it("has an id of its own, a sentence and a source (A1)", () => {
    const ids = [...rules.map(({ id }) => id), ...Object.keys(fallbackRules)];
    expect(new Set(ids).size).toBe(ids.length);
    for (const { id, reason, source } of rules) {
      expect(id).toMatch(/^[a-z][a-z0-9-]+$/);
      expect(reason).toMatch(/^[A-Z].{5,120}\.$/);
      expect(source.length).toBeGreaterThan(5);
    }
  });

  it.each(readExamples())("$rule is the one that its example hits (A1)", ({ rule, text }) => {
    expect(ruleOf({ source: "text", text, status: null })).toBe(rule);
  });

  it("has an example, each of them (A1)", () => {
    expect(
      readExamples()
        .map(({ rule }) => rule)
        .toSorted(),
    ).toEqual(rules.map(({ id }) => id).toSorted());
  });

  it.each(rules)("$id repeats nothing without a bound, but words and blanks (A1)", ({ pattern }) => {
    // No group and no "any character" may repeat without end: work then grows with the text's length alone.
    expect(pattern.source.replaceAll(/\[[^\]]*\]/g, "c")).not.toMatch(/(?:\)|\.|c)(?:[*+]|\{\d+,\})/);
    expect(pattern.flags).toBe("i");
  });
});

describe("typed evidence", () => {
  it.each(Object.entries(sdkErrors))(
    "%s of the Agent SDK decides, whatever status and text say (A1)",
    (error, rule) => {
      const signal: Signal = { source: "assistant", error, status: 401, text: "OAuth token has expired" };
      expect(classify(signal)).toMatchObject({ verdict: rule.verdict, rule: `sdk-${error}` });
    },
  );

  it.each(Object.entries(apiErrorTypes))("%s of an API decides, whatever the text says (A1)", (type, rule) => {
    const body = JSON.stringify({ type: "error", error: { type, message: "Your token has expired" } });
    expect(classify({ source: "http", status: 400, body })).toMatchObject({
      verdict: rule.verdict,
      rule: `api-${type}`,
    });
  });

  it.each(Object.entries(statusRules))("%s is never about the credential (A1)", (status, rule) => {
    const signal: Signal = { source: "http", status: Number(status), body: "Your token has expired" };
    expect(classify(signal)).toMatchObject({ verdict: rule.verdict, rule: `http-${status}` });
  });

  it.each<[keyof typeof fallbackRules, Signal]>([
    ["sdk-auth-status", { source: "auth_status", error: "exit 1", text: "exit 1" }],
    ["sdk-authentication-failed", { source: "api_retry", error: "authentication_failed", status: 401, attempt: 1 }],
    ["sdk-cloud-credential-error", { source: "api_retry", error: "cloud_credential_error", status: null, attempt: 1 }],
    ["sdk-forbidden", { source: "api_retry", error: "authentication_failed", status: 403, attempt: 1 }],
    ["api-authentication-error", { source: "http", status: 401, body: '{"error":{"type":"authentication_error"}}' }],
    ["api-forbidden", { source: "http", status: 403, body: '{"error":{"type":"permission_error"}}' }],
    ["http-unauthorized", { source: "http", status: 401, body: "" }],
    ["http-forbidden", { source: "http", status: 403, body: "Forbidden" }],
    ["unauthorized-words", { source: "text", status: null, text: "Unauthorized" }],
    ["no-sign", { source: "text", status: null, text: "hello" }],
    ["not-evidence", { source: "tool_output", text: "API Error: 401" }],
  ])("%s is what is left where no text is known (A1)", (rule, signal) => {
    expect(classify(signal)).toMatchObject({ rule, verdict: fallbackRules[rule].verdict });
  });

  it("names a source for every rule, and none for what is no rule (A1)", () => {
    for (const { id } of rules) expect(sourceOf(id)).toBeDefined();
    expect(sourceOf("sdk-rate_limit")).toContain("https://");
    expect(sourceOf("http-429")).toContain("RFC");
    expect(sourceOf("no-such-rule")).toBeUndefined();
  });
});
