// Processes started before their prompt is known, on the real Claude CLI: what they leave, what they send, and what ends them.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { chat, claudePids, filesBelow, startServer, type TestServer, until } from "../helpers/server.ts";
import { upstreamBodies } from "../helpers/upstream.ts";

let simulator: Simulator;
let server: TestServer;
let sessions: number;
beforeEach(async () => {
  simulator = await startSimulator();
  sessions = 0;
  server = await startServer({
    upstream: simulator.url,
    environment: { CCAPI_POOL_IDLE_MS: "120000", CCAPI_POOL_MAX_SPARES: "1", CCAPI_POOL_MAX_IDLE: "12" },
  });
});
afterEach(async () => {
  await server.stop();
  await simulator.close();
});

/** Begins a session, whose process then waits for its next turn. */
async function begin(words: string, to = server): Promise<string> {
  sessions += 1;
  const headers = { "x-session-id": `s${sessions}` };
  const response = await to.post("/v1/chat/completions", chat(words, { model: "claude-code" }), { headers });
  const answer = (await response.json()) as { choices: [{ message: { content: string } }] };
  expect(response.status, JSON.stringify(answer)).toBe(200);
  return answer.choices[0].message.content;
}

const withoutSession = (body: unknown): unknown =>
  JSON.parse(JSON.stringify(body).replaceAll(/session_id\\":\\"[0-9a-f-]{36}/g, "session_id"));

const transcripts = () => filesBelow(join(server.home, ".claude", "projects"), ".jsonl");

/** Two conversations of one kind, and the process that is started for the third: the one whose session has no transcript. */
async function untilSpare(): Promise<number> {
  await begin("Hello");
  await begin("Hello");
  await until("a process is started ahead", async () => (await claudePids(server.home)).length === 3, 60_000);
  const written = (await transcripts()).join(" ");
  for (const pid of await claudePids(server.home)) {
    const [, id] = /--session-id[\0=]([0-9a-f-]{36})/.exec(await readFile(`/proc/${pid}/cmdline`, "utf8")) ?? [];
    if (id !== undefined && !written.includes(id)) return pid;
  }
  throw new Error("Every process has a transcript.");
}

describe("a process started ahead", () => {
  it("has asked nothing and written no transcript; what it then sends is what a fresh one would send (G5, G9, C2)", async () => {
    await untilSpare();
    const before = await claudePids(server.home);
    expect(upstreamBodies(simulator)).toHaveLength(2);
    expect(await transcripts()).toHaveLength(2);
    await begin("What is the weather like?");
    // It serves, and another is started ahead.
    await until("the next is started", async () => (await claudePids(server.home)).length === 4, 60_000);
    expect((await claudePids(server.home)).filter((pid) => before.includes(pid))).toEqual(before);
    const sent = upstreamBodies(simulator).map(withoutSession).at(-1);

    await using fresh = await startServer({
      upstream: simulator.url,
      home: server.home,
      environment: { CCAPI_POOL_MAX_IDLE: "0" },
    });
    await begin("What is the weather like?", fresh);
    expect(sent).toEqual(upstreamBodies(simulator).map(withoutSession).at(-1));
  });

  it("goes on with its session, as any other would (B3)", async () => {
    await untilSpare();
    await begin("My name is Ada.");
    sessions -= 1;
    await begin("What is my name?");
    expect(JSON.stringify(upstreamBodies(simulator).at(-1)?.messages)).toContain("Ada");
  });

  it("does not serve where it would have read other instructions now (C2)", async () => {
    await untilSpare();
    await writeFile(join(server.home, ".claude", "CLAUDE.md"), "Say nothing of turnips.");
    await begin("Hello");
    expect(JSON.stringify(upstreamBodies(simulator).at(-1)?.messages)).toContain("turnips");
  });

  it.each<NodeJS.Signals>(["SIGKILL", "SIGSTOP"])(
    "that got a %s is replaced, and the request goes on (C4)",
    async (signal) => {
      process.kill(await untilSpare(), signal);
      expect(await begin("Say exactly: still here")).toContain("still here");
    },
  );
});
