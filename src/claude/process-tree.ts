// Finds what a Claude process has started, so that it can be ended with it.
// Claude's tools run in sessions and process groups of their own: a signal to Claude's group does not reach them.
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

/** One process, told from a later one of the same number by when it started. */
export interface ProcessId {
  readonly pid: number;
  /** Opaque; equal for the same process only. */
  readonly startedAt: string;
}

interface ProcessEntry extends ProcessId {
  readonly parentPid: number;
}

/**
 * The environment variable by which a process is known as a descendant when its parents are gone: a command put into
 * the background, or a tool whose Claude was killed, belongs to nobody any more. Its value is one Claude process's own.
 */
export const markName = "CLAUDE_RUN_MARK";

/** The process behind `pid` as it is now, or `undefined` where there is none. Zombies count as gone. */
export async function identify(pid: number): Promise<ProcessId | undefined> {
  const entry =
    process.platform === "linux" ? await readEntry(pid) : (await listFromPs()).find((one) => one.pid === pid);
  return entry && { pid: entry.pid, startedAt: entry.startedAt };
}

/**
 * All living descendants of the given processes, children before grandchildren; the roots themselves left out.
 *
 * @param marks values of {@link markName}: processes that have one count as descendants (Linux only).
 */
export async function descendants(rootPids: readonly number[], marks: readonly string[] = []): Promise<ProcessId[]> {
  const all = await listProcesses();
  const byParent = Map.groupBy(all, (entry) => entry.parentPid);
  const found: ProcessId[] = [];
  const seen = new Set(rootPids);
  const queue = [...rootPids];
  for (const { pid, startedAt } of await withMark(all, marks)) {
    if (seen.has(pid)) continue;
    seen.add(pid);
    found.push({ pid, startedAt });
    queue.push(pid);
  }
  for (let parent = queue.shift(); parent !== undefined; parent = queue.shift()) {
    for (const { pid, startedAt } of byParent.get(parent) ?? []) {
      if (seen.has(pid)) continue;
      seen.add(pid);
      found.push({ pid, startedAt });
      queue.push(pid);
    }
  }
  return found;
}

/** Kills these processes and waits until they are gone: a signal takes its time. One that hangs in the kernel is left after 1 s. */
export async function killAll(processes: readonly ProcessId[]): Promise<void> {
  await signalAll(processes, "SIGKILL");
  let left = processes;
  for (let waitedMs = 0; left.length > 0 && waitedMs < 1_000; waitedMs += 10) {
    const now = await Promise.all(left.map(({ pid }) => identify(pid)));
    left = left.filter(({ startedAt }, index) => now[index]?.startedAt === startedAt);
    if (left.length > 0) await sleep(10);
  }
}

/** Sends a signal to each of these processes that still is the same one. */
export async function signalAll(processes: readonly ProcessId[], signal: NodeJS.Signals): Promise<void> {
  if (processes.length === 0) return;
  const living = new Map((await listProcesses()).map((entry) => [entry.pid, entry.startedAt]));
  for (const { pid, startedAt } of processes) {
    if (living.get(pid) !== startedAt) continue;
    try {
      process.kill(pid, signal);
    } catch {
      // It ended between the look and the signal: that is what was wanted.
    }
  }
}

async function listProcesses(): Promise<ProcessEntry[]> {
  return process.platform === "linux" ? listFromProc() : listFromPs();
}

async function listFromProc(): Promise<ProcessEntry[]> {
  const names = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const entries = await Promise.all(names.map((name) => readEntry(Number(name))));
  return entries.filter((entry) => entry !== undefined);
}

async function readEntry(pid: number): Promise<ProcessEntry | undefined> {
  try {
    return parseStat(pid, await readFile(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return undefined; // Ended while we looked.
  }
}

async function withMark(all: readonly ProcessEntry[], marks: readonly string[]): Promise<ProcessEntry[]> {
  if (marks.length === 0 || process.platform !== "linux") return [];
  const wanted = marks.map((mark) => `${markName}=${mark}`);
  const hasMark = await Promise.all(
    all.map(async ({ pid }) => {
      try {
        const variables = (await readFile(`/proc/${pid}/environ`, "utf8")).split("\0");
        return wanted.some((variable) => variables.includes(variable));
      } catch {
        return false; // Somebody else's, or gone.
      }
    }),
  );
  return all.filter((_entry, index) => hasMark[index]);
}

/** @see proc(5), `/proc/[pid]/stat`: the command stands in brackets and may hold blanks and brackets itself. */
function parseStat(pid: number, stat: string): ProcessEntry | undefined {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, parentPid] = fields;
  const startedAt = fields[19];
  if (state === "Z" || parentPid === undefined || startedAt === undefined) return undefined;
  return { pid, parentPid: Number(parentPid), startedAt };
}

async function listFromPs(): Promise<ProcessEntry[]> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pid=,ppid=,stat=,lstart="]);
  return stdout.split("\n").flatMap((line) => {
    const [pid, parentPid, state, ...started] = line.trim().split(/\s+/);
    if (!pid || !parentPid || !state || state.startsWith("Z")) return [];
    return [{ pid: Number(pid), parentPid: Number(parentPid), startedAt: started.join(" ") }];
  });
}
