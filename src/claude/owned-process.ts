// One Claude process and its end: everything that it started, and the folder for its temporary files, go with it.
import type { ChildProcess } from "node:child_process";
import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { descendants, killAll, type ProcessId } from "./process-tree.ts";

/** Claude takes up to 1.5 s to end itself and its tools on SIGTERM (measured, Claude Code 2.1.330). */
const terminationGraceMs = 3_000;
/** How much of a process's stderr is kept to explain its death. */
const stderrTailLength = 4_096;

/** What everything that a process starts, or writes for a while, is known by. */
export interface Traces {
  /** The value of `markName` in its environment. */
  readonly mark: string;
  /** A folder of its own. */
  readonly temporaryDir: string;
}

/** One Claude process. */
export interface OwnedProcess extends Traces {
  readonly pid: number | undefined;
  /** Resolves when it has ended, however it did. */
  readonly exited: Promise<void>;
  /** Exit code or signal, once it has ended; `undefined` while it runs. */
  exitReason(): string | undefined;
  /** The last words on stderr. For classification only: it may hold anything, never log it. */
  stderrTail(): string;
  /**
   * Ends it and everything it started. Resolves when all are gone; never throws; any number of calls share one end.
   * With `closeFirstMs` its input has been closed and it gets that long to end by itself.
   */
  end(options?: { readonly closeFirstMs?: number }): Promise<void>;
}

/** Takes a child just spawned. */
export function own(child: ChildProcess, traces: Traces): OwnedProcess {
  const { mark, temporaryDir } = traces;
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-stderrTailLength);
  });
  child.stdin?.on("error", () => undefined); // A write to a process that just died: its exit tells the story.
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  let failedToStart: string | undefined;
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", (error) => {
      failedToStart = error.message;
      resolve();
    });
  });
  let ending: Promise<void> | undefined;

  async function endProcesses({ pid }: { readonly pid: number }, closeFirstMs: number): Promise<void> {
    const tools = new Map<number, ProcessId>();
    const collect = async () => {
      // Once it has ended its number may be another's: then its mark alone tells what it left.
      const found = await descendants(hasEnded() ? [] : [pid], [mark]).catch(() => []); // No file descriptor left: the next look may see them.
      for (const tool of found) tools.set(tool.pid, tool);
    };
    await collect();
    if (closeFirstMs > 0) await within(exited, closeFirstMs);
    if (!hasEnded()) {
      await collect();
      child.kill("SIGTERM");
      await within(exited, terminationGraceMs);
    }
    if (!hasEnded()) {
      await collect();
      child.kill("SIGKILL");
      await exited;
    }
    await collect();
    await killAll([...tools.values()]);
  }

  async function endAll(closeFirstMs: number): Promise<void> {
    const { pid } = child;
    await (pid === undefined ? exited : endProcesses({ pid }, closeFirstMs));
    // What can't be removed now is no reason to hold anybody up.
    await rm(temporaryDir, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
  }

  return {
    ...traces,
    pid: child.pid,
    exited,
    exitReason: () =>
      failedToStart ?? child.signalCode ?? (child.exitCode === null ? undefined : `code ${child.exitCode}`),
    stderrTail: () => stderr,
    end: ({ closeFirstMs = 0 } = {}) => (ending ??= endAll(closeFirstMs)),
  };
}

async function within(done: Promise<void>, ms: number): Promise<void> {
  const timer = new AbortController();
  await Promise.race([done, sleep(ms, undefined, { signal: timer.signal }).catch(() => undefined)]);
  timer.abort(); // A timer left behind would keep a server alive that has closed.
}
