// Which credential Claude will use, in Claude Code's own order of precedence, from the same environment and settings
// that the child will see. Looks only: nothing is written, kept or logged here.
import type { Environment } from "./environment.ts";
import type { CredentialSettings } from "./user-settings.ts";

/** Where the credential comes from. `stored_login`: a login kept by Claude Code, or none at all. */
export type CredentialKind =
  | "bedrock"
  | "vertex"
  | "foundry"
  | "auth_token"
  | "api_key"
  | "api_key_helper"
  | "oauth_token"
  | "stored_login";

/** @see https://code.claude.com/docs/en/iam "Authentication precedence" */
const precedence: readonly {
  readonly kind: CredentialKind;
  readonly isUsed: (environment: Environment, settings: CredentialSettings) => boolean;
}[] = [
  { kind: "bedrock", isUsed: (env) => isOn(env["CLAUDE_CODE_USE_BEDROCK"]) },
  { kind: "vertex", isUsed: (env) => isOn(env["CLAUDE_CODE_USE_VERTEX"]) },
  { kind: "foundry", isUsed: (env) => isOn(env["CLAUDE_CODE_USE_FOUNDRY"]) },
  { kind: "auth_token", isUsed: (env) => Boolean(env["ANTHROPIC_AUTH_TOKEN"]) },
  { kind: "api_key", isUsed: (env) => Boolean(env["ANTHROPIC_API_KEY"]) },
  { kind: "api_key_helper", isUsed: (_env, settings) => Boolean(settings.apiKeyHelper) },
  { kind: "oauth_token", isUsed: (env) => Boolean(env["CLAUDE_CODE_OAUTH_TOKEN"]) },
];

/** The kind of credential that a child with this environment and these settings uses. */
export function credentialKind(environment: Environment, settings: CredentialSettings): CredentialKind {
  const combined = { ...environment, ...settings.env };
  return precedence.find(({ isUsed }) => isUsed(combined, settings))?.kind ?? "stored_login";
}

/** As Claude Code reads its switches (2.1.330). */
function isOn(value: string | undefined): boolean {
  return ["1", "true", "yes", "on"].includes((value ?? "").toLowerCase().trim());
}

/** What a person does about a credential of this kind that is rejected, in words. */
export function credentialAction(kind: CredentialKind): string {
  return actions[kind];
}

const actions: Readonly<Record<CredentialKind, string>> = {
  bedrock: "renew this host's AWS credentials, e.g. run `aws sso login`",
  vertex: "renew this host's Google Cloud credentials, e.g. run `gcloud auth application-default login`",
  foundry: "renew this host's Azure credentials, or rotate ANTHROPIC_FOUNDRY_API_KEY",
  auth_token: rotated("ANTHROPIC_AUTH_TOKEN"),
  api_key: rotated("ANTHROPIC_API_KEY"),
  api_key_helper: "mend the key that apiKeyHelper prints",
  oauth_token: `run \`claude setup-token\`, then ${rotated("CLAUDE_CODE_OAUTH_TOKEN")}`,
  stored_login: "run `claude` and log in on this host",
};

/** A process's own environment can't change while it lives. */
function rotated(variable: string): string {
  return `rotate ${variable} and restart the server (a secret in the file that ${variable}_FILE names needs no restart)`;
}
