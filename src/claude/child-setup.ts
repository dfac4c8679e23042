// Everything about a Claude process that is decided anew at each start: its environment, its credential, its settings.
import { access, constants } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import { type CredentialKind, credentialKind } from "./credential.ts";
import { childEnvironment, type Environment } from "./environment.ts";
import { readSecretFiles } from "./secret-files.ts";
import { claudeConfigDir, type CredentialSettings, readCredentialSettings } from "./user-settings.ts";

/** What the operator decides about children. */
export interface ChildPolicy {
  /** The server's own environment. */
  readonly environment: Environment;
  /** Claude Code's telemetry and non-essential traffic. */
  readonly allowTelemetry: boolean;
  /** Sent upstream in the user agent, e.g. `ccapi/0.1.0`. */
  readonly clientApp: string;
  /**
   * A stored login may not be used (see docs/security.md): where there is no other credential, children get this empty
   * configuration folder instead of the operator's. `undefined`: they always get the operator's own.
   */
  readonly privateConfigDir: string | undefined;
}

/** What one child is started with. */
export interface ChildSetup {
  readonly environment: Record<string, string>;
  readonly credentialSettings: CredentialSettings;
  readonly kind: CredentialKind;
  readonly configDir: string;
}

/**
 * Looks at the credential sources as they are now.
 *
 * @throws CcapiError `upstream_auth_unavailable` where a secret's file can't be read.
 */
export async function prepareChild(policy: ChildPolicy): Promise<ChildSetup> {
  const [secrets, credentialSettings, hasBubblewrap] = await Promise.all([
    readSecretFiles(policy.environment),
    readCredentialSettings(policy.environment),
    canScrub(policy.environment),
  ]);
  const environment: Record<string, string> = {
    ...childEnvironment(policy.environment),
    ...secrets,
    // Claude Code applies them over its environment. Not as inline settings: those stand on a command line for all to read.
    ...credentialSettings.env,
    CLAUDE_AGENT_SDK_CLIENT_APP: policy.clientApp,
  };
  if (!policy.allowTelemetry) {
    Object.assign(environment, {
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      DISABLE_TELEMETRY: "1",
      DISABLE_ERROR_REPORTING: "1",
      DISABLE_AUTOUPDATER: "1",
    });
  }
  // Claude Code then keeps its credentials out of the environment of the commands that an agent runs.
  if (hasBubblewrap) environment["CLAUDE_CODE_SUBPROCESS_ENV_SCRUB"] = "1";
  // Relative to this process's folder, where the operator meant it; the child works in another.
  if (environment["CLAUDE_CONFIG_DIR"]) environment["CLAUDE_CONFIG_DIR"] = resolve(environment["CLAUDE_CONFIG_DIR"]);
  const kind = credentialKind(environment, credentialSettings);
  if (kind === "stored_login" && policy.privateConfigDir !== undefined) {
    environment["CLAUDE_CONFIG_DIR"] = policy.privateConfigDir;
  }
  return {
    environment,
    credentialSettings,
    kind,
    configDir: claudeConfigDir(environment),
  };
}

/** Claude Code's scrubbing of its commands' environment needs bubblewrap on the PATH. */
export async function canScrub(environment: Environment): Promise<boolean> {
  for (const folder of (environment["PATH"] ?? "").split(delimiter).filter(Boolean)) {
    try {
      await access(join(folder, "bwrap"), constants.X_OK);
      return true;
    } catch {
      // Not in this folder.
    }
  }
  return false;
}
