// Runs the operator's `apiKeyHelper` as Claude Code does, to see whether it prints another key than before.
// The key is handed on to be fingerprinted; nothing of the output is kept or logged.
import { spawn } from "node:child_process";
import type { Environment } from "./environment.ts";

/** A helper that has not answered by then is taken for hanging. Claude Code itself would wait for minutes (see helper-watch.ts). */
const timeoutMs = 10_000;
const maxOutputBytes = 65_536;

/**
 * What the helper prints.
 *
 * @throws Error where it fails, hangs, or prints nothing; the message holds none of its output.
 */
export function readHelperKey(command: string, environment: Environment, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    // Claude Code hands the setting to a shell, too.
    const child = spawn(command, {
      shell: true,
      env: environment,
      stdio: ["ignore", "pipe", "ignore"],
      detached: true,
    });
    let output = "";
    const kill = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has ended meanwhile, with all that it started.
      }
    };
    const timer = setTimeout(() => fail("does not end"), timeoutMs);
    const onAbort = () => fail("was no longer wanted");
    signal.addEventListener("abort", onAbort, { once: true });
    const settle = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    };
    function fail(what: string): void {
      settle();
      kill();
      reject(new Error(`apiKeyHelper ${what}.`));
    }
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (output.length > maxOutputBytes) fail("prints more than a key");
    });
    child.on("error", () => fail("can't be started"));
    child.on("close", (code) => {
      if (code !== 0) return fail(`ended with ${code === null ? "a signal" : `code ${code}`}`);
      if (output.trim() === "") return fail("printed nothing");
      settle();
      resolve(output.trim());
    });
    if (signal.aborted) onAbort();
  });
}
