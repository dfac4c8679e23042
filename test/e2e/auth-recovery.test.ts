// Credentials that fail and can be mended, on the real Claude CLI: the client sees an answer, the upstream few calls.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Rejection, type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { authHealth, countCalls, messages, storedLogin, untilState } from "../helpers/auth.ts";
import { chat, makeHome, startServer, type TestServer, type TestServerOptions, until } from "../helpers/server.ts";
import { type Chunk, readStream, textOf } from "../helpers/sse.ts";

const oldKey = "sk-ant-test-old-0001";
const newKey = "sk-ant-test-new-0002";

let simulator: Simulator;
let server: TestServer | undefined;
beforeEach(async () => {
  simulator = await startSimulator({
    credentials: [{ value: oldKey, name: "old" }],
    rules: [{ when: "Hello", answer: [{ type: "text", text: "Hi there." }] }],
  });
});
afterEach(async () => {
  await server?.stop();
  server = undefined;
  await simulator.close();
});

/** A server whose key lies in a file. */
async function withKeyFile(
  more: Partial<TestServerOptions> = {},
): Promise<{ server: TestServer; rotate: (key: string) => Promise<void> }> {
  const home = await makeHome({ key: `${oldKey}\n` });
  const file = join(home, "key");
  server = await startServer({
    upstream: simulator.url,
    home,
    ...more,
    environment: { ANTHROPIC_API_KEY: undefined, ANTHROPIC_API_KEY_FILE: file, ...more.environment },
  });
  return { server, rotate: (key) => writeFile(file, `${key}\n`) };
}

async function ask(
  to: TestServer,
  more: Record<string, unknown> = {},
): Promise<{ status: number; text: string; ms: number }> {
  const startedAt = performance.now();
  const response = await to.post("/v1/chat/completions", chat("Hello", more));
  const body = (await response.json()) as { choices?: [{ message: { content: string } }]; error?: { message: string } };
  return {
    status: response.status,
    text: body.choices?.[0].message.content ?? body.error?.message ?? "",
    ms: performance.now() - startedAt,
  };
}

describe("a key in a file", () => {
  const wordings: Rejection[] = ["expired", "invalid_api_key", "invalid_bearer"];
  it.each(wordings)(
    "that is rotated after the upstream said %s carries the request on (A2, A5, A7)",
    async (wording) => {
      const { server: running, rotate } = await withKeyFile();
      simulator.credentials.expire(oldKey, wording);
      simulator.credentials.add({ value: newKey, name: "new" });
      const answer = ask(running);
      await untilState(running, "refreshing").catch(() => untilState(running, "cooling_down"));
      await sleep(300);
      const rotatedAt = performance.now();
      await rotate(newKey);
      expect(await answer).toMatchObject({ status: 200, text: "Hi there." });
      expect(performance.now() - rotatedAt).toBeLessThan(20_000);
      expect(await authHealth(running)).toMatchObject({
        status: "authenticated",
        state: "authenticated",
        consecutiveFailures: 0,
      });
      expect(countCalls(simulator).answered).toBe(1);
    },
  );

  it("that was rotated before anybody noticed is simply read anew (A4, A6)", async () => {
    const { server: running, rotate } = await withKeyFile();
    expect((await ask(running)).status).toBe(200);
    simulator.credentials.add({ value: newKey, name: "new" });
    simulator.credentials.expire(oldKey, "expired");
    await rotate(newKey);
    expect(await ask(running)).toMatchObject({ status: 200, text: "Hi there." });
    expect(countCalls(simulator)).toMatchObject({ rejected: 0 });
    expect((await authHealth(running)).refreshCount).toBeLessThanOrEqual(1);
  });

  it("that expires while a stream waits ends in that stream, on the same connection (A5)", async () => {
    const { server: running, rotate } = await withKeyFile();
    simulator.credentials.expire(oldKey, "expired");
    simulator.credentials.add({ value: newKey, name: "new" });
    const response = running.post("/v1/chat/completions", chat("Hello", { stream: true }));
    await until("a rejection", () => countCalls(simulator).rejected > 0);
    await rotate(newKey);
    const stream = await response;
    expect(stream.status).toBe(200);
    const { events, isDone } = await readStream(stream);
    const chunks = events as Chunk[];
    expect(textOf(chunks)).toBe("Hi there.");
    expect(chunks.filter((chunk) => chunk.choices[0]?.delta.role)).toHaveLength(1);
    expect(isDone).toBe(true);
  });

  it("that expires is carried over for the agent too, at its first sign and not after its own 175 s of retries (A1, A5)", async () => {
    const { server: running, rotate } = await withKeyFile();
    simulator.credentials.expire(oldKey, "invalid_api_key");
    simulator.credentials.add({ value: newKey, name: "new" });
    const answer = ask(running, { model: "claude-code" });
    await until("a rejection", () => countCalls(simulator).rejected > 0);
    await sleep(200);
    await rotate(newKey);
    const { status, ms } = await answer;
    expect(status).toBe(200);
    expect(ms).toBeLessThan(60_000);
  });

  it("that fails for 30 requests at once takes one refresh, and no client sees an error (A6, G3)", async () => {
    const { server: running, rotate } = await withKeyFile();
    simulator.credentials.expire(oldKey, "expired");
    simulator.credentials.add({ value: newKey, name: "new" });
    const answers = Array.from({ length: 30 }, () => ask(running));
    await until("a rejection", () => countCalls(simulator).rejected > 0);
    await rotate(newKey);
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array.from({ length: 30 }, () => 200));
    expect((await authHealth(running)).refreshCount).toBeLessThanOrEqual(1);
  });

  it("that is rejected once and then accepted is no failure at all (A1)", async () => {
    const { server: running } = await withKeyFile();
    simulator.fail({ kind: "status", status: 401, type: "authentication_error", message: "invalid x-api-key" }, 1);
    expect(await ask(running)).toMatchObject({ status: 200, text: "Hi there." });
    expect(await authHealth(running)).toMatchObject({
      state: "authenticated",
      refreshCount: 0,
      consecutiveFailures: 0,
    });
  });
});

describe("an apiKeyHelper", () => {
  const withHelper = async (script: string) => {
    const home = await makeHome({ key: oldKey, "helper.sh": script });
    await writeFile(join(home, "settings"), "");
    const claude = join(home, ".claude");
    const { mkdir } = await import("node:fs/promises");
    await mkdir(claude);
    await writeFile(join(claude, "settings.json"), JSON.stringify({ apiKeyHelper: `sh ${home}/helper.sh` }));
    server = await startServer({ upstream: simulator.url, home, environment: { ANTHROPIC_API_KEY: undefined } });
    return { server, home };
  };

  it("that prints a new key 12 s in has the request answered within 3 s of it (A5, G2)", async () => {
    const { server: running, home } = await withHelper("cat $HOME/key");
    simulator.credentials.expire(oldKey, "invalid_api_key");
    simulator.credentials.add({ value: newKey, name: "new" });
    const answer = ask(running);
    await sleep(12_000);
    const changedAt = performance.now();
    await writeFile(join(home, "key"), newKey);
    expect(await answer).toMatchObject({ status: 200, text: "Hi there." });
    expect(performance.now() - changedAt).toBeLessThan(20_000);
  });

  it.each([
    ["fails", "echo no key here >&2; exit 1"],
    ["hangs", "sleep 120"],
  ])(
    "that %s ends in a clear 503, and works again when it does (A2, A7)",
    async (_how, script) => {
      const { server: running, home } = await withHelper(script);
      const { status, text } = await ask(running);
      expect(status, text).toBe(503);
      await writeFile(join(home, "helper.sh"), `echo ${oldKey}`);
      await until("it works again", async () => (await ask(running)).status === 200, 60_000);
    },
    240_000,
  );
});

describe("a stored login", () => {
  it("that a person makes while the server runs is used at once (A7)", async () => {
    const home = await makeHome({ ".claude/settings.json": "{}" });
    server = await startServer({ upstream: simulator.url, home, environment: { ANTHROPIC_API_KEY: undefined } });
    const before = await ask(server);
    expect(before.status).toBe(503);
    expect(before.text).toContain("run `claude` and log in on this host");
    expect(await authHealth(server)).toMatchObject({ status: "unauthenticated", state: "needs_login" });
    expect(countCalls(simulator).all).toBe(0);
    simulator.credentials.add({ value: "sk-ant-oat01-test-0001", name: "login" });
    await writeFile(join(home, ".claude", ".credentials.json"), storedLogin("sk-ant-oat01-test-0001"));
    await until("it works", async () => (await ask(server as TestServer)).status === 200, 30_000);
    expect((await authHealth(server)).credential.kind).toBe("stored_login");
  });
});

describe("the log", () => {
  it("has the promised messages, in their order and no secret (D)", async () => {
    const { server: running, rotate } = await withKeyFile();
    simulator.credentials.expire(oldKey, "expired");
    simulator.credentials.add({ value: newKey, name: "new" });
    const answer = running.post("/v1/chat/completions", chat("Hello"), { headers: { "x-session-id": "abc123" } });
    await until("a rejection", () => countCalls(simulator).rejected > 1);
    await rotate(newKey);
    expect((await answer).status).toBe(200);
    const log = messages(running);
    const at = (text: string) => log.findIndex((message) => message.startsWith(text));
    const order = [
      at("Authentication error detected in processRequest for session abc123, attempting refresh"),
      at("Claude Code authentication refresh successful (refreshCount: 1, timeTaken: "),
      at("Authentication refreshed, retrying processRequest for session abc123"),
    ];
    expect(
      order.every((index) => index >= 0),
      log.join("\n"),
    ).toBe(true);
    expect(running.log()).not.toContain(oldKey);
    expect(running.log()).not.toContain(newKey);
  });
});
