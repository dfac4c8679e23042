// Reads the operator's own Claude settings (`settings.json` in the Claude configuration folder). Read only; each reader
// parses the few keys that it needs.
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { type Environment, isAllowed } from "./environment.ts";

/** @see https://code.claude.com/docs/en/settings */
const credentialSettings = z
  .object({
    apiKeyHelper: z.string(),
    awsAuthRefresh: z.string(),
    awsCredentialExport: z.string(),
    gcpAuthRefresh: z.string(),
    env: z.record(z.string(), z.coerce.string()),
  })
  .partial();

/** The settings that a Claude process needs to authenticate. */
export interface CredentialSettings {
  readonly apiKeyHelper?: string;
  readonly awsAuthRefresh?: string;
  readonly awsCredentialExport?: string;
  readonly gcpAuthRefresh?: string;
  /** Variables that the settings give to every Claude process; only allowed names. */
  readonly env?: Record<string, string>;
}

/** These say where the settings are; a settings file can't move itself. */
const placeNames = new Set(["CLAUDE_CONFIG_DIR", "HOME"]);

/** Where Claude Code keeps its settings, its login and its transcripts. */
export function claudeConfigDir(environment: Environment): string {
  return environment["CLAUDE_CONFIG_DIR"] || join(environment["HOME"] || homedir(), ".claude");
}

/** The settings file as it is now. A missing, half-written or broken file gives `undefined`: Claude Code treats it so. */
export async function readSettings(environment: Environment): Promise<unknown> {
  try {
    return JSON.parse(await readFile(join(claudeConfigDir(environment), "settings.json"), "utf8"));
  } catch {
    return undefined;
  }
}

/** What of the operator's user settings concerns the credential. */
export async function readCredentialSettings(environment: Environment): Promise<CredentialSettings> {
  return toCredentialSettings(await readSettings(environment));
}

/** What of a settings object concerns the credential. */
export function toCredentialSettings(object: unknown): CredentialSettings {
  const settings = credentialSettings.safeParse(object);
  if (!settings.success) return {};
  const { env = {}, ...helpers } = settings.data;
  const allowed = Object.entries(env).filter(([name]) => isAllowed(name) && !placeNames.has(name));
  return {
    ...Object.fromEntries(Object.entries(helpers).filter(([, value]) => value !== undefined)),
    ...(allowed.length > 0 ? { env: Object.fromEntries(allowed) } : {}),
  };
}
