// A small process beside the server that ends Claude processes, and their tools, when the server was killed.
// Its standard input is a pipe that the server holds: the end of that pipe is the sign. Lines:
// `+<mark> <pid> <folder>` to watch a process that has this mark and temporary folder, `-<mark>` to forget it.
import { rm } from "node:fs/promises";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { descendants, identify, killAll, type ProcessId, signalAll } from "./process-tree.ts";

/** How long a Claude process may take to end its tools and itself before it is killed. */
const graceMs = 1_500;

interface Watched {
  readonly temporaryDir: string;
  /** Looked up at once: later the number may be another process's. */
  readonly identity: Promise<ProcessId | undefined>;
}

const watched = new Map<string, Watched>();

// A signal to the whole process group (Ctrl-C) is for the server, which ends its children in good order.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);

for await (const line of createInterface({ input: process.stdin })) {
  const [, sign, mark = "", pid, temporaryDir = ""] = /^([+-])(\S+)(?: (\d+) (.+))?$/.exec(line) ?? [];
  if (sign === "+") watched.set(mark, { temporaryDir, identity: identify(Number(pid)).catch(() => undefined) });
  else watched.delete(mark);
}

if (watched.size > 0) {
  const marks = [...watched.keys()];
  const identities = await Promise.all([...watched.values()].map(({ identity }) => identity));
  const left = identities.filter((identity) => identity !== undefined);
  const pids = left.map(({ pid }) => pid);
  // Looked up before Claude ends: afterwards its tools belong to nobody.
  const tools = await descendants(pids, marks);
  await signalAll(left, "SIGTERM");
  await sleep(graceMs);
  const late = await descendants(pids, marks);
  await killAll([...tools, ...late, ...left]);
  for (const { temporaryDir } of watched.values()) {
    await rm(temporaryDir, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined); // Nobody to tell.
  }
}
