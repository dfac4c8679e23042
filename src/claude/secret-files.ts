// Reads the secrets that the operator gives as files (`ANTHROPIC_API_KEY_FILE` and the like), anew at each call,
// so that a mounted secret rotates without a restart. Hands values on; keeps none.
import { readFile, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { CcapiError } from "../auth/errors.ts";
import { type Environment, type SecretName, secretNames } from "./environment.ts";

/** Far above any key or token; a file beyond it is something else. */
const maxSecretBytes = 65_536;
const attempts = 5;
const pauseMs = 40;

/**
 * The secrets named by `*_FILE` variables, read now.
 *
 * @throws CcapiError `upstream_auth_unavailable` where a named file can't be read, or is no secret: empty, too large, several lines.
 */
export async function readSecretFiles(environment: Environment): Promise<Partial<Record<SecretName, string>>> {
  const secrets: Partial<Record<SecretName, string>> = {};
  for (const name of secretNames) {
    const path = environment[`${name}_FILE`];
    if (path === undefined || path === "") continue;
    secrets[name] = await readPatiently(name, path);
  }
  return secrets;
}

/** A writer empties a file before it fills it, and a swap has a moment without one: what is no secret is read again. */
async function readPatiently(name: SecretName, path: string): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await readSecret(name, path);
    } catch (error) {
      if (attempt === attempts) throw error;
    }
    await sleep(pauseMs);
  }
}

async function readSecret(name: SecretName, path: string): Promise<string> {
  let text: string;
  try {
    const stats = await stat(path);
    if (!stats.isFile()) throw unavailable(name, "is no regular file");
    if (stats.size > maxSecretBytes) throw unavailable(name, "is too large for a secret");
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof CcapiError) throw error;
    throw unavailable(name, "can't be read", error);
  }
  const value = text.trim();
  if (value === "") throw unavailable(name, "is empty");
  if (/[\0\r\n]/.test(value)) throw unavailable(name, "holds more than one line");
  return value;
}

function unavailable(name: SecretName, what: string, cause?: unknown): CcapiError {
  return new CcapiError("upstream_auth_unavailable", `The file named by ${name}_FILE ${what}.`, {
    state: "unauthenticated",
    action: `put a valid secret into the file named by ${name}_FILE`,
    shouldRetry: false,
    // Only the code: a file system error's message holds a path of this host.
    ...(cause instanceof Error && "code" in cause ? { cause: cause.code } : {}),
  });
}

/** The files that hold secrets, by the `*_FILE` variables. */
export function secretFilePaths(environment: Environment): string[] {
  return secretNames
    .map((name) => environment[`${name}_FILE`])
    .filter((path): path is string => path !== undefined && path !== "");
}
