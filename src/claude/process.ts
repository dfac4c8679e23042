// Starts, owns and ends Claude processes. Nothing else in the product may start or signal one.
// Every process started here is gone, with its tools, when `end` has resolved, and a watchdog sees to it if this process is killed.
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { SpawnedProcess, SpawnOptions } from "@anthropic-ai/claude-agent-sdk";
import { own, type OwnedProcess, type Traces } from "./owned-process.ts";
import { memoryOf } from "./process-memory.ts";
import { markName } from "./process-tree.ts";

export type { OwnedProcess } from "./owned-process.ts";

/** Where Claude Code keeps what its tools print, and other temporary files; else below /tmp, for good. */
const temporaryDirName = "CLAUDE_CODE_TMPDIR";

/** A watchdog that ends sooner was not able to run; the next one is started after a while. */
const unableWithinMs = 1_000;
const unableAtOnce = 2;
const replaceAfterMs = 5_000;

/** All Claude processes of one server. */
export interface ProcessOwner {
  /**
   * The SDK's `spawnClaudeCodeProcess` for one process, which is handed to `onSpawn`.
   * @param furnish what is to be in its temporary folder before it starts.
   */
  spawner(
    onSpawn: (owned: OwnedProcess) => void,
    furnish?: (temporaryDir: string) => void,
  ): (options: SpawnOptions) => SpawnedProcess;
  /** How many there are, those included whose end is not over. */
  readonly count: number;
  /** The memory that they have, in bytes. */
  memory(): Promise<number>;
  /** Ends all of them, then the watchdog. */
  close(): Promise<void>;
}

/** Makes an owner with its watchdog, which is started with the first Claude process. */
export function createProcessOwner(): ProcessOwner {
  const living = new Set<OwnedProcess>();
  let watchdog: ChildProcess | undefined;
  let unableInARow = 0;

  function tellWatchdog(line: string): void {
    if (watchdog === undefined) replaceWatchdog();
    watchdog?.stdin?.write(line);
  }

  function replaceWatchdog(): void {
    const next = startWatchdog();
    const startedAtMs = performance.now();
    watchdog = next;
    for (const owned of living) next.stdin?.write(toWatch(owned));
    next.once("exit", () => {
      if (watchdog !== next || living.size === 0) return;
      unableInARow = performance.now() - startedAtMs > unableWithinMs ? 0 : unableInARow + 1;
      // Killed by somebody: those that live need another. One that can't live at all is tried again seldom.
      if (unableInARow <= unableAtOnce) replaceWatchdog();
      else setTimeout(() => watchdog === next && living.size > 0 && replaceWatchdog(), replaceAfterMs).unref();
    });
  }

  return {
    spawner: (onSpawn, furnish) => (options) => {
      const mark = randomUUID();
      const temporaryDir = makeTemporaryDir(options.env[temporaryDirName] || tmpdir());
      furnish?.(temporaryDir);
      const child = spawnOrTidy(options, { mark, temporaryDir });
      const owned = own(child, { mark, temporaryDir });
      living.add(owned);
      if (owned.pid !== undefined) tellWatchdog(toWatch(owned));
      // One that ends by itself may leave tools too.
      void owned.exited
        .then(() => owned.end())
        .then(() => {
          living.delete(owned);
          if (owned.pid !== undefined) tellWatchdog(`-${mark}\n`);
        });
      onSpawn(owned);
      return child;
    },
    get count() {
      return living.size;
    },
    async memory() {
      const each = await Promise.all([...living].map(({ pid }) => memoryOf(pid)));
      return each.reduce((sum, bytes) => sum + bytes, 0);
    },
    async close() {
      // Once more for what was started meanwhile.
      while (living.size > 0) await Promise.all([...living].map((owned) => owned.end()));
      watchdog?.stdin?.end();
      watchdog = undefined;
    },
  };
}

/** @throws what `spawn` throws at once: too long an environment, no file descriptor left. */
function spawnOrTidy(options: SpawnOptions, { mark, temporaryDir }: Traces) {
  try {
    return spawn(options.command, options.args, {
      cwd: options.cwd,
      env: { ...options.env, [markName]: mark, [temporaryDirName]: temporaryDir },
      stdio: ["pipe", "pipe", "pipe"],
      // A process group of its own: a Ctrl-C at the terminal reaches the server alone, which then ends it in order.
      detached: true,
      windowsHide: true,
    });
  } catch (error) {
    rmSync(temporaryDir, { recursive: true, force: true });
    throw error;
  }
}

function makeTemporaryDir(parent: string): string {
  mkdirSync(parent, { recursive: true });
  return mkdtempSync(join(parent, "ccapi-"));
}

/** @see watchdog.ts */
function toWatch({ pid = 0, mark, temporaryDir }: OwnedProcess): string {
  return `+${mark} ${pid} ${temporaryDir}\n`;
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
