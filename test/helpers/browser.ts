// A real browser for tests: Debian's chromium, its profile in a folder of its own, no word to anybody but the server under test.
import { accessSync, constants } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const executablePath = "/usr/bin/chromium";

/** Whether it is on this machine: scripts/pretest-tools.ts sees to it where it may. */
export const hasBrowser = ((): boolean => {
  try {
    accessSync(executablePath, constants.X_OK);
    return true;
  } catch {
    return false;
  }
})();

/** Starts it. The profile is new and empty, below the system's temporary folder, and goes with its end. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    headless: true,
    timeout: 60_000,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--disable-dev-shm-usage",
    ],
  });
}
