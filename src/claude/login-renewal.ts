// Whether some Claude Code is renewing a stored login at this moment: ended in the middle of it, it would leave a spent token behind.
import { existsSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const lookEveryMs = 25;

/** A renewal that takes longer hangs. */
const limitMs = 10_000;

/**
 * Whether somebody renews the login of this configuration folder now.
 *
 * Claude Code holds two locks while it does (read off its binary, 2.1.330): `.oauth_refresh.lock` in the folder, and, as older
 * versions did, `<folder>.lock` beside it.
 */
export function isLoginBeingRenewed(configDir: string): boolean {
  return [join(configDir, ".oauth_refresh.lock"), `${realPath(configDir)}.lock`].some((lock) => existsSync(lock));
}

/** Resolves when nobody renews that login any more, or has taken too long. */
export async function untilLoginIsRenewed(configDir: string): Promise<void> {
  const until = performance.now() + limitMs;
  while (isLoginBeingRenewed(configDir) && performance.now() < until) await sleep(lookEveryMs);
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // It is not there yet.
  }
}
