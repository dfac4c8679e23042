// Starts, owns and ends Claude processes. Nothing else in the product may start or signal one.
// Every process started here is gone, with its tools, when `end` has resolved, and a watchdog sees to it if this process is killed.
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { SpawnedProcess, SpawnOptions } from "@anthropic-ai/claude-agent-sdk";
import { descendants, markName, type ProcessId, signalAll } from "./process-tree.ts";

/** Claude takes up to 1.5 s to end itself and its tools on SIGTERM (measured, Claude Code 2.1.330). */
const terminationGraceMs = 3_000;
/** How much of a process's stderr is kept to explain its death. */
const stderrTailLength = 4_096;

/** One Claude process. */
export interface OwnedProcess {
  readonly pid: number | undefined;
  /** What everything that it starts has in its environment. */
  readonly mark: string;
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

/** All Claude processes of one server. */
export interface ProcessOwner {
  /** The SDK's `spawnClaudeCodeProcess` for one process, which is handed to `onSpawn`. */
  spawner(onSpawn: (owned: OwnedProcess) => void): (options: SpawnOptions) => SpawnedProcess;
  /** How many live now. */
  readonly count: number;
  /** Ends all of them, then the watchdog. */
  close(): Promise<void>;
}

/** Makes an owner with its watchdog, which is started with the first Claude process. */
export function createProcessOwner(): ProcessOwner {
  const living = new Set<OwnedProcess>();
  let watchdog: ChildProcess | undefined;

  function tellWatchdog(line: string): void {
    if (watchdog === undefined || watchdog.exitCode !== null || watchdog.signalCode !== null) {
      watchdog = startWatchdog();
      for (const { pid, mark } of living) if (pid !== undefined) watchdog.stdin?.write(`+${pid} ${mark}\n`);
    }
    watchdog.stdin?.write(`${line}\n`);
  }

  return {
    spawner: (onSpawn) => (options) => {
      const mark = randomUUID();
      const child = spawn(options.command, options.args, {
        cwd: options.cwd,
        env: { ...options.env, [markName]: mark },
        stdio: ["pipe", "pipe", "pipe"],
        // A process group of its own: a Ctrl-C at the terminal reaches the server alone, which then ends it in order.
        detached: true,
        windowsHide: true,
      });
      const owned = own(child, mark);
      living.add(owned);
      if (child.pid !== undefined) tellWatchdog(`+${child.pid} ${mark}`);
      void owned.exited.then(() => {
        living.delete(owned);
        if (child.pid !== undefined) tellWatchdog(`-${child.pid}`);
      });
      onSpawn(owned);
      return child;
    },
    get count() {
      return living.size;
    },
    async close() {
      // Once more for what was started meanwhile.
      while (living.size > 0) await Promise.all([...living].map((owned) => owned.end()));
      watchdog?.stdin?.end();
      watchdog = undefined;
    },
  };
}

function startWatchdog(): ChildProcess {
  // The sources run as TypeScript, the published package as JavaScript: the file beside this one has its ending.
  const extension = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
  const script = fileURLToPath(new URL(`./watchdog${extension}`, import.meta.url));
  const child = spawn(process.execPath, ["--max-old-space-size=16", script], {
    env: {},
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  child.on("error", () => undefined); // Without a watchdog the server still works; only its own sudden death leaves children.
  child.stdin?.on("error", () => undefined); // Its exit is seen at the next line and mended there.
  child.unref();
  return child;
}

function own(child: ChildProcess, mark: string): OwnedProcess {
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

  async function endNow(closeFirstMs: number): Promise<void> {
    const { pid } = child;
    if (pid === undefined) return exited;
    const tools = new Map<number, ProcessId>();
    const collect = async () => {
      // Once it has ended its number may be another's: then its mark alone tells what it left.
      for (const tool of await descendants(hasEnded() ? [] : [pid], [mark])) tools.set(tool.pid, tool);
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
    await signalAll([...tools.values()], "SIGKILL");
  }

  return {
    pid: child.pid,
    mark,
    exited,
    exitReason: () =>
      failedToStart ?? child.signalCode ?? (child.exitCode === null ? undefined : `code ${child.exitCode}`),
    stderrTail: () => stderr,
    end: ({ closeFirstMs = 0 } = {}) => (ending ??= endNow(closeFirstMs)),
  };
}

async function within(done: Promise<void>, ms: number): Promise<void> {
  const timer = new AbortController();
  await Promise.race([done, sleep(ms, undefined, { signal: timer.signal }).catch(() => undefined)]);
  timer.abort(); // A timer left behind would keep a server alive that has closed.
}
