// A small process beside the server that ends Claude processes, and their tools, when the server was killed.
// It knows process numbers only. Its standard input is a pipe that the server holds: the end of that pipe is the sign.
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { descendants, identify, type ProcessId, signalAll } from "./process-tree.ts";

/** How long a Claude process may take to end its tools and itself before it is killed. */
const graceMs = 1_500;

const watched = new Map<number, Promise<ProcessId | undefined>>();

// A signal to the whole process group (Ctrl-C) is for the server, which ends its children in good order.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);

for await (const line of createInterface({ input: process.stdin })) {
  const pid = Number(line.slice(1));
  if (line.startsWith("+")) watched.set(pid, identify(pid));
  else if (line.startsWith("-")) watched.delete(pid);
}

const left = (await Promise.all(watched.values())).filter((entry) => entry !== undefined);
if (left.length > 0) {
  const pids = left.map((entry) => entry.pid);
  // Looked up before Claude ends: afterwards its tools belong to nobody.
  const tools = await descendants(pids);
  await signalAll(left, "SIGTERM");
  await sleep(graceMs);
  const late = await descendants(pids);
  await signalAll([...tools, ...late, ...left], "SIGKILL");
}
