// Finds what a Claude process has started, so that it can be ended with it.
// Claude's tools run in sessions and process groups of their own: a signal to Claude's group does not reach them.
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
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

/** The process behind `pid` as it is now, or `undefined` where there is none. Zombies count as gone. */
export async function identify(pid: number): Promise<ProcessId | undefined> {
  const entry = (await listProcesses()).find((candidate) => candidate.pid === pid);
  return entry && { pid: entry.pid, startedAt: entry.startedAt };
}

/** All living descendants of the given processes, children before grandchildren; the roots themselves left out. */
export async function descendants(rootPids: readonly number[]): Promise<ProcessId[]> {
  const byParent = Map.groupBy(await listProcesses(), (entry) => entry.parentPid);
  const found: ProcessId[] = [];
  const seen = new Set(rootPids);
  const queue = [...rootPids];
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

/** Sends a signal to each of these processes that still is the same one. */
export async function signalAll(
  processes: readonly ProcessId[],
  signal: NodeJS.Signals,
): Promise<void> {
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
  const entries = await Promise.all(
    names.map(async (name): Promise<ProcessEntry | undefined> => {
      try {
        return parseStat(Number(name), await readFile(`/proc/${name}/stat`, "utf8"));
      } catch {
        return undefined; // Ended while we looked.
      }
    }),
  );
  return entries.filter((entry) => entry !== undefined);
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
