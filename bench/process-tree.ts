// What processes cost, as Linux tells it: memory, processor time, open files. Looks on, and ends nothing.
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { descendants } from "../src/claude/process-tree.ts";

/** Milliseconds of a clock tick of `/proc/<pid>/stat`: USER_HZ is 100 on every platform that Node runs on (time(7)). */
const tickMs = 10;

/** A process and all that it started, by their numbers. */
export async function treeOf(pid: number): Promise<number[]> {
  return [pid, ...(await descendants([pid])).map((each) => each.pid)];
}

/** Proportional memory of these processes together, bytes: what is shared counts by its share. */
export async function memoryOf(pids: readonly number[]): Promise<number> {
  const parts = await Promise.all(pids.map((pid) => kilobytes(`/proc/${pid}/smaps_rollup`, "Pss")));
  return parts.reduce((sum, part) => sum + part, 0) * 1_024;
}

/** Resident memory of one process, bytes. */
export async function residentOf(pid: number): Promise<number> {
  return (await kilobytes(`/proc/${pid}/status`, "VmRSS")) * 1_024;
}

/** Open files, sockets and pipes of one process; 0 where it is gone. */
export async function openFilesOf(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`).catch(() => [])).length;
}

/** Whether a process is the Claude CLI that the Agent SDK brings. */
export async function isClaude(pid: number): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return (command.split("\0")[0] ?? "").includes("claude-agent-sdk");
}

/** Processor time, milliseconds: the process's own, and that of its children that have ended and been waited for. */
export async function processorTimeOf(pid: number): Promise<{ readonly ownMs: number; readonly endedMs: number }> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // Fields 14 to 17 of proc(5), counted behind the name, which may hold blanks.
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 15)
    .map(Number);
  return { ownMs: (user + system) * tickMs, endedMs: (childUser + childSystem) * tickMs };
}

/** Waits until a tree of processes has nothing to do: what one request left to be done is not measured with the next. Gives up silently. */
export async function atRest(pid: number, limitMs = 4_000): Promise<void> {
  const endAt = performance.now() + limitMs;
  for (let before = -1; performance.now() < endAt;) {
    const times = await Promise.all((await treeOf(pid)).map((each) => processorTimeOf(each)));
    const now = times.reduce((sum, { ownMs, endedMs }) => sum + ownMs + endedMs, 0);
    // Where a process ended unseen the sum falls: not at rest either.
    if (before >= 0 && now - before >= 0 && now - before <= tickMs) return;
    before = now;
    await sleep(120);
  }
}

/** Takes the memory of what `pids` names, again and again, until it is stopped. */
export function watchMemory(pids: () => Promise<readonly number[]>, everyMs = 200): { stop(): Promise<number> } {
  let peak = 0;
  let isOver = false;
  const look = async () => {
    peak = Math.max(peak, await memoryOf(await pids()));
  };
  const watching = (async () => {
    while (!isOver) {
      await look();
      await sleep(everyMs);
    }
  })();
  return {
    async stop() {
      await look();
      isOver = true;
      await watching;
      return peak;
    },
  };
}

async function kilobytes(path: string, field: string): Promise<number> {
  const text = await readFile(path, "utf8").catch(() => ""); // Ended meanwhile.
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0);
}
