// What a client may ask of its tools' calls, on the real Claude CLI: streamed, forced, forbidden, one at a time, valid.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type OpenAI from "openai";
import { toModelName } from "../../src/claude/tool-names.ts";
import { type AnswerBlock, type Rule, type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { readStream } from "../helpers/sse.ts";
import { upstreamBodies } from "../helpers/upstream.ts";

let simulator: Simulator;
let server: TestServer;
beforeAll(async () => {
  simulator = await startSimulator();
  server = await startServer({ upstream: simulator.url });
});
afterAll(async () => {
  await server.stop();
  await simulator.close();
});

const schema = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
const weather = { type: "function", function: { name: "get weather!", parameters: schema } };
const strict = { type: "function", function: { name: "strict_weather", parameters: schema, strict: true } };
const now = { type: "function", function: { name: "now" } };

const text = (words: string): AnswerBlock => ({ type: "text", text: words });
const call = (id: string, name: string, input: Record<string, unknown>): AnswerBlock[] => [
  { type: "tool_use", id: `toolu_${id}`, name, input },
];

async function post(body: Record<string, unknown>, ...rules: Rule[]): Promise<Response> {
  simulator.setRules(
    rules.map((rule, index) => ({ times: index === rules.length - 1 ? Number.POSITIVE_INFINITY : 1, ...rule })),
  );
  simulator.clearRequests();
  const messages = [{ role: "user", content: "The weather in Paris?" }];
  return server.post("/v1/chat/completions", { model: "sonnet", messages, ...body });
}

async function ask(body: Record<string, unknown>, ...rules: Rule[]): Promise<OpenAI.ChatCompletion.Choice | undefined> {
  const response = await post(body, ...rules);
  const answer = (await response.json()) as OpenAI.ChatCompletion;
  expect(response.status, JSON.stringify(answer)).toBe(200);
  return answer.choices[0];
}

async function failure(body: Record<string, unknown>, ...rules: Rule[]): Promise<unknown> {
  const response = await post(body, ...rules);
  return { status: response.status, ...((await response.json()) as { error: { code: string } }).error };
}

describe("a call in a stream", () => {
  it("comes in pieces, with the client's own name for a tool that has another one for the model (B1)", async () => {
    const response = await post(
      { tools: [weather], stream: true },
      { answer: call("a", toModelName("get weather!", "chat"), { city: "Paris" }) },
    );
    const { events, isDone } = await readStream(response);
    const choices = (events as OpenAI.ChatCompletionChunk[]).flatMap((chunk) => chunk.choices);
    const deltas = choices.flatMap((choice) => choice.delta.tool_calls ?? []);
    expect(deltas[0]).toMatchObject({ index: 0, id: "toolu_a", type: "function", function: { name: "get weather!" } });
    expect(deltas.length).toBeGreaterThan(2);
    expect(deltas.map((delta) => delta.function?.arguments ?? "").join("")).toBe('{"city":"Paris"}');
    expect(choices.at(-1)?.finish_reason).toBe("tool_calls");
    expect(isDone).toBe(true);
    expect(upstreamBodies(simulator)[0]?.tools).toMatchObject([
      { name: expect.stringMatching(/^get_weather__\w+$/) as string },
    ]);
  });
});

describe("the choice of a tool", () => {
  it("none shows none (B1)", async () => {
    await ask({ tools: [weather], tool_choice: "none" }, { answer: [text("Warm.")] });
    expect(upstreamBodies(simulator)[0]?.tools ?? []).toEqual([]);
  });

  it("of one shows that one, and asks once more where the model only talks (B1)", async () => {
    const choice = { type: "function", function: { name: "now" } };
    const answer = await ask(
      { tools: [weather, now], tool_choice: choice },
      { answer: [text("Hm.")] },
      { answer: call("n", "now", {}) },
    );
    expect(answer).toMatchObject({
      finish_reason: "tool_calls",
      message: { tool_calls: [{ function: { name: "now", arguments: "{}" } }] },
    });
    const bodies = upstreamBodies(simulator);
    expect(bodies).toHaveLength(2);
    expect(bodies[0]).toMatchObject({ tools: [{ name: "now" }], tool_choice: { type: "tool", name: "now" } });
  });

  it.each(["sonnet", "claude-code"])("required is an error where %s was asked twice in vain (B1)", async (model) => {
    expect(await failure({ model, tools: [now], tool_choice: "required" }, { answer: [text("Hm.")] })).toMatchObject({
      status: 502,
      code: "tool_call_missing",
    });
    expect(upstreamBodies(simulator)).toHaveLength(2);
  });

  it("of one at a time is told to the model API, and one is all that the client gets (B1)", async () => {
    const two: AnswerBlock[] = ["a", "b"].map((id) => ({
      type: "tool_use",
      id: `toolu_${id}`,
      name: "now",
      input: {},
    }));
    const answer = await ask({ tools: [now], parallel_tool_calls: false }, { answer: two });
    expect(answer?.message.tool_calls).toMatchObject([{ id: "toolu_a" }]);
    expect(upstreamBodies(simulator)[0]).toMatchObject({
      tool_choice: { type: "auto", disable_parallel_tool_use: true },
    });
  });
});

describe("a strict tool", () => {
  it("is asked for once more where its arguments miss the schema, and only the valid call is seen (B1)", async () => {
    const answer = await ask(
      { tools: [strict] },
      { answer: call("bad", "strict_weather", { town: "Paris" }) },
      { answer: call("good", "strict_weather", { city: "Paris" }) },
    );
    expect(answer?.message.tool_calls).toMatchObject([
      { id: "toolu_good", function: { arguments: '{"city":"Paris"}' } },
    ]);
  });

  it("is an error where they miss it twice (B1)", async () => {
    const bad = (id: string) => ({ answer: call(id, "strict_weather", { town: "Paris" }) });
    expect(await failure({ tools: [strict] }, bad("one"), bad("two"))).toMatchObject({
      status: 502,
      code: "tool_call_missing",
    });
  });
});
