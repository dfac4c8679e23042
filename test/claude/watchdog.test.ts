import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { markName } from "../../src/claude/process-tree.ts";
import { gone, idle, isAlive, printedPid, startNode, startsTool } from "../helpers/processes.ts";

const script = fileURLToPath(new URL("../../src/claude/watchdog.ts", import.meta.url));
const leftovers: number[] = [];
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "ccapi-with blank-"));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
  for (const pid of leftovers.splice(0)) if (isAlive(pid)) process.kill(pid, "SIGKILL");
});

function startWatchdog(): ChildProcess {
  const child = spawn(process.execPath, [script], { env: {}, stdio: ["pipe", "ignore", "inherit"] });
  leftovers.push(child.pid ?? 0);
  return child;
}

/** Like a Claude process with a tool that nothing but its own signal reaches. Deaf to SIGTERM, unless told otherwise. */
async function startStubborn(env: NodeJS.ProcessEnv = {}, isDeaf = true) {
  const child = startNode(`${isDeaf ? 'process.on("SIGTERM", () => {});' : ""} ${startsTool()} ${idle}`, env);
  const tool = await printedPid(child);
  const pid = child.pid ?? 0;
  leftovers.push(pid, tool);
  return { pid, tool };
}

describe("the watchdog", () => {
  it("ends a watched process and its tool within 5 s of the pipe's end, also where they are deaf, and its temporary files (C4)", async () => {
    const watchdog = startWatchdog();
    const { pid, tool } = await startStubborn();
    watchdog.stdin?.end(`+mark-of-nobody ${pid} ${dir}\n`);
    const startedAt = performance.now();
    await gone(pid);
    await gone(tool);
    await once(watchdog, "exit");
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(existsSync(dir)).toBe(false);
  });

  it("ends the tool also where its process ends at the first signal, and leads to it no more (C4)", async () => {
    const watchdog = startWatchdog();
    const { pid, tool } = await startStubborn({}, false);
    watchdog.stdin?.end(`+mark-of-nobody ${pid} ${dir}\n`);
    await gone(pid);
    await gone(tool);
    expect([isAlive(pid), isAlive(tool)]).toEqual([false, false]);
  });

  it("leaves alone what was taken off its list, and ends at once where nothing is left (C4)", async () => {
    const watchdog = startWatchdog();
    const { pid, tool } = await startStubborn();
    watchdog.stdin?.end(`+mark-of-nobody ${pid} ${dir}\n-mark-of-nobody\n`);
    await once(watchdog, "exit");
    expect([isAlive(pid), isAlive(tool), existsSync(dir)]).toEqual([true, true, true]);
  });

  it("outlives the signals that a terminal sends to the whole group (C4)", async () => {
    const watchdog = startWatchdog();
    const { pid } = await startStubborn();
    watchdog.stdin?.write(`+mark-of-nobody ${pid} ${dir}\n`);
    await sleep(500); // Until it listens: a signal before that ends any process.
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) watchdog.kill(signal);
    watchdog.stdin?.end();
    await gone(pid);
    expect(isAlive(pid)).toBe(false);
  });

  it.runIf(process.platform === "linux")("ends a tool whose Claude is gone already, by its mark (C4)", async () => {
    const watchdog = startWatchdog();
    const { pid, tool } = await startStubborn({ [markName]: "mark-of-the-watchdog-test" });
    watchdog.stdin?.write(`+mark-of-the-watchdog-test ${pid} ${dir}\n`);
    process.kill(pid, "SIGKILL");
    await gone(pid);
    watchdog.stdin?.end();
    await gone(tool);
    expect(isAlive(tool)).toBe(false);
  });
});
