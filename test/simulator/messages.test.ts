// What the official client gets: text, streams, tools, thinking, usage, token counts, models.
import Anthropic from "@anthropic-ai/sdk";
import { expect, it } from "vitest";
import { ask, MODEL, startPair, textOf } from "./clients.ts";

const weather: Anthropic.Tool = {
  name: "get_weather",
  description: "The weather of a city",
  input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
};

it("gives the same text streamed and not (E1)", async () => {
  await using pair = await startPair();
  const whole = await pair.client.messages.create(ask("Count to 12."));
  let streamed = "";
  const stream = pair.client.messages.stream(ask("Count to 12.")).on("text", (text) => (streamed += text));
  const final = await stream.finalMessage();
  expect(textOf(whole)).toBe("1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12");
  expect(streamed).toBe(textOf(whole));
  expect(final.stop_reason).toBe("end_turn");
  expect(whole._request_id).toMatch(/^req_/);
  expect(whole.id).toMatch(/^msg_01/);
  expect(whole.usage.output_tokens).toBeGreaterThan(10);
  expect(final.usage.output_tokens).toBe(whole.usage.output_tokens);
});

it("streams the events in the API's order, with one delta for each token of a rule (E1)", async () => {
  await using pair = await startPair({ rules: [{ tokens: 25 }] });
  const types: string[] = [];
  for await (const event of await pair.client.messages.create({ ...ask("x"), stream: true })) types.push(event.type);
  expect(types).toEqual([
    "message_start",
    "content_block_start",
    ...Array.from({ length: 25 }, () => "content_block_delta"),
    "content_block_stop",
    "message_delta",
    "message_stop",
  ]);
});

it("writes each event with one write and a ping after the start (E1)", async () => {
  await using pair = await startPair({ rules: [{ tokens: 3, delayMs: 20 }] });
  const response = await fetch(`${pair.simulator.url}/v1/messages`, {
    method: "POST",
    headers: { "x-api-key": "made-up-key-0001" },
    body: JSON.stringify({ ...ask("x"), stream: true }),
  });
  expect(response.headers.get("content-type")).toMatch(/^text\/event-stream/);
  const text = await response.text();
  expect(text.split("\n\n")[1]).toBe('event: ping\ndata: {"type":"ping"}');
  for (const event of text.trimEnd().split("\n\n")) expect(event).toMatch(/^event: [a-z_]+\ndata: \{.*\}$/);
});

it("calls a forced tool with an input of its schema, and quotes the result (E1)", async () => {
  await using pair = await startPair();
  const request = { ...ask("Weather in Oslo?"), tools: [weather] };
  const forced = await pair.client.messages
    .stream({ ...request, tool_choice: { type: "tool", name: "get_weather" } })
    .finalMessage();
  const call = forced.content.find((block) => block.type === "tool_use");
  expect(forced.stop_reason).toBe("tool_use");
  expect(call?.input).toEqual({ city: "Oslo" });
  const answer = await pair.client.messages.create({
    ...request,
    messages: [
      ...request.messages,
      { role: "assistant", content: forced.content },
      { role: "user", content: [{ type: "tool_result", tool_use_id: call?.id ?? "", content: "minus 3 degrees" }] },
    ],
  });
  expect(answer.stop_reason).toBe("end_turn");
  expect(textOf(answer)).toContain("minus 3 degrees");
});

it("streams a tool's input in several pieces of JSON (E1)", async () => {
  await using pair = await startPair({
    rules: [{ answer: [{ type: "tool_use", name: "Write", input: { path: "/tmp/a.txt", text: 'ä€😀 and "more"' } }] }],
  });
  const pieces: string[] = [];
  for await (const event of await pair.client.messages.create({ ...ask("x"), stream: true })) {
    if (event.type === "content_block_delta" && event.delta.type === "input_json_delta") {
      pieces.push(event.delta.partial_json);
    }
  }
  expect(pieces.length).toBeGreaterThan(3);
  expect(JSON.parse(pieces.join(""))).toEqual({ path: "/tmp/a.txt", text: 'ä€😀 and "more"' });
});

it.each([{ type: "enabled", budget_tokens: 1024 }, { type: "adaptive" }] as const)(
  "thinks with a signature where thinking is $type, and counts it (E1)",
  async (thinking) => {
    await using pair = await startPair();
    const message = await pair.client.messages.stream({ ...ask("2+2?"), max_tokens: 4000, thinking }).finalMessage();
    expect(message.content.map((block) => block.type)).toEqual(["thinking", "text"]);
    const [first] = message.content;
    expect(first?.type === "thinking" && first.thinking.length > 0 && first.signature.length > 20).toBe(true);
    expect(message.usage.output_tokens_details?.thinking_tokens).toBeGreaterThan(0);
  },
);

it("does not think unless asked to (E1)", async () => {
  await using pair = await startPair();
  const message = await pair.client.messages.create(ask("Think hard: 2+2?"));
  expect(message.content.map((block) => block.type)).toEqual(["text"]);
});

it("ends at max_tokens and at a stop sequence (E1)", async () => {
  await using pair = await startPair();
  const short = await pair.client.messages.create({ ...ask("Count to 500."), max_tokens: 7 });
  expect([short.stop_reason, short.usage.output_tokens]).toEqual(["max_tokens", 7]);
  const stopped = await pair.client.messages
    .stream({ ...ask("Count to 20."), stop_sequences: ["never", ", 8"] })
    .finalMessage();
  expect(textOf(stopped)).toBe("1, 2, 3, 4, 5, 6, 7");
  expect([stopped.stop_reason, stopped.stop_sequence]).toEqual(["stop_sequence", ", 8"]);
});

it("stops at the sequence that comes first, and holds all blocks together to max_tokens (E1)", async () => {
  await using pair = await startPair({
    rules: [
      {
        when: "blocks",
        answer: [
          { type: "thinking", thinking: "one two three" },
          { type: "text", text: "four five six seven" },
          { type: "tool_use", name: "t", input: {} },
        ],
      },
    ],
  });
  const first = await pair.client.messages.create({ ...ask("Count to 20."), stop_sequences: ["5", "9", "12"] });
  expect([textOf(first), first.stop_sequence]).toEqual(["1, 2, 3, 4, ", "5"]);
  const cut = await pair.client.messages.create({ ...ask("blocks"), max_tokens: 5 });
  expect(cut.content.map((block) => block.type)).toEqual(["thinking", "text"]);
  expect([textOf(cut), cut.stop_reason, cut.usage.output_tokens]).toEqual(["four five", "max_tokens", 5]);
});

it("takes the results of parallel tools in messages of their own (E1)", async () => {
  await using pair = await startPair();
  const ids = ["toolu_1", "toolu_2"];
  const message = await pair.client.messages.create({
    ...ask("x"),
    messages: [
      { role: "user", content: "x" },
      { role: "assistant", content: ids.map((id) => ({ type: "tool_use" as const, id, name: "t", input: {} })) },
      ...ids.map((id) => ({
        role: "user" as const,
        content: [{ type: "tool_result" as const, tool_use_id: id, content: `result of ${id}` }],
      })),
    ],
  });
  expect(textOf(message)).toContain("result of toolu_2");
});

it("takes images by data and by address, and says what it got (E1)", async () => {
  await using pair = await startPair();
  const image = (source: Anthropic.ImageBlockParam["source"]): Anthropic.ImageBlockParam => ({ type: "image", source });
  const message = await pair.client.messages.create({
    model: MODEL,
    max_tokens: 200,
    messages: [
      {
        role: "user",
        content: [
          image({ type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" }),
          image({ type: "url", url: "https://example.com/a.png" }),
          { type: "text", text: "Colour?" },
        ],
      },
    ],
  });
  expect(textOf(message)).toContain("I see 2 images (image/png, 9 bytes; from a URL)");
});

it("answers with JSON that matches the schema asked for (E1)", async () => {
  await using pair = await startPair();
  const message = await pair.client.messages.create({
    ...ask("A city in Japan: Tokyo"),
    output_config: {
      format: {
        type: "json_schema",
        schema: {
          type: "object",
          properties: { city: { type: "string" }, n: { type: "integer" } },
          required: ["city", "n"],
          additionalProperties: false,
        },
      },
    },
  });
  expect(JSON.parse(textOf(message))).toEqual({ city: "Tokyo", n: 1 });
});

it("reports what a prompt cache would have read (E1)", async () => {
  await using pair = await startPair();
  const request = {
    model: MODEL,
    max_tokens: 50,
    system: [{ type: "text" as const, text: "Be brief. ".repeat(200), cache_control: { type: "ephemeral" as const } }],
    messages: [{ role: "user" as const, content: "hi" }],
  };
  const first = await pair.client.messages.create(request);
  const second = await pair.client.messages.create(request);
  expect(first.usage.cache_creation_input_tokens).toBeGreaterThan(400);
  expect(first.usage.cache_read_input_tokens).toBe(0);
  expect(second.usage.cache_read_input_tokens).toBe(first.usage.cache_creation_input_tokens);
});

it("counts tokens without an answer (E1)", async () => {
  await using pair = await startPair();
  const count = async (content: string) =>
    (await pair.client.messages.countTokens({ model: MODEL, messages: [{ role: "user", content }] })).input_tokens;
  expect(await count("hello")).toBeGreaterThan(0);
  expect(await count("hello ".repeat(400))).toBeGreaterThan(600);
});

it("lists its models in pages and finds one by name (E1)", async () => {
  await using pair = await startPair();
  const ids: string[] = [];
  for await (const model of pair.client.models.list({ limit: 2 })) ids.push(model.id);
  expect(ids.length).toBeGreaterThan(3);
  expect(new Set(ids).size).toBe(ids.length);
  expect((await pair.client.models.retrieve(ids[0] ?? "")).type).toBe("model");
  await expect(pair.client.models.retrieve("gpt-4o")).rejects.toBeInstanceOf(Anthropic.NotFoundError);
});

it("keeps two messages of one role and a system message between others (E1)", async () => {
  await using pair = await startPair();
  const message = await pair.client.messages.create({
    model: MODEL,
    max_tokens: 50,
    messages: [
      { role: "user", content: "My name is Ada." },
      { role: "system", content: "# Environment" },
      { role: "assistant", content: "Hello." },
      { role: "user", content: "One more thing." },
      { role: "user", content: "What is my name?" },
    ],
  });
  expect(textOf(message)).toBe("Your name is Ada.");
});
