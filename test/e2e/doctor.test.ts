// `ccapi doctor` on the real CLI: what it finds, and that it leaves nothing running.
import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { makeHome, processesOf, until } from "../helpers/server.ts";

const cli = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));
let simulator: Simulator;
let home: string;
beforeEach(async () => {
  simulator = await startSimulator({ credentials: [{ value: "sk-ant-test-good-0001", name: "good" }] });
  home = await makeHome();
});
afterEach(async () => {
  await simulator.close();
  await rm(home, { recursive: true, force: true, maxRetries: 3 });
});

async function doctor(
  key: string,
): Promise<{ code: number; findings: { about: string; verdict: string }[]; text: string }> {
  const environment = {
    PATH: process.env["PATH"],
    HOME: home,
    IS_SANDBOX: "1",
    ANTHROPIC_BASE_URL: simulator.url,
    ANTHROPIC_API_KEY: key,
  };
  const { code, stdout } = await promisify(execFile)(process.execPath, [cli, "doctor", "--probe", "--json"], {
    env: environment,
  }).then(
    (done) => ({ code: 0, stdout: done.stdout }),
    (error: unknown) => error as { code: number; stdout: string },
  );
  const findings = stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { about: string; verdict: string });
  return { code, findings, text: stdout };
}

it("finds nothing in the way of a good credential, and the rejected one where it is not, by a real question (A4, C2)", async () => {
  const good = await doctor("sk-ant-test-good-0001");
  expect(good.code).toBe(0);
  expect(good.findings.filter(({ verdict }) => verdict === "problem")).toEqual([]);
  expect(good.findings.map(({ about }) => about)).toEqual(
    expect.arrayContaining([
      "keys",
      "address",
      "state folder",
      "credential",
      "model API",
      "clock",
      "Claude Code",
      "probe",
    ]),
  );
  const bad = await doctor("sk-ant-test-bad-0001");
  expect(bad.code).toBe(1);
  expect(bad.findings.filter(({ verdict }) => verdict === "problem").map(({ about }) => about)).toEqual(["probe"]);
  expect(bad.text).not.toContain("sk-ant-test-bad-0001");
  await until("nothing is left running", async () => (await processesOf(home)).length === 0, 30_000);
});
