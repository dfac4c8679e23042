// What an operator does and relies on, on the real Claude CLI: manual refreshes, the command line, health, the clock.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { authHealth, countCalls, manualRefresh, storedLogin, untilState } from "../helpers/auth.ts";
import { adminKey, chat, makeHome, processesOf, startServer, type TestServer, until } from "../helpers/server.ts";
import { upstreamBodies } from "../helpers/upstream.ts";

const cli = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));
const good = "sk-ant-test-good-0001";

let simulator: Simulator;
let server: TestServer | undefined;
beforeEach(async () => {
  simulator = await startSimulator({ credentials: [{ value: good, name: "good" }] });
});
afterEach(async () => {
  await server?.stop();
  server = undefined;
  await simulator.close();
});

const start = async (environment: Record<string, string | undefined> = {}, files: Record<string, string> = {}) => {
  server = await startServer({
    upstream: simulator.url,
    environment: { ANTHROPIC_API_KEY: good, ...environment },
    files,
  });
  return server;
};

/** Runs the command line. */
async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [cli, ...args], {
      env: { PATH: process.env["PATH"] },
    });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const failed = error as { code: number; stdout: string; stderr: string };
    return { code: failed.code, stdout: failed.stdout, stderr: failed.stderr };
  }
}

describe("a manual refresh", () => {
  it("asks one short question in a fresh process, and proves by its answer (A4, B6, G6)", async () => {
    const running = await start();
    expect((await authHealth(running)).isAuthenticated).toBeNull();
    const response = await manualRefresh(running);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ status: "refreshed", result: { success: true } });
    expect(await authHealth(running)).toMatchObject({
      status: "authenticated",
      state: "authenticated",
      refreshCount: 1,
    });
    const [body] = upstreamBodies(simulator);
    expect(countCalls(simulator).all).toBe(1);
    expect(body?.tools ?? []).toEqual([]);
    expect(body?.model).toMatch(/haiku/);
    expect(simulator.requests.find(({ path }) => path.startsWith("/v1/messages"))?.bodyBytes).toBeLessThan(4_000);
  });

  it("twice at once is one (A6, B6)", async () => {
    const running = await start();
    const both = await Promise.all([manualRefresh(running), manualRefresh(running)]);
    expect(both.map(({ status }) => status).filter((status) => status === 200).length).toBeGreaterThanOrEqual(1);
    expect((await authHealth(running)).refreshCount).toBe(1);
  });

  it("falls back to the default model where the provider has none of the first's name (A4)", async () => {
    simulator.setRules([
      { when: ({ model }) => model.includes("haiku"), fault: { kind: "status", status: 404, message: "model: haiku" } },
    ]);
    const running = await start();
    expect((await manualRefresh(running)).status).toBe(200);
  });
});

describe("health", () => {
  it("starts no process and calls no model, however often it is asked (B4)", async () => {
    const running = await start();
    for (let count = 0; count < 20; count += 1) {
      await (await running.get("/health")).text();
      await (await running.get("/health/auth")).text();
    }
    expect(await processesOf(running.home)).toEqual([]);
    expect(simulator.requests).toEqual([]);
  });
});

describe("the command line", () => {
  it("says what a running server knows, for people and for programs, with its exit code (E3)", async () => {
    const running = await start();
    const where = ["--url", running.url, "--key", adminKey];
    const unknown = await run("status", ...where);
    expect(unknown).toMatchObject({ code: 0, stdout: expect.stringContaining("unknown") });
    const refreshed = await run("refresh", ...where, "--json");
    expect(refreshed.code).toBe(0);
    expect(JSON.parse(refreshed.stdout)).toMatchObject({ status: "refreshed" });
    expect((await run("status", ...where)).stdout).toMatch(/status\s+authenticated/);
    const checked = await run("check", ...where);
    expect(checked).toMatchObject({ code: 0, stdout: expect.stringContaining("All is well.") });
    simulator.credentials.expire(good, "expired");
    const failed = await run("check", ...where);
    expect(failed.code).toBe(1);
    expect(failed.stdout).toContain("upstream_auth_unavailable");
    expect((await run("status", ...where)).code).toBe(1);
    expect((await run("status", "--url", running.url, "--key", "wrong")).stderr).toContain("HTTP 401");
    expect((await run("status", "--url", "http://127.0.0.1:1")).code).toBe(3);
  });
});

describe("a stored login", () => {
  it("is used and never written by us; on another address it is not used at all (C5)", async () => {
    const token = "sk-ant-oat01-test-0001";
    simulator.credentials.add({ value: token, name: "login" });
    const content = storedLogin(token);
    const digest = (text: string) => createHash("sha256").update(text).digest("hex");
    const home = await makeHome({ ".claude/.credentials.json": content });
    const none = { ANTHROPIC_API_KEY: undefined };
    const local = await startServer({ upstream: simulator.url, home, environment: none });
    expect((await local.post("/v1/chat/completions", chat("Hello"))).status).toBe(200);
    await local.stop();
    expect(digest(await readFile(join(home, ".claude", ".credentials.json"), "utf8"))).toBe(digest(content));
    server = await startServer({ upstream: simulator.url, home, environment: { ...none, CCAPI_HOST: "0.0.0.0" } });
    const refused = await server.post("/v1/chat/completions", chat("Hello"));
    expect(refused.status).toBe(503);
    expect(await authHealth(server)).toMatchObject({ status: "unauthenticated" });
  });
});

describe("the clock", () => {
  it("set back an hour while the credential is dead delays nothing (A3, A7)", async () => {
    const home = await makeHome({
      key: "sk-ant-test-dead-0001",
      "clock.mjs":
        "const real = Date.now; let offset = 0; Date.now = () => real() + offset; process.on('SIGUSR2', () => { offset -= 3_600_000; });",
    });
    server = await startServer({
      upstream: simulator.url,
      home,
      environment: {
        ANTHROPIC_API_KEY: undefined,
        ANTHROPIC_API_KEY_FILE: join(home, "key"),
        CCAPI_AUTH_COOLDOWN_MS: "2000",
        CCAPI_AUTH_PARK_MS: "500",
        NODE_OPTIONS: `--import ${join(home, "clock.mjs")}`,
      },
    });
    const running = server;
    await (await running.post("/v1/chat/completions", chat("Hello"))).text();
    await untilState(running, "cooling_down");
    process.kill(running.pid, "SIGUSR2");
    await until("the next refresh", async () => (await authHealth(running)).refreshCount >= 2, 30_000);
    await writeFile(join(home, "key"), good);
    await until(
      "it works",
      async () => (await running.post("/v1/chat/completions", chat("Hello"))).status === 200,
      10_000,
    );
  });
});

describe("storms", () => {
  it("of 429s and 529s together with an expired key change nothing about how that is handled (A1, A5)", async () => {
    const home = await makeHome({ key: "sk-ant-test-dead-0001" });
    server = await startServer({
      upstream: simulator.url,
      home,
      environment: { ANTHROPIC_API_KEY: undefined, ANTHROPIC_API_KEY_FILE: join(home, "key") },
    });
    const running = server;
    simulator.setRules([
      { when: "limited", fault: { kind: "status", status: 429 } },
      { when: "overloaded", fault: { kind: "status", status: 529 } },
    ]);
    const ask = (text: string) => running.post("/v1/chat/completions", chat(text));
    const waiting = ask("Hello");
    await until("a rejection", () => countCalls(simulator).rejected > 1);
    await writeFile(join(home, "key"), good);
    const storm = await Promise.all(["limited", "overloaded", "limited", "overloaded"].map(ask));
    expect((await waiting).status).toBe(200);
    expect(storm.map(({ status }) => status)).toEqual([429, 503, 429, 503]);
    expect(await authHealth(running)).toMatchObject({ state: "authenticated", consecutiveFailures: 0 });
  });
});
