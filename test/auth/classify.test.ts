import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { classify } from "../../src/auth/classify.ts";
import { needsPerson } from "../../src/auth/remedy.ts";
import { credentialRules } from "../../src/auth/rules/credential.ts";
import { elsewhereRules } from "../../src/auth/rules/elsewhere.ts";
import type { Signal, Verdict } from "../../src/auth/signal.ts";
import { toSignal } from "../../src/cli/explain.ts";

interface Labelled {
  readonly id: string;
  readonly text: string;
  readonly shape: "error_message" | "assistant_text" | "result_text" | "stderr" | "http_body" | "tool_output";
  readonly http_status: number | null;
  readonly label: Verdict;
  readonly why: string;
}

function load(name: string): Labelled[] {
  const lines = readFileSync(new URL(`../fixtures/errors/${name}.jsonl`, import.meta.url), "utf8")
    .trim()
    .split("\n");
  return lines.map((line) => JSON.parse(line) as Labelled).filter(({ why }) => !why.startsWith("AMBIGUOUS"));
}

function score(records: readonly Labelled[]) {
  const isAuth = (verdict: Verdict) => verdict !== "not_auth";
  const judged = records.map((entry) => ({ ...entry, found: classify(toSignal(entry)).verdict }));
  const hits = judged.filter(({ label, found }) => isAuth(label) && isAuth(found)).length;
  return {
    precision: hits / judged.filter(({ found }) => isAuth(found)).length,
    recall: hits / judged.filter(({ label }) => isAuth(label)).length,
    missed: judged.filter(({ label, found }) => isAuth(label) !== isAuth(found)).map(({ id }) => id),
  };
}

const text = (words: string, status: number | null = null): Signal => ({ source: "text", text: words, status });
const verdictOf = (signal: Signal) => classify(signal).verdict;

describe("the classifier", () => {
  it.each(["dev", "held-out"])(
    "tells auth from all else on the %s texts: precision and recall at least 0.95 (G8, A1)",
    (name) => {
      const { precision, recall, missed } = score(load(name));
      expect({ precision, recall, isGood: precision >= 0.95 && recall >= 0.95 }, missed.join(" ")).toMatchObject({
        isGood: true,
      });
    },
  );

  it("never throws, whatever it is given (A1)", () => {
    const hostile: unknown[] = [
      new Proxy(
        {},
        {
          get: () => {
            throw new Error("no");
          },
        },
      ),
      Object.create(null),
      Object.defineProperty({}, "message", {
        get: () => {
          throw new Error("no");
        },
      }),
      (() => {
        const loop: { cause?: unknown } = {};
        loop.cause = loop;
        return loop;
      })(),
    ];
    for (const error of hostile) expect(verdictOf({ source: "exception", error })).toBe("not_auth");
    fc.assert(
      fc.property(fc.anything(), fc.string({ unit: "binary" }), fc.integer(), (error, words, status) => {
        expect(verdictOf({ source: "exception", error })).toMatch(/auth/);
        expect(verdictOf(text(words, status))).toMatch(/auth/);
        expect(verdictOf({ source: "http", status, body: words })).toMatch(/auth/);
        expect(verdictOf(error as Signal)).toMatch(/auth/);
      }),
    );
  });

  it("never takes a tool's output or the model's words for evidence (A1)", () => {
    for (const { text: words } of load("dev")) {
      expect(verdictOf({ source: "tool_output", text: words })).toBe("not_auth");
      expect(verdictOf({ source: "model_text", text: words })).toBe("not_auth");
    }
  });

  it("takes time that grows no faster than the text, and looks at both its ends (A1)", () => {
    const long = "token key credential session refresh invalid organization ".repeat(200_000);
    const startedAt = performance.now();
    verdictOf(text(long));
    verdictOf(text(`${long} {"type":"authentication_error","message":"OAuth token has expired"}`));
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(verdictOf(text(`${"x ".repeat(100_000)} OAuth token has expired`, 401))).toBe("auth_refreshable");
  });

  it.each([
    ["authentication_failed", 401, "auth_refreshable"],
    ["authentication_failed", null, "auth_refreshable"],
    ["authentication_failed", 403, "auth_permanent"],
    ["cloud_credential_error", null, "auth_refreshable"],
    ["oauth_org_not_allowed", 403, "auth_permanent"],
    ["account_on_hold", 403, "auth_permanent"],
    ["verification_required", 403, "auth_permanent"],
    ["rate_limit", 429, "not_auth"],
    ["overloaded", 529, "not_auth"],
    ["billing_error", 400, "not_auth"],
    ["model_not_found", 404, "not_auth"],
    ["server_error", 500, "not_auth"],
    ["unknown", null, "not_auth"],
  ] as const)("takes the SDK's own %s with status %s for %s (A1)", (error, status, expected) => {
    expect(verdictOf({ source: "api_retry", error, status, attempt: 1 })).toBe(expected);
  });

  it.each([
    [
      "typed evidence beats the status",
      { source: "assistant", error: "rate_limit", status: 401, text: "401" },
      "not_auth",
    ],
    [
      "an error type beats a text",
      { source: "http", status: 529, body: '{"type":"error","error":{"type":"overloaded_error","message":"token"}}' },
      "not_auth",
    ],
    ["a text beats the bare status", { source: "http", status: 401, body: "Your token was revoked" }, "auth_permanent"],
    [
      "Bedrock's 403 about a model is not ours",
      {
        source: "assistant",
        error: "authentication_failed",
        status: 403,
        text: "403 You don't have access to the model with the specified model ID.",
      },
      "not_auth",
    ],
    [
      "no credential at all",
      { source: "assistant", error: "authentication_failed", status: null, text: "Not logged in · Please run /login" },
      "auth_permanent",
    ],
    [
      "a failing helper, which the SDK calls an invalid request",
      {
        source: "result",
        error: "invalid_request",
        status: 401,
        text: "Your apiKeyHelper script is failing · Run /status",
      },
      "auth_permanent",
    ],
  ] as const)("%s (A1)", (_name, signal, expected) => {
    expect(verdictOf(signal)).toBe(expected);
  });

  it("finds evidence in causes, nested bodies and quoted JSON, at whatever depth (A1)", () => {
    const body = { type: "error", error: { type: "authentication_error", message: "OAuth token has expired" } };
    const errors: unknown[] = [
      Object.assign(new Error("request failed"), { status: 401, error: body }),
      new Error("outer", {
        cause: new Error("middle", { cause: Object.assign(new Error("inner"), { statusCode: 401 }) }),
      }),
      new AggregateError([
        new Error("first"),
        Object.assign(new Error("second"), { response: { status: 401, data: body } }),
      ]),
      { error: { message: `Error from provider: ${JSON.stringify(JSON.stringify(body))}` } },
      Object.assign(new Error("UnrecognizedClientException: The security token included in the request is invalid."), {
        $metadata: { httpStatusCode: 403 },
      }),
    ];
    for (const error of errors) expect(verdictOf({ source: "exception", error })).not.toBe("not_auth");
  });
});

describe("the fifteen subjects of the old list", () => {
  it.each([
    [
      "authentication",
      'API Error: 401 {"type":"error","error":{"type":"authentication_error","message":"x"}}',
      "const authentication = loadModule('./authentication')",
    ],
    ["auth", "auth_unavailable: no auth available", "The author of this file is unknown"],
    ["unauthorized", "API Error: 401 Unauthorized", "npm ERR! 401 Unauthorized - GET https://registry.example.com/x"],
    ["invalid key", "invalid x-api-key", "Invalid key length in Map constructor"],
    ["invalid token", "API Error: 403 Invalid Token", "SyntaxError: Invalid or unexpected token"],
    ["api key", "Invalid API key · Fix external API key", "Add your API key to the README's list of features"],
    ["token expired", "401 token expired", "Service error: DynamoDB error: token expired"],
    ["session expired", "The SSO session associated with this profile has expired", "MCP server: session expired"],
    [
      "permission denied",
      'API Error: 403 {"type":"error","error":{"type":"permission_error","message":"Permission denied"}}',
      "EACCES: permission denied, open '/etc/shadow'",
    ],
    [
      "access denied",
      "API Error: 403 Access denied: credential not accepted",
      "Unexpected token 'a', \"access denied \" is not valid JSON",
    ],
    [
      "forbidden",
      'API Error: 403 {"error":{"type":"forbidden","message":"Request not allowed"}}',
      'nodes is forbidden: User "system:serviceaccount:default:test" cannot list',
    ],
    ["401", "API Error: 401", "Copied 40169 bytes in 401 ms"],
    ["403", "API Error: 403 token not accepted", "The build used 204013 tokens in 403 steps"],
    ["apikey", "apiKeyHelper failed: exited 1", "const apikey = process.argv[2]"],
    ["credential", "Unable to load AWS credentials", "The token has not been saved to the git credentials helper."],
  ])("%s: the genuine failure is one, the look-alike is none (A1)", (_subject, genuine, lookAlike) => {
    expect(verdictOf(text(genuine))).not.toBe("not_auth");
    expect(verdictOf(text(lookAlike))).toBe("not_auth");
  });
});

describe("every rule", () => {
  const rules = [...credentialRules, ...elsewhereRules];
  it("has an id of its own, a sentence and a source (A1)", () => {
    expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
    for (const { id, reason, source } of rules) {
      expect(id).toMatch(/^[a-z][a-z0-9-]+$/);
      expect(reason).toMatch(/^[A-Z].{5,120}\.$/);
      expect(source.length).toBeGreaterThan(5);
    }
  });

  it("is hit by a text of the fixtures (A1)", () => {
    const hit = new Set([...load("dev"), ...load("held-out")].map((entry) => classify(toSignal(entry)).rule));
    expect(rules.map(({ id }) => id).filter((id) => !hit.has(id))).toEqual([]);
  });

  it("of a missing, revoked or disabled credential asks for a person; of an invalid one for a renewal first (A2)", () => {
    const asks = (words: string) => needsPerson(classify(text(words, 401)));
    expect(
      ["OAuth token revoked", "This organization has been disabled.", "Not logged in · Please run /login"].map(asks),
    ).toEqual([true, true, true]);
    expect(["invalid x-api-key", "Invalid authentication credentials", "OAuth token has expired"].map(asks)).toEqual([
      false,
      false,
      false,
    ]);
  });
});
