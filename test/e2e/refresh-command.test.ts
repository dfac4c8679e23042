// The operator's refresh command as a real process: no shell, no output kept, nothing left running.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commandStrategy } from "../../src/auth/strategies/command.ts";
import { plainContext, strategyContract } from "../auth/strategy-contract.ts";

const secret = "made-up-secret-0001";
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ccapi-command-"));
  await writeFile(join(folder, "no-program"), "text", { mode: 0o644 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const node = (program: string, ...rest: string[]) =>
  commandStrategy({
    command: [process.execPath, "-e", program, ...rest],
    environment: { PATH: "/usr/bin:/bin" },
    graceMs: 300,
  });

strategyContract("command", {
  works: async () => ({ strategy: node(`console.log("${secret}")`), secret }),
  fails: async () => ({ strategy: node(`console.error("${secret}"); process.exit(3)`), secret }),
  hangs: async () => ({ strategy: node("setInterval(() => {}, 1000)") }),
});

/** Whether a process lives. */
function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("the refresh command", () => {
  it.each([
    ["ends well", () => node(""), { outcome: "changed" }],
    ["ends with another exit code", () => node("process.exit(7)"), { outcome: "failed", reason: "exit code 7" }],
    [
      "is killed",
      () => node('process.kill(process.pid, "SIGKILL")'),
      { outcome: "failed", reason: "ended by SIGKILL" },
    ],
    [
      "is not there",
      () => commandStrategy({ command: ["/nowhere/renew"], environment: {} }),
      { outcome: "failed", reason: "not found: there is no such program" },
    ],
    [
      "is no program",
      () => commandStrategy({ command: [join(folder, "no-program")], environment: {} }),
      { outcome: "failed", reason: "not allowed: the program is not executable" },
    ],
  ])("that %s is told apart (A4)", async (_how, make, result) => {
    await expect(make().run(plainContext())).resolves.toMatchObject(result);
  });

  it("is ended at its time limit with all that it started, also where it ignores SIGTERM (A4)", async () => {
    const file = join(folder, "pids");
    const program = `
      process.on("SIGTERM", () => {});
      const child = require("node:child_process").spawn(process.execPath, ["-e", "process.on('SIGTERM',()=>{});setInterval(()=>{},1000)"], { stdio: "inherit" });
      require("node:fs").writeFileSync(process.argv[1], process.pid + " " + child.pid);
      setInterval(() => {}, 1000);`;
    const abort = new AbortController();
    const ended = node(program, file).run(plainContext({ signal: abort.signal }));
    const pids = await expect
      .poll(() => readFile(file, "utf8").catch(() => ""), { timeout: 10_000 })
      .toMatch(/^\d+ \d+$/)
      .then(() => readFile(file, "utf8"));
    abort.abort(new Error("its time is up"));
    await expect(ended).resolves.toEqual({ outcome: "failed", reason: "time-out: the command was ended" });
    for (const pid of pids.split(" ").map(Number)) await expect.poll(() => lives(pid), { timeout: 5_000 }).toBe(false);
  });

  it("leaves nothing running that it started in the background (A4)", async () => {
    const file = join(folder, "background");
    const program = `
      const child = require("node:child_process").spawn(process.execPath, ["-e", "setInterval(()=>{},1000)"], { stdio: "ignore" });
      child.unref();
      require("node:fs").writeFileSync(process.argv[1], String(child.pid));`;
    await expect(node(program, file).run(plainContext())).resolves.toMatchObject({ outcome: "changed" });
    const pid = Number(await readFile(file, "utf8"));
    await expect.poll(() => lives(pid), { timeout: 5_000 }).toBe(false);
  });

  it("that floods its output is ended (C4)", async () => {
    const result = await node('const line = "x".repeat(65536); for (;;) require("node:fs").writeSync(1, line)').run(
      plainContext(),
    );
    expect(result).toEqual({ outcome: "failed", reason: "the command printed more than 1 MB and was ended" });
  });

  it("is read by no shell, and gets the environment that it is given and no more (C2)", async () => {
    const file = join(folder, "seen");
    const program =
      'require("node:fs").writeFileSync(process.argv[1], JSON.stringify([process.argv[2], Object.keys(process.env)]))';
    await node(program, file, "$(touch /tmp/never) && `x`").run(plainContext());
    expect(JSON.parse(await readFile(file, "utf8"))).toEqual(["$(touch /tmp/never) && `x`", ["PATH"]]);
  });

  it("must be named", () => {
    expect(() => commandStrategy({ command: [""], environment: {} })).toThrow(TypeError);
  });
});
