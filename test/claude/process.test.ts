import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createProcessOwner, type OwnedProcess, type ProcessOwner } from "../../src/claude/process.ts";
import { gone, idle, isAlive, printedPid, startsTool } from "../helpers/processes.ts";

const owners: ProcessOwner[] = [];
afterEach(async () => {
  await Promise.all(owners.splice(0).map((owner) => owner.close()));
});

function createOwner(): ProcessOwner {
  const owner = createProcessOwner();
  owners.push(owner);
  return owner;
}

interface Start {
  readonly command?: string;
  readonly env?: Record<string, string>;
}

function start(owner: ProcessOwner, code: string, { command = process.execPath, env = { A: "1" } }: Start = {}) {
  let owned: OwnedProcess | undefined;
  const child = owner.spawner((spawned) => {
    owned = spawned;
  })({ command, args: ["-e", code], cwd: process.cwd(), env, signal: new AbortController().signal });
  if (owned === undefined) throw new Error("The owner has not handed over the process.");
  return { child, owned, pid: owned.pid ?? 0 };
}

describe("ending a process", () => {
  it("is gone with its tools when end() resolves, though both are deaf to SIGTERM (C4)", async () => {
    const deafTool = `process.on("SIGTERM", () => {}); ${idle}`;
    const { child, owned, pid } = start(
      createOwner(),
      `process.on("SIGTERM", () => {}); ${startsTool(deafTool)} ${idle}`,
    );
    const tool = await printedPid(child);
    await owned.end();
    expect([isAlive(pid), isAlive(tool)]).toEqual([false, false]);
    expect(owned.exitReason()).toBe("SIGKILL");
  });

  it("asks first: a process that ends on SIGTERM is not killed (C4)", async () => {
    const { child, owned } = start(
      createOwner(),
      `process.on("SIGTERM", () => process.exit(7)); console.log(1); ${idle}`,
    );
    await printedPid(child);
    await owned.end();
    expect(owned.exitReason()).toBe("code 7");
  });

  it("lets a process whose input was closed end by itself within its grace (C4)", async () => {
    const { child, owned } = start(
      createOwner(),
      `process.on("SIGTERM", () => process.exit(7)); process.stdin.on("end", () => setTimeout(() => process.exit(0), 500)).resume();`,
    );
    child.stdin.end();
    await owned.end({ closeFirstMs: 5_000 });
    expect(owned.exitReason()).toBe("code 0");
  });

  it.runIf(process.platform === "linux")(
    "ends what its Claude left running when it ended by itself, though nobody asks for it (C4)",
    async () => {
      const { child, owned } = start(createOwner(), `${startsTool()} tool.unref(); process.exit(3);`);
      const tool = await printedPid(child);
      await owned.exited;
      await gone(tool, 500);
      expect(isAlive(tool)).toBe(false);
    },
  );

  it("shares one end among all who ask for it (C4)", async () => {
    const { owned } = start(createOwner(), idle);
    expect(owned.end()).toBe(owned.end({ closeFirstMs: 10_000 }));
    await owned.end();
  });

  it("resolves for a program that could not be started, and says why it was not (C4)", async () => {
    const owner = createOwner();
    const { child, owned } = start(owner, "", { command: "/nowhere/claude" });
    child.on("error", () => undefined);
    await owned.end();
    expect(owned.exitReason()).toContain("ENOENT");
    await owner.close();
    expect(owner.count).toBe(0);
  });
});

describe("what a process said before it died", () => {
  it("keeps no more than the last 4,096 characters of stderr (C4)", async () => {
    const { owned } = start(createOwner(), `process.stderr.write("a".repeat(100_000) + "the end"); `);
    await owned.exited;
    await expect.poll(() => owned.stderrTail().endsWith("the end")).toBe(true);
    expect(owned.stderrTail()).toHaveLength(4_096);
  });

  it("keeps stderr and the environment out of the exit reason and out of what serialises (C2)", async () => {
    const { owned } = start(createOwner(), `process.stderr.write("sk-ant-marked"); process.exitCode = 2;`);
    await owned.exited;
    await expect.poll(() => owned.stderrTail()).toBe("sk-ant-marked");
    expect(owned.exitReason()).toBe("code 2");
    expect(JSON.stringify(owned)).not.toContain("marked");
  });
});

describe("the owner", () => {
  it("gives a process its environment, a mark and a folder for temporary files of its own, and no more (C2)", async () => {
    const { child, owned } = start(createOwner(), `console.log(JSON.stringify(process.env)); ${idle}`);
    const [data] = (await once(child.stdout, "data")) as [Buffer];
    expect(JSON.parse(String(data))).toEqual({
      A: "1",
      CLAUDE_RUN_MARK: owned.mark,
      CLAUDE_CODE_TMPDIR: owned.temporaryDir,
    });
  });

  it("makes the folder for temporary files where the operator wants it, and removes it with the process (B3)", async () => {
    const parent = join(mkdtempSync(join(tmpdir(), "ccapi-process-")), "new");
    const { child, owned } = start(
      createOwner(),
      `require("node:fs").writeFileSync(process.env.CLAUDE_CODE_TMPDIR + "/words", "x"); console.log(1); ${idle}`,
      { env: { CLAUDE_CODE_TMPDIR: parent } },
    );
    await printedPid(child);
    expect(readdirSync(owned.temporaryDir)).toEqual(["words"]);
    expect(dirname(owned.temporaryDir)).toBe(parent);
    expect(statSync(owned.temporaryDir).mode & 0o777).toBe(0o700);
    await owned.end();
    expect(readdirSync(parent)).toEqual([]);
    rmSync(dirname(parent), { recursive: true });
  });

  it("counts the living, and close() ends them all (C4)", async () => {
    const owner = createOwner();
    const all = [start(owner, idle), start(owner, idle)];
    expect(owner.count).toBe(2);
    await owner.close();
    expect(owner.count).toBe(0);
    expect(all.map(({ pid }) => isAlive(pid))).toEqual([false, false]);
  });

  it("close() also ends what starts while it closes (C4)", async () => {
    const owner = createOwner();
    start(owner, idle);
    const closed = owner.close();
    const { pid } = start(owner, idle);
    await closed;
    expect(isAlive(pid)).toBe(false);
  });

  it("puts each process into a group of its own, which a Ctrl-C for the server does not reach (C4)", async () => {
    const { pid } = start(createOwner(), idle);
    expect(() => process.kill(-pid, 0)).not.toThrow();
  });

  it("is outlived by nothing when it is killed: its process and the tool end within 5 s (C4)", async () => {
    const { server, pids } = await startOwningServer("");
    const startedAt = performance.now();
    server.kill("SIGKILL");
    await Promise.all(pids.map((pid) => gone(pid)));
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it.runIf(process.platform === "linux")(
    "starts another watchdog where the first one died, and tells it of those that live (C4)",
    async () => {
      const { server, pids } = await startOwningServer(`
      for (const { pid } of await descendants([process.pid])) {
        if (!readFileSync("/proc/" + pid + "/cmdline", "utf8").includes("watchdog")) continue;
        process.kill(pid, "SIGKILL");
        while (existsSync("/proc/" + pid)) await new Promise((resolve) => setTimeout(resolve, 10));
      }
      await start(); `);
      expect(pids).toHaveLength(4);
      server.kill("SIGKILL");
      await Promise.all(pids.map((pid) => gone(pid)));
      expect(pids.some(isAlive)).toBe(false);
    },
  );
});

/** A process that owns a deaf "Claude" with a tool, as the server does. Runs `more` before it tells their pids. */
async function startOwningServer(more: string) {
  const module = (name: string) => JSON.stringify(new URL(`../../src/claude/${name}.ts`, import.meta.url).href);
  const claude = `process.on("SIGTERM", () => {}); ${startsTool()} ${idle}`;
  const server = spawn(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      `import { existsSync, readFileSync } from "node:fs";
       import { createProcessOwner } from ${module("process")};
       import { descendants } from ${module("process-tree")};
       const owner = createProcessOwner();
       const pids = [];
       async function start() {
         const child = owner.spawner(() => {})({ command: process.execPath, args: ["-e", ${JSON.stringify(claude)}],
           cwd: process.cwd(), env: {}, signal: new AbortController().signal });
         const tool = await new Promise((resolve) => child.stdout.once("data", resolve));
         pids.push(child.pid, Number(tool));
       }
       await start();
       ${more}
       console.log(pids.join(" ")); ${idle}`,
    ],
    { stdio: ["ignore", "pipe", "inherit"], env: {} },
  );
  const [data] = (await once(server.stdout, "data")) as [Buffer];
  const pids = String(data).trim().split(" ").map(Number);
  expect(pids.every(isAlive)).toBe(true);
  return { server, pids };
}
