// Names for server processes that are never given twice, so that one can tell whether another's leftovers are an ended one's.
import { identify } from "../claude/process-tree.ts";

/** A process's number and when it started: the number alone is given to another sooner or later. */
export async function nameProcess(pid: number): Promise<string> {
  return `${pid}-${(await identify(pid))?.startedAt.replaceAll(/\W/g, "_") ?? "unknown"}`;
}

/** Whether the process of this name still runs. */
export async function isRunning(name: string): Promise<boolean> {
  return name === (await nameProcess(Number(name.split("-")[0])));
}
