// The client's tools on the real Claude CLI: what reaches the model API, what reaches the client, and how a conversation goes on with
// results: by the process that waits, or by a transcript, and the same either way.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type OpenAI from "openai";
import { type AnswerBlock, type Rule, type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { claudePids, startServer, type TestServer, until } from "../helpers/server.ts";
import { type UpstreamBody, upstreamBodies } from "../helpers/upstream.ts";

type Messages = OpenAI.ChatCompletionMessageParam[];
type Answer = OpenAI.ChatCompletion.Choice;

const weather = {
  type: "function",
  function: {
    name: "get_weather",
    description: "The weather in a city.",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};
const now = { type: "function", function: { name: "now" } };
const call = (id: string, name: string, input: Record<string, unknown>): AnswerBlock => ({
  type: "tool_use",
  id: `toolu_${id}`,
  name,
  input,
});
const text = (words: string): AnswerBlock => ({ type: "text", text: words });
const answered = (count: number, answer: readonly AnswerBlock[]): Rule => ({
  when: ({ body }) => JSON.stringify(body).split('"type":"tool_result"').length - 1 === count,
  answer,
});

let simulator: Simulator;
let server: TestServer;
beforeEach(async () => {
  simulator = await startSimulator();
  server = await startServer({
    upstream: simulator.url,
    environment: { CCAPI_POOL_IDLE_MS: "60000" },
    files: { ".claude/settings.json": JSON.stringify({ permissions: { allow: ["Bash"] } }) },
  });
});
afterEach(async () => {
  await server.stop();
  await simulator.close();
});

interface Asked {
  readonly model?: string;
  readonly session?: string;
  readonly [field: string]: unknown;
}

async function post(messages: Messages, { session, ...more }: Asked = {}) {
  const headers: Record<string, string> = session === undefined ? {} : { "x-session-id": session };
  const body = { model: "sonnet", messages, tools: [weather, now], ...more };
  return server.post("/v1/chat/completions", body, { headers });
}

async function ask(messages: Messages, more: Asked = {}): Promise<Answer> {
  const response = await post(messages, more);
  const body = (await response.json()) as OpenAI.ChatCompletion;
  expect(response.status, JSON.stringify(body)).toBe(200);
  const [choice] = body.choices;
  if (choice === undefined) throw new Error("There is no choice.");
  return choice;
}

const user = (content: string) => ({ role: "user", content }) as const;
const result = (id: string, content: string) => ({ role: "tool", tool_call_id: `toolu_${id}`, content }) as const;

/** Ends the processes that wait, so that a transcript is all there is. */
async function endProcesses(): Promise<void> {
  for (const pid of await claudePids(server.home)) process.kill(pid, "SIGKILL");
  await until("they are gone", async () => (await claudePids(server.home)).length === 0);
}

/** The conversation of a call, without what differs from run to run; a text without citations may say so or not. */
function conversation(body: UpstreamBody | undefined): unknown {
  return JSON.parse(
    JSON.stringify(
      body?.messages.filter(({ role }) => role !== "system"),
      (key, value: unknown) => (key === "cache_control" || key === "citations" ? undefined : value),
    ).replaceAll(/<system-reminder>.*?<\/system-reminder>\\?n?/g, ""),
  );
}

const bothCities = [
  answered(0, [
    text("I look."),
    call("a", "get_weather", { city: "Paris" }),
    call("b", "get_weather", { city: "Rome" }),
  ]),
  answered(2, [text("Warm in both.")]),
];

describe("a client's tools", () => {
  it("are all that the model sees, under their own names (B1)", async () => {
    simulator.setRules(bothCities);
    await ask([user("The weather?")]);
    const [body] = upstreamBodies(simulator);
    expect(body?.tools).toMatchObject([
      { name: "get_weather", description: "The weather in a city.", input_schema: weather.function.parameters },
      { name: "now", input_schema: { type: "object" } },
    ]);
    expect(body?.tools).toHaveLength(2);
  });

  it("are called in parallel, and answered by the process that waits as by a transcript (B1)", async () => {
    simulator.setRules(bothCities);
    const seen = [];
    for (const isLive of [true, false]) {
      simulator.clearRequests();
      const question = user("The weather?");
      const first = await ask([question]);
      expect(first).toMatchObject({
        finish_reason: "tool_calls",
        message: {
          content: "I look.",
          tool_calls: [
            { id: "toolu_a", function: { name: "get_weather", arguments: '{"city":"Paris"}' } },
            { id: "toolu_b", function: { name: "get_weather", arguments: '{"city":"Rome"}' } },
          ],
        },
      });
      const pids = await claudePids(server.home);
      if (!isLive) await endProcesses();
      const second = await ask([question, first.message, result("a", "22 degrees"), result("b", "25 degrees")]);
      expect(second).toMatchObject({ finish_reason: "stop", message: { content: "Warm in both." } });
      if (isLive) expect(await claudePids(server.home)).toEqual(pids);
      seen.push(conversation(upstreamBodies(simulator).at(-1)));
      await endProcesses();
    }
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[0]).toMatchObject([
      { role: "user" },
      {
        role: "assistant",
        content: [{ type: "text" }, { type: "tool_use", id: "toolu_a" }, { type: "tool_use", id: "toolu_b" }],
      },
      { role: "user", content: [{ tool_use_id: "toolu_a" }, { tool_use_id: "toolu_b" }] },
    ]);
  });

  it("go on in a session by its process, after a restart by its transcript, with only the results sent (B1, B3)", async () => {
    simulator.setRules(bothCities);
    const seen = [];
    for (const session of ["live", "killed"]) {
      await ask([user("The weather?")], { session });
      const pids = await claudePids(server.home);
      if (session === "killed") await endProcesses();
      const second = await ask([result("a", "22 degrees"), result("b", "25 degrees")], { session });
      expect(second.message.content).toBe("Warm in both.");
      expect((await claudePids(server.home)).some((pid) => pids.includes(pid))).toBe(session === "live");
      seen.push(conversation(upstreamBodies(simulator).at(-1)));
    }
    expect(seen[1]).toEqual(seen[0]);
  });
});

describe("a client's tools beside an agent's own", () => {
  const note = (id: string): AnswerBlock =>
    call(id, "Bash", { command: `echo ${id} >> notes.txt`, description: "note" });
  const mixed = [
    answered(0, [text("One."), note("x")]),
    answered(1, [text("Two."), note("y"), call("a", "get_weather", { city: "Paris" }), note("z")]),
    answered(4, [text("Done.")]),
  ];

  it.each([undefined, "s"])(
    "are handed over with nothing lost and nothing run twice (session %s) (B1, A5)",
    async (session) => {
      simulator.setRules(mixed);
      const agent = { model: "claude-code", ...(session === undefined ? {} : { session }) };
      const question = user("Note it, please");
      const first = await ask([question], agent);
      expect(first).toMatchObject({ finish_reason: "tool_calls", message: { tool_calls: [{ id: "toolu_a" }] } });
      const second = await ask([question, first.message, result("a", "22 degrees")], agent);
      expect(second.message.content).toBe("Done.");
      expect(await readFile(join(server.stateDir, "workspaces", "client", "notes.txt"), "utf8")).toBe("x\ny\nz\n");
    },
  );

  it.each([undefined, "s"])(
    "are known when the same results come again after a turn that was broken off (session %s) (B1, A5)",
    async (session) => {
      simulator.setRules([
        answered(0, [note("x"), call("a", "get_weather", { city: "Paris" })]),
        { ...answered(2, [text("Never heard.")]), firstTokenDelayMs: 60_000, times: 1 },
        answered(2, [text("Done.")]),
      ]);
      const headers: Record<string, string> = session === undefined ? {} : { "x-session-id": session };
      const agent = { model: "claude-code", ...(session === undefined ? {} : { session }) };
      const question = user("Note it, please");
      const first = await ask([question], agent);
      const messages = [question, first.message, result("a", "22 degrees")];
      const before = upstreamBodies(simulator).length;
      const client = new AbortController();
      const body = { model: "claude-code", messages, tools: [weather, now] };
      const left = server.post("/v1/chat/completions", body, { headers, signal: client.signal });
      await until("its results are with the model", () => upstreamBodies(simulator).length > before, 60_000);
      client.abort();
      await expect(left).rejects.toThrow();
      expect((await ask(messages, agent)).message.content).toBe("Done.");
      expect(await readFile(join(server.stateDir, "workspaces", "client", "notes.txt"), "utf8")).toBe("x\n");
    },
  );

  it.each([undefined, "s"])(
    "go on from the transcript where the process is gone: what had not begun is told so (session %s) (B1, A5)",
    async (session) => {
      simulator.setRules(mixed);
      const agent = { model: "claude-code", ...(session === undefined ? {} : { session }) };
      const question = user("Note it, please");
      const first = await ask([question], agent);
      await endProcesses();
      const second = await ask([question, first.message, result("a", "22 degrees")], agent);
      expect(second.message.content).toBe("Done.");
      expect(await readFile(join(server.stateDir, "workspaces", "client", "notes.txt"), "utf8")).toBe("x\ny\n");
      expect(JSON.stringify(upstreamBodies(simulator).at(-1)?.messages)).toContain("Not run: the run was interrupted");
    },
  );
});
