// Tells the operator's own program of notices: the notice as JSON on its standard input. No shell, a bound on its time.
import { spawn } from "node:child_process";
import type { Notice } from "./incidents.ts";
import { type Sender, toPayload } from "./payload.ts";

/** What to run. */
export interface ProgramOptions {
  readonly command: readonly string[];
  /** The program's whole environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly sender: Sender;
  /** Time for one run, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Makes a way to tell of a notice by a program. Rejects where it can't be started, fails or takes too long. What it prints is dropped.
 *
 * @throws TypeError where the command is empty.
 */
export function program(options: ProgramOptions): (notice: Notice, signal: AbortSignal) => Promise<void> {
  const { command, environment, sender, timeoutMs } = options;
  const [file, ...args] = command;
  if (file === undefined || file === "") throw new TypeError("command must name a program");
  return async (notice, signal) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const child = spawn(file, args, {
      env: environment,
      stdio: ["pipe", "ignore", "ignore"],
      shell: false,
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      killSignal: "SIGKILL",
    });
    child.once("error", (error: NodeJS.ErrnoException) =>
      reject(new Error(`the program could not be run to its end (${error.code ?? error.name})`)),
    );
    child.once("exit", (code, exitSignal) => {
      if (code === 0) resolve();
      else reject(new Error(`the program ended with ${code ?? exitSignal}`));
    });
    // It need not read what it is told.
    child.stdin.on("error", () => undefined);
    child.stdin.end(`${JSON.stringify(toPayload(notice, sender))}\n`);
    return promise;
  };
}
