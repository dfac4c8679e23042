// Credentials that nobody mends for long, on the real Claude CLI: said at once, tried seldom, healed by themselves.
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { authHealth, countCalls, manualRefresh, messages, untilState } from "../helpers/auth.ts";
import { chat, makeHome, processesOf, startServer, type TestServer, until } from "../helpers/server.ts";

const deadKey = "sk-ant-test-dead-0001";
const goodKey = "sk-ant-test-good-0002";

let simulator: Simulator;
let server: TestServer | undefined;
beforeEach(async () => {
  simulator = await startSimulator({
    credentials: [{ value: deadKey, name: "dead" }],
    rules: [{ when: "Hello", answer: [{ type: "text", text: "Hi there." }] }],
  });
  simulator.credentials.expire(deadKey, "expired");
  simulator.credentials.add({ value: goodKey, name: "good" });
});
afterEach(async () => {
  await server?.stop();
  server = undefined;
  await simulator.close();
});

const quick = { CCAPI_AUTH_COOLDOWN_MS: "1500", CCAPI_AUTH_PARK_MS: "2000" };

async function withKeyFile(
  environment: Record<string, string> = quick,
  flags: string[] = [],
): Promise<{ server: TestServer; file: string }> {
  const home = await makeHome({ key: deadKey });
  const file = join(home, "key");
  server = await startServer({
    upstream: simulator.url,
    home,
    flags,
    environment: { ANTHROPIC_API_KEY: undefined, ANTHROPIC_API_KEY_FILE: file, ...environment },
  });
  return { server, file };
}

const ask = (to: TestServer) => to.post("/v1/chat/completions", chat("Hello"));

/** Asks until the state is there. */
async function drive(to: TestServer, state: string): Promise<void> {
  await until(
    `the state is ${state}`,
    async () => {
      const response = await ask(to);
      await response.text();
      return (await authHealth(to)).state === state;
    },
    40_000,
  );
}

describe("a key fixed in the environment that is rejected", () => {
  it("needs a person: 503 at once with the action, and no refresh is tried (A2, B5)", async () => {
    server = await startServer({ upstream: simulator.url, environment: { ANTHROPIC_API_KEY: deadKey } });
    const first = await ask(server);
    expect(first.status).toBe(503);
    expect(first.headers.get("x-should-retry")).toBe("false");
    expect(await first.json()).toMatchObject({
      error: {
        code: "upstream_auth_unavailable",
        state: "needs_login",
        action: expect.stringContaining("rotate ANTHROPIC_API_KEY"),
      },
    });
    expect(await authHealth(server)).toMatchObject({
      status: "unauthenticated",
      state: "needs_login",
      refreshCount: 0,
    });
    const calls = countCalls(simulator).all;
    const startedAt = performance.now();
    expect((await ask(server)).status).toBe(503);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(countCalls(simulator).all).toBe(calls);
  });
});

describe("a model that the account may not use, under a key fixed in the environment", () => {
  it("costs the others a second, once: then it is a 404 to who asks for it (C4, A1)", async () => {
    simulator.setRules([
      {
        when: ({ body }) => JSON.stringify(body).includes("opus"),
        fault: { kind: "status", status: 403, type: "permission_error", message: "Your account may not use it." },
      },
      { answer: [{ type: "text", text: "Hi there." }] },
    ]);
    server = await startServer({ upstream: simulator.url, environment: { ANTHROPIC_API_KEY: goodKey } });
    const running = server;
    const askFor = async (model: string) => {
      const response = await running.post("/v1/chat/completions", chat("Hello", { model }));
      await response.text();
      return response.status;
    };
    expect(await askFor("sonnet")).toBe(200);
    await askFor("opus");
    await until("the others are served", async () => (await askFor("sonnet")) === 200, 5_000);
    expect(await askFor("opus")).toBe(404);
    expect(await askFor("sonnet")).toBe(200);
    expect((await authHealth(running)).state).toBe("authenticated");
  });
});

describe("a token that was revoked", () => {
  it("needs a person too, though it lies in a file; the new file heals it (A2, A7)", async () => {
    simulator.credentials.revoke(deadKey);
    const { server: running, file } = await withKeyFile({});
    expect((await ask(running)).status).toBe(503);
    expect((await authHealth(running)).state).toBe("needs_login");
    await writeFile(file, goodKey);
    await until("it works", async () => (await ask(running)).status === 200, 40_000);
  });
});

describe("a token that was revoked, under an agent", () => {
  it("is said as soon as the test query has heard why, without a cooldown (A2, A7)", async () => {
    simulator.credentials.revoke(deadKey);
    const { server: running } = await withKeyFile({});
    const response = await running.post("/v1/chat/completions", chat("Hello", { model: "claude-code" }));
    expect(response.status).toBe(503);
    expect(await authHealth(running)).toMatchObject({ state: "needs_login", refreshCount: 1 });
  });
});

describe("a renewable key that nobody renews", () => {
  it("is locked out after 3 refreshes: 503 in no time, no process, no model call; then healed by the file alone (A3, A7, G4)", async () => {
    const { server: running, file } = await withKeyFile();
    await drive(running, "locked_out");
    const health = await authHealth(running);
    expect(health).toMatchObject({ status: "unauthenticated", refreshCount: 3, consecutiveFailures: 3 });
    expect(health.nextAttemptAt).not.toBeNull();
    expect(messages(running)).toContain(
      "Too many consecutive auth failures, not retrying (consecutiveFailures: 3, maxAllowed: 3)",
    );
    await until("no process", async () =>
      (await processesOf(running.home)).every((command) => command.includes("watchdog")),
    );
    const calls = countCalls(simulator).all;
    const times: number[] = [];
    for (let count = 0; count < 20; count += 1) {
      const startedAt = performance.now();
      const response = await ask(running);
      expect(response.status).toBe(503);
      expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
      await response.text();
      times.push(performance.now() - startedAt);
    }
    expect(times.toSorted((a, b) => a - b)[10]).toBeLessThan(1_000);
    expect(countCalls(simulator).all).toBe(calls);
    // Nobody asks for anything: it is seen all the same.
    await writeFile(file, goodKey);
    await until("it left the lock-out", async () => (await authHealth(running)).state !== "locked_out", 30_000);
    expect((await ask(running)).status).toBe(200);
    expect(await authHealth(running)).toMatchObject({ state: "authenticated", consecutiveFailures: 0 });
  });

  it("keeps the cooldown between two refreshes, however many ask (A3, G4)", async () => {
    const { server: running } = await withKeyFile({ CCAPI_AUTH_COOLDOWN_MS: "3000", CCAPI_AUTH_PARK_MS: "1000" });
    let isDone = false;
    const hammer = Promise.all(
      Array.from({ length: 20 }, async () => {
        while (!isDone) {
          const response = await ask(running);
          expect(response.status).toBe(503);
          await response.text();
        }
      }),
    );
    await untilState(running, "locked_out", 40_000);
    isDone = true;
    await hammer;
    const health = await authHealth(running);
    expect(health.refreshCount).toBe(3);
    const ends = running
      .log()
      .split("\n")
      .filter((line) => line.includes("refresh failed"))
      .map((line) => Date.parse((JSON.parse(line) as { time: string }).time));
    expect(ends).toHaveLength(3);
    for (const [index, end] of ends.slice(1).entries()) expect(end - (ends[index] ?? 0)).toBeGreaterThanOrEqual(3_000);
  }, 90_000);

  it("is healed while 20 clients hammer (A7)", async () => {
    const { server: running, file } = await withKeyFile();
    await drive(running, "locked_out");
    let isDone = false;
    let answered = 0;
    const hammer = Promise.all(
      Array.from({ length: 20 }, async () => {
        while (!isDone) {
          const response = await ask(running);
          await response.text();
          if (response.status === 200) answered += 1;
        }
      }),
    );
    await writeFile(file, goodKey);
    await until("an answer", () => answered > 0, 40_000);
    isDone = true;
    await hammer;
    expect((await authHealth(running)).state).toBe("authenticated");
  });

  it("is no secret to anybody who asks for it by hand (B6)", async () => {
    const { server: running, file } = await withKeyFile();
    await drive(running, "locked_out");
    const failed = await manualRefresh(running);
    expect(failed.status).toBe(502);
    expect(await failed.json()).toMatchObject({ status: "failed", result: { success: false } });
    await writeFile(file, goodKey);
    await until("it works", async () => (await ask(running)).status === 200, 40_000);
    const limited = await manualRefresh(running);
    expect([200, 429]).toContain(limited.status);
  });

  it("is forgotten by a restart, which begins anew (A3)", async () => {
    const { server: running } = await withKeyFile();
    await drive(running, "locked_out");
    await running.signal("SIGTERM");
    server = await startServer({
      upstream: simulator.url,
      home: running.home,
      environment: { ANTHROPIC_API_KEY: undefined, ANTHROPIC_API_KEY_FILE: join(running.home, "key"), ...quick },
    });
    expect((await authHealth(server)).state).toBe("unknown");
    expect((await ask(server)).status).toBe(503);
  });

  it("does not hold up a SIGTERM that comes during its refresh (A4, C4)", async () => {
    const home = await makeHome({ key: deadKey, "renew.sh": "sleep 60" });
    const running = await startServer({
      upstream: simulator.url,
      home,
      environment: {
        ANTHROPIC_API_KEY: undefined,
        ANTHROPIC_API_KEY_FILE: join(home, "key"),
        CCAPI_AUTH_REFRESH_COMMAND: `sh ${home}/renew.sh`,
      },
      flags: ["--shutdown-timeout-ms", "1000"],
    });
    const waiting = ask(running).catch(() => undefined);
    await untilState(running, "refreshing");
    const startedAt = performance.now();
    expect(await running.signal("SIGTERM")).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(30_000);
    await waiting;
    expect(await processesOf(home)).toEqual([]);
    await running.stop();
  });
});

describe("a refresh command", () => {
  const withCommand = async (script: string, environment: Record<string, string> = {}) => {
    const home = await makeHome({ key: deadKey, "renew.sh": script });
    server = await startServer({
      upstream: simulator.url,
      home,
      environment: {
        ANTHROPIC_API_KEY: undefined,
        ANTHROPIC_API_KEY_FILE: join(home, "key"),
        CCAPI_AUTH_REFRESH_COMMAND: `sh ${home}/renew.sh`,
        ...quick,
        ...environment,
      },
    });
    return server;
  };

  it("that renews the key carries the request on (A4, A5)", async () => {
    const running = await withCommand(`echo ${goodKey} > $HOME/key`);
    expect((await ask(running)).status).toBe(200);
    expect(await authHealth(running)).toMatchObject({
      state: "authenticated",
      refreshCount: 1,
      consecutiveFailures: 0,
    });
  });

  it("that ends with 0 and mends nothing is a failure: only an answer proves (A4)", async () => {
    const running = await withCommand("echo all is well MARKED-OUTPUT");
    expect((await ask(running)).status).toBe(503);
    expect((await authHealth(running)).consecutiveFailures).toBeGreaterThan(0);
    expect(running.log()).not.toContain("MARKED-OUTPUT");
  });
});

describe("a model that the credential may not use", () => {
  it.each([
    ["invalid x-api-key", 401, "authentication_error"],
    ["Your API key does not have permission to use the specified resource.", 403, "permission_error"],
  ])("and that is refused with %j harms nobody who asks for another (A1, C4)", async (message, code, type) => {
    simulator.setRules([
      { when: ({ model }) => model.includes("opus"), fault: { kind: "status", status: code, type, message } },
      { answer: [{ type: "text", text: "Hi there." }] },
    ]);
    const { server: running, file } = await withKeyFile({});
    await writeFile(file, goodKey);
    expect((await ask(running)).status).toBe(200);
    const refused: number[] = [];
    for (let count = 0; count < 4; count += 1) {
      const response = await running.post("/v1/chat/completions", chat("Hello", { model: "opus" }));
      refused.push(response.status);
      await response.text();
      expect((await ask(running)).status).toBe(200);
    }
    expect(refused.slice(1)).toEqual([404, 404, 404]);
    const health = await authHealth(running);
    expect(health).toMatchObject({ state: "authenticated", consecutiveFailures: 0 });
    expect(health.refreshCount).toBeLessThanOrEqual(2);
  });
});

describe("a key that is gone for a moment", () => {
  it("is used again when it is back, though it is the same (A7)", async () => {
    const { server: running, file } = await withKeyFile();
    await writeFile(file, goodKey);
    expect((await ask(running)).status).toBe(200);
    await rm(file);
    const gone = ask(running);
    await sleep(600);
    await writeFile(file, goodKey);
    await (await gone).text();
    await until("it works", async () => (await ask(running)).status === 200, 20_000);
    expect((await authHealth(running)).state).toBe("authenticated");
  });
});

describe("two turns of one session", () => {
  it("that wait for the credential do not wait for each other (A5, B3)", async () => {
    const { server: running, file } = await withKeyFile({ CCAPI_AUTH_PARK_MS: "40000" });
    const turn = () => running.post("/v1/chat/completions", chat("Hello"), { headers: { "x-session-id": "both" } });
    const both = [turn(), turn()];
    await until("a rejection", () => countCalls(simulator).rejected > 1);
    await writeFile(file, goodKey);
    const startedAt = performance.now();
    expect((await Promise.all(both)).map(({ status }) => status)).toEqual([200, 200]);
    expect(performance.now() - startedAt).toBeLessThan(20_000);
  });
});

describe("other failures", () => {
  it.each([
    [429, "rate_limit_error"],
    [529, "overloaded_error"],
    [500, "api_error"],
  ])("of the model API (%i) never change what is known of the credential (A1, A3)", async (code, type) => {
    server = await startServer({ upstream: simulator.url, environment: { ANTHROPIC_API_KEY: goodKey } });
    expect((await ask(server)).status).toBe(200);
    simulator.fail({ kind: "status", status: code, type });
    for (let count = 0; count < 5; count += 1) await (await ask(server)).text();
    expect(await authHealth(server)).toMatchObject({ state: "authenticated", refreshCount: 0, consecutiveFailures: 0 });
  });

  it("about the model (404) or the account's money (402) start no refresh (A1)", async () => {
    const { server: running, file } = await withKeyFile({});
    await writeFile(file, goodKey);
    simulator.fail({ kind: "status", status: 404, type: "not_found_error", message: "model: claude-x" }, 3);
    expect((await ask(running)).status).toBe(404);
    simulator.clearFaults();
    simulator.fail(
      { kind: "status", status: 400, message: "Your credit balance is too low to access the Anthropic API." },
      3,
    );
    expect((await ask(running)).status).toBe(402);
    expect((await authHealth(running)).refreshCount).toBe(0);
  });
});
