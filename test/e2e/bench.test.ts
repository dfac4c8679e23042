// The benches work on the real server and the real Claude CLI: one of them, in short. No figure is judged here.
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Report } from "../../bench/report.ts";

const program = fileURLToPath(new URL("../../bench/main.ts", import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ccapi-bench-test-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function bench(...flags: readonly string[]) {
  const env = { PATH: process.env["PATH"], HOME: folder, TMPDIR: folder };
  return promisify(execFile)(process.execPath, [program, ...flags], { env, timeout: 200_000 });
}

describe("npm run bench", () => {
  it("measures, says on what, as a table and as JSON, and leaves nothing behind", async () => {
    const { stdout } = await bench("cpu", "--quick", "--json", join(folder, "figures.json"));
    expect(stdout).toMatch(/^\d+ cores .*Node v\d+.*Claude Code/);
    const { machine, reports } = JSON.parse(await readFile(join(folder, "figures.json"), "utf8")) as {
      machine: { cores: number };
      reports: Report[];
    };
    expect(machine.cores).toBeGreaterThan(0);
    expect(reports.map(({ part }) => part)).toEqual(["cpu"]);
    expect(reports[0]?.figures).toHaveLength(3);
    for (const { perThousand } of reports[0]?.figures ?? []) {
      expect(perThousand).toBeGreaterThan(0);
      expect(stdout).toContain(Number(perThousand).toFixed(1));
    }
    expect((await readdir(folder)).filter((name) => name.startsWith("ccapi-bench-"))).toEqual([]);
  }, 240_000);

  it("knows its parts, and says so where one is asked for that is none", async () => {
    await expect(bench("no-such-bench")).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/No such bench.*speed, throughput/),
    });
  });
});
