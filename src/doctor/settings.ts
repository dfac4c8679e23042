// Looks at the configuration itself: keys, address, folders. Starts nothing and asks nobody.
import { access, constants, mkdir } from "node:fs/promises";
import { type Config, isLoopback } from "../config.ts";
import { stateDirOf } from "../config/state-dir.ts";
import type { Finding } from "./finding.ts";

/** What there is to say of the settings, one finding each. */
export async function examineSettings(config: Config): Promise<Finding[]> {
  return [...config.warnings.map(toWarning), keys(config), address(config), await stateFolder(config)];
}

function toWarning(warning: string): Finding {
  return { about: "setting", verdict: "warning", seen: warning, fix: "see docs/configuration.md" };
}

function keys({ apiKeys, adminKeys }: Config): Finding {
  const seen = `${apiKeys.length} client keys, ${adminKeys.length} admin keys`;
  if (apiKeys.length + adminKeys.length === 0) {
    return {
      about: "keys",
      verdict: "warning",
      seen: "none is set: a new one is made at each start",
      fix: "set CCAPI_API_KEYS (ccapi keys generate makes a key)",
    };
  }
  if (adminKeys.length === 0) {
    return {
      about: "keys",
      verdict: "warning",
      seen: `${seen}: nobody may refresh by hand`,
      fix: "set CCAPI_ADMIN_KEYS",
    };
  }
  return { about: "keys", verdict: "ok", seen };
}

function address({ host, port, skipPermissions }: Config): Finding {
  const seen = `${host}, port ${port}`;
  if (skipPermissions) {
    return {
      about: "address",
      verdict: "warning",
      seen: `${seen}; agents run every tool without approval`,
      fix: "leave --dangerously-skip-permissions to sandboxes",
    };
  }
  if (isLoopback(host)) return { about: "address", verdict: "ok", seen: `${seen}: this machine alone` };
  return {
    about: "address",
    verdict: "warning",
    seen: `${seen}: others than this machine can reach it, by plain HTTP`,
    fix: "put a proxy with TLS before it, and read docs/security.md",
  };
}

async function stateFolder(config: Config): Promise<Finding> {
  const folder = stateDirOf(config);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return { about: "state folder", verdict: "ok", seen: folder };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException; // fs errors carry a code.
    const fix = "make it writable for this user, or set CCAPI_STATE_DIR";
    return { about: "state folder", verdict: "problem", seen: `${folder} can't be used (${code})`, fix };
  }
}
