// Where a query's credential comes from, in the words of the Agent SDK's own options, and what its processes are given.
// It is the caller's own process: nothing is left out of the environment, and nothing added but the secrets in files.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Options } from "@anthropic-ai/claude-agent-sdk";
import type { ChildSetup } from "../claude/child-setup.ts";
import { credentialKind } from "../claude/credential.ts";
import type { Environment } from "../claude/environment.ts";
import { readSecretFiles } from "../claude/secret-files.ts";
import {
  claudeConfigDir,
  type CredentialSettings,
  readCredentialSettings,
  toCredentialSettings,
} from "../claude/user-settings.ts";

/** What of a query's options decides about its credential. */
export interface CredentialSource {
  readonly environment: Environment;
  readonly settings: Options["settings"];
  /** Whether the user's own settings file is read: it may name an `apiKeyHelper`. */
  readonly readsUserSettings: boolean;
}

/** A process that is about to be started. */
export interface PreparedChild extends ChildSetup {
  /** The SDK's option `env`. */
  readonly processEnvironment: Record<string, string | undefined>;
}

/** The source of a query's credential. `environment`: what counts where the options name none. */
export function toSource({ env, settings, settingSources }: Options, environment: Environment): CredentialSource {
  return {
    environment: { ...(env ?? environment) },
    settings,
    readsUserSettings: settingSources === undefined || settingSources.includes("user"),
  };
}

/** Variables that say which credential is used, or by whom it is accepted; a model's name is none of them. */
const relevant =
  /^(?:ANTHROPIC_(?!.*MODEL)|CLAUDE_CONFIG_DIR$|CLAUDE_CODE_(?:USE_|SKIP_|OAUTH_)|AWS_|AZURE_|GOOGLE_|GCLOUD_|CLOUD|VERTEX_|HOME$|USERPROFILE$)/;

/** Equal for two sources where their credential is the same. A digest: it is kept, and the variables hold secrets. */
export function identify({ environment, settings, readsUserSettings }: CredentialSource): string {
  const variables = Object.entries(environment)
    .filter(([name, value]) => value !== undefined && relevant.test(name))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  const inline = typeof settings === "string" ? settings : toCredentialSettings(settings);
  return createHash("sha256")
    .update(JSON.stringify([variables, inline ?? null, readsUserSettings]))
    .digest("base64url");
}

/**
 * Looks at the source as it is now.
 *
 * @throws CcapiError `upstream_auth_unavailable` where a secret's file can't be read.
 */
export async function prepareSource(source: CredentialSource): Promise<PreparedChild> {
  const { environment } = source;
  const [secrets, fromUser, inline] = await Promise.all([
    readSecretFiles(environment),
    source.readsUserSettings ? readCredentialSettings(environment) : {},
    readInline(source.settings),
  ]);
  const credentialSettings = { ...fromUser, ...inline };
  const processEnvironment = { ...environment, ...secrets };
  // Claude Code applies the settings' variables over its environment.
  const all = Object.entries({ ...processEnvironment, ...credentialSettings.env });
  const seen = Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== undefined));
  return {
    environment: seen,
    credentialSettings,
    kind: credentialKind(seen, credentialSettings),
    configDir: claudeConfigDir(seen),
    processEnvironment,
  };
}

async function readInline(settings: Options["settings"]): Promise<CredentialSettings> {
  if (typeof settings !== "string") return toCredentialSettings(settings ?? {});
  try {
    return toCredentialSettings(
      JSON.parse(settings.trim().startsWith("{") ? settings : await readFile(settings, "utf8")),
    );
  } catch {
    return {}; // Claude Code says itself what is wrong with it.
  }
}
