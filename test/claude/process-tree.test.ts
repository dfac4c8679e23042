import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { descendants, identify, killAll, markName, signalAll } from "../../src/claude/process-tree.ts";
import { gone, idle, isAlive, printedPid, startNode, startsTool } from "../helpers/processes.ts";

const pidsOf = async (...args: Parameters<typeof descendants>) => (await descendants(...args)).map(({ pid }) => pid);

describe("finding what a process has started", () => {
  it("finds a tool in a session of its own, and the tool's own child, nearest first (C4)", async () => {
    const nested = `${startsTool()} tool.unref(); ${idle}`;
    using root = startNode(`
      const tool = require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(nested)}],
        { detached: true, stdio: ["ignore", "pipe", "ignore"] });
      tool.stdout.on("data", (pid) => console.log(tool.pid + " " + pid)); ${idle}`);
    let line = "";
    for await (const piece of root.stdout ?? []) {
      line += String(piece);
      if (line.includes("\n")) break;
    }
    const [tool = 0, grandchild = 0] = line.trim().split(" ").map(Number);
    try {
      expect(await pidsOf([root.pid ?? 0])).toEqual([tool, grandchild]);
    } finally {
      process.kill(grandchild, "SIGKILL");
      process.kill(tool, "SIGKILL");
    }
  });

  it("leaves the roots out, also where one root is another's child (C4)", async () => {
    using root = startNode(`${startsTool()} ${idle}`);
    const tool = await printedPid(root);
    expect(await pidsOf([root.pid ?? 0, tool])).toEqual([]);
    process.kill(tool, "SIGKILL");
  });

  it.runIf(process.platform === "linux")(
    "finds by its mark a tool whose parents are gone, and nothing with another mark (C4)",
    async () => {
      using root = startNode(`${startsTool()} process.exit();`, { [markName]: "mark-1" });
      const orphan = await printedPid(root);
      await gone(root.pid ?? 0);
      try {
        expect(await pidsOf([root.pid ?? 0])).toEqual([]);
        expect(await pidsOf([], ["mark"])).toEqual([]);
        expect(await pidsOf([], ["mark-0", "mark-1"])).toEqual([orphan]);
      } finally {
        process.kill(orphan, "SIGKILL");
      }
    },
  );
});

describe("killing", () => {
  it("is over when all are gone, and at once where they are gone already (C4)", async () => {
    using one = startNode(idle);
    using two = startNode(idle);
    const pids = [one.pid ?? 0, two.pid ?? 0];
    const identities = (await Promise.all(pids.map(identify))).filter((identity) => identity !== undefined);
    await killAll(identities);
    expect(pids.map(isAlive)).toEqual([false, false]);
    await killAll(identities);
  });
});

describe("telling one process from a later one of the same number", () => {
  it("identifies a process the same way each time, and two processes differently (C4)", async () => {
    using one = startNode(idle);
    const first = await identify(one.pid ?? 0);
    expect(first).toMatchObject({ pid: one.pid });
    expect(await identify(one.pid ?? 0)).toEqual(first);
    expect((await identify(process.pid))?.startedAt).not.toBe(first?.startedAt);
  });

  it("knows no process that has ended, nor one that nobody has waited for (C4)", async () => {
    using child = startNode("");
    await once(child, "exit");
    expect(await identify(child.pid ?? 0)).toBeUndefined();
    // The child of a parent that is stopped stays a zombie.
    using parent = startNode(`
      const child = require("node:child_process").spawn(process.execPath, ["-e", ""]);
      console.log(child.pid); process.kill(process.pid, "SIGSTOP");`);
    const zombie = await printedPid(parent);
    await gone(zombie);
    expect(await identify(zombie)).toBeUndefined();
  });

  it("signals only the process that was meant, never a later one of its number (C4)", async () => {
    using child = startNode("process.stdin.pipe(process.stdout);");
    const identity = await identify(child.pid ?? 0);
    if (identity === undefined) throw new Error("The process is not there.");
    await signalAll([{ ...identity, startedAt: "1" }], "SIGKILL");
    // Only one that lives answers; one that was killed may look alive for a moment.
    child.stdin?.write("42\n");
    expect(await printedPid(child)).toBe(42);
    await signalAll([identity], "SIGKILL");
    await gone(identity.pid);
    await expect(signalAll([identity], "SIGKILL")).resolves.toBeUndefined();
  });
});
