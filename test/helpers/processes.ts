// Small real processes for tests of what owns and ends processes, and a sure end for each of them.
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A process that stays until it is ended, and a way to let it start others in sessions of their own. */
export const idle = "setInterval(() => {}, 1000);";

/** Code that starts a process in a session of its own, as Claude does with its tools, and prints its pid. */
export function startsTool(code = idle): string {
  return `
    const tool = require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(code)}],
      { detached: true, stdio: "ignore" });
    console.log(tool.pid);`;
}

/** Starts node with this code; kills it when the returned stack is disposed of. */
export function startNode(code: string, env: NodeJS.ProcessEnv = {}): ChildProcess & Disposable {
  const child = spawn(process.execPath, ["-e", code], { stdio: ["pipe", "pipe", "ignore"], env });
  return Object.assign(child, { [Symbol.dispose]: () => void child.kill("SIGKILL") });
}

/** The first line that a process prints, as a number. */
export async function printedPid(child: Pick<ChildProcess, "stdout">): Promise<number> {
  let text = "";
  for await (const piece of child.stdout ?? []) {
    text += String(piece);
    if (text.includes("\n")) break;
  }
  return Number(text.split("\n")[0]);
}

/** Whether a process lives. One that ended and that nobody waited for counts as gone. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (process.platform !== "linux") return true;
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** Waits until a process is gone. @throws Error where it lives on for longer than `limitMs`. */
export async function gone(pid: number, limitMs = 5_000): Promise<void> {
  const startedAt = performance.now();
  while (isAlive(pid)) {
    if (performance.now() - startedAt > limitMs) {
      process.kill(pid, "SIGKILL");
      throw new Error(`Process ${pid} lived on for ${limitMs} ms.`);
    }
    await sleep(10);
  }
}
