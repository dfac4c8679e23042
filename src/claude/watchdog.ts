// A small process beside the server that ends Claude processes, and their tools, when the server was killed.
// It knows process numbers and marks only. Its standard input is a pipe that the server holds: the end of that pipe is
// the sign. Lines: `+<pid> <mark>` to watch a process, `-<pid>` to forget it.
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { descendants, identify, type ProcessId, signalAll } from "./process-tree.ts";

/** How long a Claude process may take to end its tools and itself before it is killed. */
const graceMs = 1_500;

interface Watched {
  readonly mark: string;
  /** Looked up at once: later the number may be another process's. */
  readonly identity: Promise<ProcessId | undefined>;
}

const watched = new Map<number, Watched>();

// A signal to the whole process group (Ctrl-C) is for the server, which ends its children in good order.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);

for await (const line of createInterface({ input: process.stdin })) {
  const [number = "", mark = ""] = line.slice(1).split(" ");
  const pid = Number(number);
  if (line.startsWith("+")) watched.set(pid, { mark, identity: identify(pid).catch(() => undefined) });
  else if (line.startsWith("-")) watched.delete(pid);
}

const left = (await Promise.all([...watched.values()].map(({ identity }) => identity))).filter(
  (entry) => entry !== undefined,
);
const marks = [...watched.values()].map(({ mark }) => mark).filter(Boolean);
if (watched.size > 0) {
  const pids = left.map((entry) => entry.pid);
  // Looked up before Claude ends: afterwards its tools belong to nobody.
  const tools = await descendants(pids, marks);
  await signalAll(left, "SIGTERM");
  await sleep(graceMs);
  const late = await descendants(pids, marks);
  await signalAll([...tools, ...late, ...left], "SIGKILL");
}
