// Runs the operator's command that renews the credential: without a shell, its output never kept, with its children ended in time.
import { type ChildProcess, spawn } from "node:child_process";
import { type Clock, systemClock } from "../ports.ts";
import type { Strategy, StrategyResult } from "./strategy.ts";

/** What to run. */
export interface CommandOptions {
  /** Program and arguments; no shell reads them. */
  readonly command: readonly [string, ...string[]];
  /** The program's whole environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** The folder it runs in. */
  readonly directory?: string;
  /** How long it gets to end by itself once its time is up. Default 2 000 ms. */
  readonly graceMs?: number;
  readonly clock?: Pick<Clock, "setTimer">;
  /** Starts the program. Default: a process in a group of its own. */
  readonly start?: (options: CommandOptions) => ChildProcess;
}

/** Output beyond this is a fault of the command; it is read and dropped either way. */
const maxOutputBytes = 1_048_576;

type Ending =
  | { readonly ended: "missing"; readonly reason: string }
  | { readonly ended: "exit"; readonly code: number | null; readonly signal: string | null }
  | { readonly ended: "time-out" }
  | { readonly ended: "flood" };

/**
 * Makes the strategy. Exit code 0 is a claim, not a proof; whatever the command prints is read to its end and dropped,
 * for it may be a secret.
 *
 * @throws TypeError where the command is empty.
 */
export function commandStrategy(options: CommandOptions): Strategy {
  if (!options.command[0]) throw new TypeError("command must name a program");
  return {
    name: "command",
    run: async ({ signal }) => toResult(await runCommand(options, signal)),
  };
}

function toResult(ending: Ending): StrategyResult {
  switch (ending.ended) {
    case "missing":
      return { outcome: "failed", reason: ending.reason };
    case "time-out":
      return { outcome: "failed", reason: "time-out: the command was ended" };
    case "flood":
      return { outcome: "failed", reason: "the command printed more than 1 MB and was ended" };
    case "exit":
      if (ending.code === 0) return { outcome: "changed", detail: "the command ended with exit code 0" };
      return {
        outcome: "failed",
        reason: ending.code === null ? `ended by ${ending.signal}` : `exit code ${ending.code}`,
      };
  }
}

async function runCommand(options: CommandOptions, signal: AbortSignal): Promise<Ending> {
  if (signal.aborted) return { ended: "time-out" };
  const { start = startProcess, clock = systemClock, graceMs = 2_000 } = options;
  const child = start(options);
  const { promise, resolve } = Promise.withResolvers<Ending>();
  let cancelKill: (() => void) | undefined;
  let why: "time-out" | "flood" | undefined;

  function end(reason: "time-out" | "flood"): void {
    if (why !== undefined) return;
    why = reason;
    signalGroup(child, "SIGTERM");
    cancelKill = clock.setTimer(() => {
      signalGroup(child, "SIGKILL");
      // A grandchild that left the group may hold the pipes open; the command itself is gone.
      resolve({ ended: reason });
    }, graceMs);
  }

  let bytes = 0;
  const drop = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxOutputBytes) end("flood");
  };
  child.stdout?.on("data", drop);
  child.stderr?.on("data", drop);
  child.once("error", (error: NodeJS.ErrnoException) => resolve({ ended: "missing", reason: startFailure(error) }));
  child.once("exit", (code, exitSignal) =>
    resolve(why === undefined ? { ended: "exit", code, signal: exitSignal } : { ended: why }),
  );
  const onAbort = () => end("time-out");
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", onAbort);
    cancelKill?.();
    // Whatever it left running in its group goes with it: a refresh leaves no process behind.
    signalGroup(child, "SIGKILL");
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
}

function startProcess({ command: [program, ...args], environment, directory }: CommandOptions): ChildProcess {
  return spawn(program, args, {
    env: environment,
    ...(directory === undefined ? {} : { cwd: directory }),
    stdio: ["ignore", "pipe", "pipe"],
    shell: false,
    detached: true,
    windowsHide: true,
  });
}

function startFailure({ code }: NodeJS.ErrnoException): string {
  if (code === "ENOENT") return "not found: there is no such program";
  if (code === "EACCES") return "not allowed: the program is not executable";
  return "the program could not be started";
}

function signalGroup({ pid }: ChildProcess, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, name);
  } catch {
    // All of the group are gone already.
  }
}
