// Anthropic's own SDK as a client. What it gets is held against the schemas of every event by test/helpers/watch.ts.
import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../../src/simulator/index.ts";
import { clientKey, processesOf, startServer, type TestServer, until } from "../../helpers/server.ts";
import { lastConversation, upstreamBodies } from "../../helpers/upstream.ts";

const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

let simulator: Simulator;
let server: TestServer;
let client: Anthropic;

beforeAll(async () => {
  simulator = await startSimulator();
  server = await startServer({ upstream: simulator.url });
  client = connect();
});
afterAll(async () => {
  await server.stop();
  await simulator.close();
});
beforeEach(() => {
  simulator.clearFaults();
  simulator.clearRequests();
  simulator.setRules([]);
});

function connect(options: ConstructorParameters<typeof Anthropic>[0] = {}): Anthropic {
  return new Anthropic({ baseURL: server.url, apiKey: clientKey, maxRetries: 0, ...options });
}
const says = (content: Anthropic.MessageParam["content"]): Anthropic.MessageParam => ({ role: "user", content });
const hello = { model: "sonnet", max_tokens: 200, messages: [says("Say hello.")] };

const weather = {
  name: "get_weather",
  description: "The weather in a city.",
  input_schema: {
    type: "object" as const,
    properties: { city: { type: "string" } },
    required: ["city"],
    additionalProperties: false,
  },
};

/** A fetch that notes the status of each answer. */
function counting() {
  const statuses: number[] = [];
  const counted: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    statuses.push(response.status);
    return response;
  };
  return { statuses, fetch: counted };
}

describe("Anthropic's client", () => {
  it("gets a message, with its request id and usage (B7)", async () => {
    const message = await client.messages.create(hello);
    expect(message).toMatchObject({ type: "message", role: "assistant", stop_reason: "end_turn", model: "sonnet" });
    expect(message.content[0]).toMatchObject({ type: "text", text: expect.stringMatching(/./) });
    expect(message.usage.output_tokens).toBeGreaterThan(0);
    expect(message.usage.input_tokens).toBeGreaterThan(0);
    expect(message._request_id).toMatch(/^req_/);
    expect(message.id).toMatch(/^msg_/);
  });

  it("may show its key as a bearer's token (C1)", async () => {
    const message = await connect({ apiKey: null, authToken: clientKey }).messages.create(hello);
    expect(message.id).toMatch(/^msg_/);
  });

  it("streams, and gathers the stream to the same answer (B7)", async () => {
    let told = "";
    const stream = client.messages.stream(hello).on("text", (text) => {
      told += text;
    });
    const message = await stream.finalMessage();
    expect(message.content.find((block) => block.type === "text")?.text).toBe(told);
    expect(message.stop_reason).toBe("end_turn");
    expect(message.usage.output_tokens).toBeGreaterThan(0);
    expect(message.usage.input_tokens).toBeGreaterThan(0);
  });

  it("gets a stream's events in their order (B7)", async () => {
    const types: string[] = [];
    for await (const { type } of await client.messages.create({ ...hello, stream: true })) types.push(type);
    expect(types[0]).toBe("message_start");
    expect(types.slice(-2)).toEqual(["message_delta", "message_stop"]);
    const count = (type: string) => types.filter((each) => each === type).length;
    expect(count("content_block_start")).toBe(count("content_block_stop"));
    expect(count("content_block_delta")).toBeGreaterThan(0);
  });

  it("gets thinking with its signature where it asks for it (B7)", async () => {
    simulator.setRules([
      {
        answer: [
          { type: "thinking", thinking: "Two and two." },
          { type: "text", text: "4" },
        ],
      },
    ]);
    const asking = { ...hello, max_tokens: 3_000, messages: [says("2+2?")] };
    const thinking = { type: "enabled" as const, budget_tokens: 1_024 };
    const message = await client.messages.stream({ ...asking, thinking }).finalMessage();
    expect(message.content).toEqual([
      { type: "thinking", thinking: "Two and two.", signature: expect.stringMatching(/./) },
      { type: "text", text: "4" },
    ]);
    expect((await client.messages.create(asking)).content).toEqual([{ type: "text", text: "4" }]);
    // What it was given it may send again.
    const messages = [...asking.messages, { role: "assistant" as const, content: message.content }, says("Sure?")];
    await client.messages.create({ ...asking, thinking, messages });
    expect(lastConversation(simulator)).toEqual(["user: 2+2?", "assistant: 4", "user: Sure?"]);
  });

  it("calls a tool in a stream, and goes on with its result (B7)", async () => {
    const asking = { ...hello, messages: [says("Weather in Paris?")], tools: [weather] };
    const stream = client.messages.stream({ ...asking, tool_choice: { type: "tool", name: "get_weather" } });
    const { content, stop_reason } = await stream.finalMessage();
    expect(stop_reason).toBe("tool_use");
    const call = content.find((block) => block.type === "tool_use");
    expect(call).toMatchObject({ name: "get_weather", input: { city: expect.any(String) } });
    const result = { type: "tool_result" as const, tool_use_id: call?.id ?? "", content: "21C" };
    const messages = [...asking.messages, { role: "assistant" as const, content }, says([result])];
    const answer = await client.messages.create({ ...asking, messages });
    expect(answer.stop_reason).toBe("end_turn");
    expect(JSON.stringify(upstreamBodies(simulator).at(-1)?.messages)).toContain("21C");
  });

  it("gives thinking back beside the result that it led to (B7)", async () => {
    const call = { type: "tool_use" as const, id: "toolu_w1", name: "get_weather", input: { city: "Paris" } };
    const thinking = { type: "thinking" as const, thinking: "I have to look.", signature: "c2lnbmVk" };
    simulator.setRules([{ when: "21C", answer: [{ type: "text", text: "Warm." }] }, { answer: [thinking, call] }]);
    const asking = {
      ...hello,
      max_tokens: 4_000,
      messages: [says("Weather?")],
      tools: [weather],
      thinking: { type: "adaptive" as const },
    };
    const { content } = await client.messages.create(asking);
    expect(content.map(({ type }) => type)).toEqual(["thinking", "tool_use"]);
    const result = { type: "tool_result" as const, tool_use_id: "toolu_w1", content: "21C", is_error: false };
    const messages = [...asking.messages, { role: "assistant" as const, content }, says([result])];
    expect((await client.messages.create({ ...asking, messages })).content).toEqual([{ type: "text", text: "Warm." }]);
    const sent = upstreamBodies(simulator).at(-1);
    expect(JSON.stringify(sent?.messages)).toContain("c2lnbmVk");
    // Also where the server has never seen the call, if the model is named in full.
    const elsewhere = JSON.parse(JSON.stringify(messages).replaceAll("toolu_w1", "toolu_w2")) as typeof messages;
    expect(
      (await client.messages.create({ ...asking, model: sent?.model ?? "", messages: elsewhere })).stop_reason,
    ).toBe("end_turn");
    expect(JSON.stringify(upstreamBodies(simulator).at(-1)?.messages)).toContain("c2lnbmVk");
  });

  it("sends system blocks, an image and stop sequences (B7)", async () => {
    simulator.setRules([{ answer: [{ type: "text", text: "Red. ZZZ and more" }] }]);
    const message = await client.messages.create({
      model: "sonnet",
      max_tokens: 100,
      system: [{ type: "text", text: "Brief.", cache_control: { type: "ephemeral" } }],
      stop_sequences: ["ZZZ"],
      messages: [
        says([
          { type: "image", source: { type: "base64", media_type: "image/png", data: png } },
          { type: "text", text: "Colour?" },
        ]),
      ],
    });
    expect(message).toMatchObject({ content: [{ text: "Red. " }], stop_reason: "stop_sequence", stop_sequence: "ZZZ" });
    const sent = upstreamBodies(simulator).at(-1);
    expect(JSON.stringify(sent?.messages)).toContain('"type":"image"');
    expect(sent?.system?.some(({ text }) => text.includes("Brief."))).toBe(true);
  });

  it("is told where the token limit ended an answer (B7)", async () => {
    simulator.setRules([{ tokens: 500 }]);
    expect((await client.messages.create({ ...hello, max_tokens: 10 })).stop_reason).toBe("max_tokens");
  });

  it("counts tokens (B7)", async () => {
    expect((await client.messages.countTokens({ model: "sonnet", messages: [says("hello")] })).input_tokens).toBe(5);
  });

  it("lists the models, page by page, and finds one (B2, B7)", async () => {
    const names: string[] = [];
    for await (const { id } of client.models.list({ limit: 2 })) names.push(id);
    expect(names).toEqual(expect.arrayContaining(["claude-code", "sonnet", "haiku"]));
    expect((await client.models.retrieve("claude-code/opus")).type).toBe("model");
  });

  it("raises its own error types (B7)", async () => {
    const { statuses, fetch: counted } = counting();
    const rejected = connect({ apiKey: "wrong", fetch: counted, maxRetries: 2 }).messages.create(hello);
    await expect(rejected).rejects.toBeInstanceOf(Anthropic.AuthenticationError);
    await expect(rejected).rejects.toMatchObject({ type: "authentication_error", requestID: expect.any(String) });
    expect(statuses).toEqual([401]);
    // What the types don't let through.
    const { max_tokens: _, ...unbounded } = hello;
    const bad = client.messages.create(unbounded as typeof hello);
    await expect(bad).rejects.toBeInstanceOf(Anthropic.BadRequestError);
    await expect(bad).rejects.toMatchObject({ type: "invalid_request_error" });
    await expect(client.get("/v1/nope")).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    simulator.fail({ kind: "status", status: 429 });
    await expect(client.messages.create(hello)).rejects.toBeInstanceOf(Anthropic.RateLimitError);
  });

  it("tries again where the model API was overloaded (B7)", async () => {
    const { statuses, fetch: counted } = counting();
    simulator.fail({ kind: "status", status: 529 }, 1);
    await connect({ fetch: counted, maxRetries: 2 }).messages.create(hello);
    expect(statuses).toEqual([529, 200]);
  });

  it("raises on an error inside a stream (B7)", async () => {
    simulator.setRules([{ fault: { kind: "mid-stream-error", afterDeltas: 3 } }]);
    const broken = client.messages.stream(hello).finalMessage();
    await expect(broken).rejects.toBeInstanceOf(Anthropic.APIError);
    await expect(broken).rejects.toMatchObject({ type: expect.stringMatching(/_error$/) });
  });

  it("aborts a stream, which ends the run (C4)", async () => {
    simulator.setRules([{ tokens: 2_000, delayMs: 20 }]);
    const stream = await client.messages.create({ ...hello, max_tokens: 4_000, stream: true });
    for await (const event of stream) if (event.type === "content_block_delta") break;
    stream.controller.abort();
    await until(
      "no process",
      async () => (await processesOf(server.home)).every((command) => command.includes("watchdog")),
      60_000,
    );
  });

  it("goes on with a conversation that the server keeps (B3, B7)", async () => {
    const headers = { "x-session-id": "anthropic-1" };
    await client.messages.create({ ...hello, messages: [says("My name is Ada.")] }, { headers });
    await client.messages.create({ ...hello, messages: [says("And now?")] }, { headers });
    expect(JSON.stringify(upstreamBodies(simulator).at(-1)?.messages)).toContain("My name is Ada.");
    expect(await (await server.get("/v1/sessions/anthropic-1")).json()).toMatchObject({ turns: 2 });
  });
});
