// Processes that serve more than one request, on the real Claude CLI: what reaches the model API is what a fresh one would have sent.
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { storedLogin } from "../helpers/auth.ts";
import { chat, claudePids, makeHome, startServer, type TestServer, until } from "../helpers/server.ts";
import { upstreamBodies } from "../helpers/upstream.ts";

let simulator: Simulator;
let server: TestServer;
beforeEach(async () => {
  simulator = await startSimulator();
  server = await startServer({ upstream: simulator.url, environment: { CCAPI_POOL_IDLE_MS: "60000" } });
});
afterEach(async () => {
  await server.stop();
  await simulator.close();
});

async function ask(body: object, headers: Record<string, string> = {}): Promise<string> {
  const response = await server.post("/v1/chat/completions", body, { headers });
  const answer = (await response.json()) as { choices: [{ message: { content: string } }] };
  expect(response.status, JSON.stringify(answer)).toBe(200);
  return answer.choices[0].message.content;
}

/** A body without the one thing that tells processes apart: the session id among its metadata. */
function withoutSession(body: unknown): unknown {
  return JSON.parse(JSON.stringify(body).replaceAll(/session_id\\":\\"[0-9a-f-]{36}/g, "session_id"));
}

describe("a process that serves another conversation", () => {
  it("sends byte for byte what a fresh one would have sent, but for the session id (G9, C2)", async () => {
    await ask(chat("The first secret is violet."));
    const before = await claudePids(server.home);
    await ask(chat("What is the weather like?"));
    await ask(chat("And tomorrow?"));
    expect(await claudePids(server.home)).toEqual(before);
    const reused = upstreamBodies(simulator).slice(-2).map(withoutSession);
    expect(JSON.stringify(reused)).not.toContain("violet");

    simulator.clearRequests();
    await using fresh = await startServer({
      upstream: simulator.url,
      home: server.home,
      environment: { CCAPI_POOL_MAX_IDLE: "0" },
    });
    for (const words of ["What is the weather like?", "And tomorrow?"]) {
      await (await fresh.post("/v1/chat/completions", chat(words))).text();
    }
    expect(reused).toEqual(upstreamBodies(simulator).map(withoutSession));
  });

  it("is not the one of another key or of another end user (B3, C2)", async () => {
    await ask(chat("Hello"));
    const one = await claudePids(server.home);
    await ask(chat("Hello", { user: "eve" }));
    const two = await claudePids(server.home);
    expect(two.length).toBe(one.length + 1);
    const { otherKey } = await import("../helpers/server.ts");
    await ask(chat("Hello"), { authorization: `Bearer ${otherKey}` });
    expect((await claudePids(server.home)).length).toBe(two.length + 1);
  });

  it("is replaced, and the request goes on, where it was killed while it waited (C4)", async () => {
    await ask(chat("Hello"));
    for (const pid of await claudePids(server.home)) process.kill(pid, "SIGKILL");
    expect(await ask(chat("Say exactly: still here"))).toContain("still here");
  });
});

describe("a process that hangs while it waits", () => {
  it("is ended, and its conversation or another goes on in a new one (C4)", async () => {
    await ask(chat("Hello"));
    for (const pid of await claudePids(server.home)) process.kill(pid, "SIGSTOP");
    expect(await ask(chat("Say exactly: not stopped"))).toContain("not stopped");
    const turn = (words: string) => ask(chat(words, { model: "claude-code" }), { "x-session-id": "s" });
    await turn("My name is Ada.");
    await until("the transcript is written", async () => (await claudePids(server.home)).length > 0);
    for (const pid of await claudePids(server.home)) process.kill(pid, "SIGSTOP");
    await turn("What is my name?");
    expect(JSON.stringify(upstreamBodies(simulator).at(-1)?.messages)).toContain("Ada");
  });
});

describe("a conversation that goes on", () => {
  it("in a client's own history is continued in its process, with its real roles; a changed history is not (B3, G5)", async () => {
    const first = await ask(chat("My name is Ada."));
    const pids = await claudePids(server.home);
    const history = [
      { role: "user", content: "My name is Ada." },
      { role: "assistant", content: first },
    ];
    await ask({ model: "sonnet", messages: [...history, { role: "user", content: "What is my name?" }] });
    expect(await claudePids(server.home)).toEqual(pids);
    const roles = upstreamBodies(simulator)
      .at(-1)
      ?.messages.map(({ role }) => role)
      .filter((role) => role !== "system");
    expect(roles).toEqual(["user", "assistant", "user"]);
    const changed = [
      { role: "user", content: "My name is Eve." },
      { role: "assistant", content: "Noted." },
    ];
    await ask({ model: "sonnet", messages: [...changed, { role: "user", content: "What is my name?" }] });
    const last = JSON.stringify(upstreamBodies(simulator).at(-1));
    expect(last).toContain("Eve");
    expect(last).not.toContain("Ada");
  });

  it("in a session of an agent is continued in its process, and after a restart from its transcript (B3, G5)", async () => {
    const turn = (words: string) => ask(chat(words, { model: "claude-code" }), { "x-session-id": "s" });
    await turn("My name is Ada.");
    const pids = await claudePids(server.home);
    await turn("What is my name?");
    expect(await claudePids(server.home)).toEqual(pids);
    for (const pid of pids) process.kill(pid, "SIGTERM");
    await until("it is gone", async () => (await claudePids(server.home)).length === 0);
    await turn("And again?");
    const told = JSON.stringify(upstreamBodies(simulator).at(-1)?.messages);
    for (const words of ["Ada", "What is my name?", "And again?"]) expect(told).toContain(words);
  });
});

describe("a credential that was replaced", () => {
  it("is read by a process that waits, where it is a stored login: the process goes on (A5, G5)", async () => {
    const [one, two] = ["sk-ant-oat01-test-0001", "sk-ant-oat01-test-0002"];
    const home = await makeHome({ ".claude/.credentials.json": storedLogin(one) });
    await using own = await startServer({
      upstream: simulator.url,
      home,
      environment: { ANTHROPIC_API_KEY: undefined, CCAPI_POOL_IDLE_MS: "60000" },
    });
    simulator.credentials.add({ value: one, name: "first" });
    simulator.credentials.add({ value: two, name: "second" });
    await (await own.post("/v1/chat/completions", chat("Hello"))).text();
    const pids = await claudePids(home);
    await writeFile(join(home, ".claude", ".credentials.json"), storedLogin(two));
    simulator.credentials.revoke(one);
    await until("the new login is seen", () => own.log().includes('"event":"credential-change"'), 60_000);
    expect((await own.post("/v1/chat/completions", chat("Hello"))).status).toBe(200);
    expect(simulator.requests.filter(({ body }) => body !== null).at(-1)?.credential).toBe("second");
    expect(await claudePids(home)).toEqual(pids);
    await own.stop();
    await rm(home, { recursive: true, force: true });
  });

  it("is what the next request uses, whatever processes wait (A5)", async () => {
    const home = await makeHome({ key: "sk-ant-test-first-0001" });
    await using rotating = await startServer({
      upstream: simulator.url,
      home,
      environment: { ANTHROPIC_API_KEY: undefined, ANTHROPIC_API_KEY_FILE: join(home, "key") },
    });
    simulator.credentials.add({ value: "sk-ant-test-first-0001", name: "first" });
    simulator.credentials.add({ value: "sk-ant-test-second-0002", name: "second" });
    await (await rotating.post("/v1/chat/completions", chat("Hello"))).text();
    await writeFile(join(home, "key"), "sk-ant-test-second-0002");
    await (await rotating.post("/v1/chat/completions", chat("Hello"))).text();
    expect(simulator.requests.filter(({ body }) => body !== null).at(-1)?.credential).toBe("second");
    await rotating.stop();
    await rm(home, { recursive: true, force: true });
  });
});
