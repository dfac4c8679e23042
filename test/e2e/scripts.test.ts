// The scripts' way of running programs: bounded, nothing left behind, a failure never taken for a success.
import { execFile } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { root, run } from "../../scripts/process.ts";

const folder = mkdtempSync(join(tmpdir(), "ccapi-scripts-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // In a container nobody may collect a child whose parent is gone: it stays as a zombie.
  const stat = `/proc/${pid}/stat`;
  return !existsSync(stat) || !readFileSync(stat, "utf8").includes(") Z ");
}

describe("run", () => {
  it("hands on the exit code and both streams", async () => {
    const shown: string[] = [];
    const ended = await run("sh", ["-c", "echo out; echo err >&2; exit 3"], {
      timeoutMs: 10_000,
      onOutput: (text) => shown.push(text),
    });
    expect(ended.code).toBe(3);
    expect(ended.output.split("\n").toSorted()).toEqual(["", "err", "out"]);
    expect(shown.join("")).toBe(ended.output);
  });

  it("gives a program nothing to read, so that none waits for an answer", async () => {
    expect(await run("cat", [], { timeoutMs: 10_000 })).toEqual({ code: 0, output: "" });
  });

  it("takes a program that is not there for a failed one", async () => {
    const { code, output } = await run("no-such-program", [], { timeoutMs: 10_000 });
    expect(code).toBe(1);
    expect(output).toContain("no-such-program");
  });

  it("ends a program that takes too long, with what it started", async () => {
    const { code, output } = await run("sh", ["-c", 'sleep 70 & echo "$!"; wait'], { timeoutMs: 500 });
    expect(code).toBe(1);
    expect(output).toContain("Not done after 0.5 s");
    const pid = Number(output.split("\n")[0]);
    expect(pid).toBeGreaterThan(1);
    await vi.waitFor(() => expect(isRunning(pid)).toBe(false), 10_000);
  });

  it("finds the repository's own Node first", async () => {
    const { output } = await run("node", ["--version"], { timeoutMs: 10_000 });
    expect(output).toMatch(/^v24\./);
  });
});

describe("the build", () => {
  it.each(["src", ".", "..", "scripts/made", "dist/../src"])(
    "refuses %s, which is or holds the checkout's own",
    async (target) => {
      const checkout = join(folder, "checkout");
      mkdirSync(join(checkout, "src"), { recursive: true });
      mkdirSync(join(checkout, "scripts"), { recursive: true });
      writeFileSync(join(checkout, "src", "kept.ts"), "");
      for (const name of ["build.ts", "process.ts"])
        copyFileSync(join(root, "scripts", name), join(checkout, "scripts", name));
      const script = join(checkout, "scripts", "build.ts");
      const { code, output } = await run(process.execPath, [script, target], { timeoutMs: 60_000 });
      expect(code).toBe(1);
      expect(output).toContain("build into dist");
      expect(existsSync(join(checkout, "src", "kept.ts"))).toBe(true);
    },
  );
});

describe("the closing line", () => {
  /** Runs made-up tests with the repository's reporter. */
  async function closingLineOf(text: string): Promise<string> {
    writeFileSync(join(folder, "made-up.test.ts"), `import { expect, it } from "vitest";\n${text}\n`);
    writeFileSync(
      join(folder, "vitest.config.ts"),
      `export default { test: { reporters: [${JSON.stringify(join(root, "test/helpers/closing-line.ts"))}] } };`,
    );
    const vitest = join(root, "node_modules/vitest/vitest.mjs");
    return new Promise((resolve) => {
      const args = [vitest, "run", "--root", folder, "--config", join(folder, "vitest.config.ts")];
      execFile(process.execPath, args, { cwd: root, timeout: 50_000 }, (_error, stdout) => resolve(stdout.trim()));
    });
  }

  it.each([
    [
      "1 passed, 1 failed, 1 skipped",
      'it("a", () => {}); it("b", () => expect(1).toBe(2)); it.runIf(false)("c", () => {});',
    ],
    ["0 passed, 1 failed, 0 skipped", 'throw new Error("This file can not be run.");'],
    ["1 passed, 1 failed, 0 skipped", 'it("a", () => void Promise.reject(new Error("Nobody waits for this.")));'],
  ])("is %j", async (line, text) => {
    expect((await closingLineOf(text)).split("\n").at(-1)).toBe(line);
  });
});
