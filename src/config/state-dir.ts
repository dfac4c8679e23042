// Where the server keeps its state: sessions, the ledger, agents' workspaces.
import { homedir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type Config, ConfigError } from "../config.ts";

/**
 * The state folder.
 *
 * @throws ConfigError where it lies inside the folder of this program.
 */
export function stateDirOf({ stateDir, environment }: Pick<Config, "stateDir" | "environment">): string {
  const dir = stateDir ?? defaultStateDir(environment);
  assertOutsideCheckout(dir);
  return dir;
}

function defaultStateDir(environment: Config["environment"]): string {
  const base = environment["XDG_STATE_HOME"] || join(environment["HOME"] || homedir(), ".local", "state");
  return join(base, "ccapi");
}

/** Agents work below the state folder: they must not reach this program's own files by a plain relative path. */
function assertOutsideCheckout(stateDir: string): void {
  const checkout = fileURLToPath(new URL("../..", import.meta.url));
  const path = relative(checkout, stateDir);
  if (path !== "" && (path.startsWith("..") || path === stateDir)) return;
  throw new ConfigError(`CCAPI_STATE_DIR "${stateDir}": it lies inside the folder of this program. Choose another.`);
}
