import { describe, expect, it } from "vitest";
import { credentialAction, type CredentialKind, credentialKind } from "../../src/claude/credential.ts";
import type { CredentialSettings } from "../../src/claude/user-settings.ts";

interface Source {
  readonly kind: CredentialKind;
  readonly environment?: Readonly<Record<string, string>>;
  readonly settings?: CredentialSettings;
}

/** First wins. test/e2e/credential.test.ts asks the real CLI for the pairs. */
const sources: readonly Source[] = [
  { kind: "bedrock", environment: { CLAUDE_CODE_USE_BEDROCK: "1" } },
  { kind: "vertex", environment: { CLAUDE_CODE_USE_VERTEX: "true" } },
  { kind: "foundry", environment: { CLAUDE_CODE_USE_FOUNDRY: "YES" } },
  { kind: "auth_token", environment: { ANTHROPIC_AUTH_TOKEN: "t" } },
  { kind: "api_key", environment: { ANTHROPIC_API_KEY: "k" } },
  { kind: "api_key_helper", settings: { apiKeyHelper: "h" } },
  { kind: "oauth_token", environment: { CLAUDE_CODE_OAUTH_TOKEN: "o" } },
];

function kindOf(chosen: readonly Source[]): CredentialKind {
  const environment = Object.assign({}, ...chosen.map((source) => source.environment)) as Record<string, string>;
  const settings = Object.assign({}, ...chosen.map((source) => source.settings)) as CredentialSettings;
  return credentialKind(environment, settings);
}

describe("which credential Claude uses", () => {
  it.each(sources)("is $kind where that alone is configured (B5)", (source) => {
    expect(kindOf([source])).toBe(source.kind);
  });

  it("is a stored login where nothing is configured (B5)", () => {
    expect(kindOf([])).toBe("stored_login");
  });

  it("is the first in Claude Code's order, for every combination (B5)", () => {
    const order = sources.map(({ kind }) => kind);
    expect(order).toEqual(["bedrock", "vertex", "foundry", "auth_token", "api_key", "api_key_helper", "oauth_token"]);
    for (let mask = 1; mask < 2 ** sources.length; mask += 1) {
      const chosen = sources.filter((_source, index) => (mask & (1 << index)) !== 0);
      expect(kindOf(chosen)).toBe(chosen[0]?.kind);
    }
  });

  it("takes the settings' variables as the child has them, over its environment (B5)", () => {
    expect(credentialKind({}, { env: { ANTHROPIC_API_KEY: "k" } })).toBe("api_key");
    expect(credentialKind({ ANTHROPIC_AUTH_TOKEN: "t" }, { env: { ANTHROPIC_AUTH_TOKEN: "" } })).toBe("stored_login");
    expect(credentialKind({ CLAUDE_CODE_USE_BEDROCK: "1" }, { env: { CLAUDE_CODE_USE_BEDROCK: "0" } })).toBe(
      "stored_login",
    );
  });

  it("does not take an empty value for a credential (B5)", () => {
    const empty = { ANTHROPIC_AUTH_TOKEN: "", ANTHROPIC_API_KEY: "", CLAUDE_CODE_OAUTH_TOKEN: "" };
    expect(credentialKind(empty, { apiKeyHelper: "" })).toBe("stored_login");
  });

  it("reads a switch as Claude Code does: on only for four words, whatever their case (B5)", () => {
    const kind = (value: string) => credentialKind({ CLAUDE_CODE_USE_BEDROCK: value }, {});
    for (const value of ["1", "true", "TRUE", "yes", "On", " 1 "]) expect(kind(value)).toBe("bedrock");
    for (const value of ["", "0", "false", "no", "off", "2", "bedrock"]) expect(kind(value)).toBe("stored_login");
  });
});

describe("what a person does about it", () => {
  it.each([...sources.map(({ kind }) => kind), "stored_login" as const])("is said in words for %s (B5)", (kind) => {
    expect(credentialAction(kind)).toMatch(/^[a-z][^\n]{10,200}$/);
  });

  it("is to log in for a stored login, and to rotate a key or token of the environment (B5)", () => {
    expect(credentialAction("stored_login")).toBe("run `claude` and log in on this host");
    expect(credentialAction("api_key")).toMatch(/^rotate ANTHROPIC_API_KEY and restart the server/);
    expect(credentialAction("auth_token")).toMatch(/^rotate ANTHROPIC_AUTH_TOKEN and restart the server/);
  });
});
