import { describe, expect, it } from "vitest";
import { classify } from "../../src/auth/classify.ts";
import { needsPerson } from "../../src/auth/remedy.ts";
import type { Signal } from "../../src/auth/signal.ts";
import { readErrors } from "./errors.ts";

const text = (words: string, status: number | null = null): Signal => ({ source: "text", text: words, status });
const verdictOf = (signal: Signal) => classify(signal).verdict;

describe("the classifier", () => {
  it("never takes a tool's output or the model's words for evidence (A1)", () => {
    for (const { text: words } of readErrors("dev")) {
      expect(classify({ source: "tool_output", text: words })).toMatchObject({
        verdict: "not_auth",
        rule: "not-evidence",
      });
      expect(classify({ source: "model_text", text: words })).toMatchObject({
        verdict: "not_auth",
        rule: "not-evidence",
      });
    }
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
      "a status with its type beats a text",
      {
        source: "http",
        status: 429,
        body: '{"error":{"type":"rate_limit_error","message":"OAuth token has expired"}}',
      },
      "not_auth",
    ],
    [
      "names of other services beside Claude Code's own failure are circumstance",
      {
        source: "assistant",
        error: "invalid_request",
        status: 401,
        text: "Your apiKeyHelper script is failing · vault token lookup through terraform was denied",
      },
      "auth_permanent",
    ],
    ["stderr of a model call", { source: "stderr", text: "API Error: 401 (no body)" }, "auth_refreshable"],
    ["stderr with a bare status", { source: "stderr", text: "HTTP/1.1 401 (no body)" }, "not_auth"],
    [
      "a server's failure in the middle of a login",
      { source: "text", status: null, text: "OAuth error: Request failed with status code 500" },
      "not_auth",
    ],
    ["402 is money, whatever it says", { source: "http", status: 402, body: "Your API key is invalid" }, "not_auth"],
    [
      "an organisation that forbids its keys, which the SDK calls an invalid request",
      {
        source: "assistant",
        error: "invalid_request",
        status: null,
        text: "Your organization has disabled API key authentication · Unset ANTHROPIC_API_KEY to use your claude.ai account instead",
      },
      "auth_permanent",
    ],
    [
      "the network's refusal before the API is none of the credential",
      {
        source: "assistant",
        error: "invalid_request",
        status: 403,
        text: "API Error: Request blocked before it reached Anthropic's API (HTTP 403) · usually an unsupported region, or a VPN",
      },
      "not_auth",
    ],
    [
      "advice to look at the model does not hide an expired cloud session",
      {
        source: "assistant",
        error: "authentication_failed",
        status: 403,
        text: "AWS authentication failed · refresh your AWS credentials and retry · if credentials are current, check AWS permissions and model access · API Error: 403 The security token included in the request is expired",
      },
      "auth_refreshable",
    ],
    [
      "a failed sign-in to the cloud that gives no known reason",
      { source: "auth_status", error: "exit code 3", text: "exit code 3" },
      "auth_refreshable",
    ],
    ["a sign-in that goes well", { source: "auth_status", error: undefined, text: "signing in" }, "not_auth"],
    [
      "a subagent that ended on a rejected credential",
      { source: "subagent", text: "Agent terminated early due to an API error: API Error: 401 Invalid bearer token" },
      "auth_refreshable",
    ],
    [
      "stderr with a status of something that Claude started",
      { source: "stderr", text: "HTTP/1.1 401 Unauthorized (GET https://example.com/private)" },
      "not_auth",
    ],
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

describe("a permanent verdict", () => {
  it("asks for a person where the credential is missing, revoked or disabled; for a renewal first where it is invalid (A2)", () => {
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

describe("a refusal of one model", () => {
  it.each([
    "Your organization does not have access to Claude Opus 4.1. Please contact support.",
    "Your account does not have access to claude-opus-4-1.",
  ])("is not about the credential: %s (A1)", (words) => {
    expect(classify({ source: "text", text: words, status: 403 }).verdict).toBe("not_auth");
  });

  it("is told from one of Claude as a whole (A1)", () => {
    const words = "Your organization does not have access to Claude. Please login again or contact your administrator.";
    expect(classify({ source: "text", text: words, status: 403 }).verdict).toBe("auth_permanent");
  });
});
