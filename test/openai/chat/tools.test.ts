// What a request says of its tools and of its answer's form → a turn's fields; calls in a turn's events → OpenAI's shapes.
import { describe, expect, it } from "vitest";
import { createChunkMapper } from "../../../src/openai/chat/chunks.ts";
import { type ChatAnswer, toCompletion } from "../../../src/openai/chat/completion.ts";
import { chatRequest } from "../../../src/openai/chat/request.ts";
import { toTurn } from "../../../src/openai/chat/to-turn.ts";
import type { TurnEvent } from "../../../src/turn/turn.ts";

const turnOf = (more: object) =>
  toTurn(
    chatRequest.parse({ model: "sonnet", messages: [{ role: "user", content: "Hi" }], ...more }),
    { sessionId: undefined, endUser: undefined },
    new Map(),
  ).turn;
const tool = (name: string, more: object = {}) => ({ type: "function", function: { name, ...more } });
const named = (name: string) => ({ type: "function", function: { name } });
const tools = [tool("a"), tool("b.c", { description: "Does b.", strict: true })];
const refused = (param: string, code = "invalid_request") => expect.objectContaining({ code, param });

describe("a request's tools", () => {
  it("are the turn's; a tool without parameters takes an empty object (B1)", () => {
    const empty = { type: "object", properties: {} };
    expect(turnOf({ tools })).toMatchObject({
      tools: [
        { name: "a", description: undefined, inputSchema: empty, strict: false },
        { name: "b.c", description: "Does b.", inputSchema: empty, strict: true },
      ],
      toolChoice: { type: "auto" },
      parallelToolCalls: true,
    });
    const typeless = { properties: { x: { type: "string" } } };
    expect(turnOf({ tools: [tool("a", { parameters: typeless })] }).tools[0]?.inputSchema).toEqual({
      ...typeless,
      type: "object",
    });
    expect(turnOf({ tools, parallel_tool_calls: false }).parallelToolCalls).toBe(false);
  });

  it.each([
    ["none", { type: "none" }],
    ["auto", { type: "auto" }],
    ["required", { type: "required" }],
    [named("b.c"), { type: "tool", name: "b.c" }],
  ])("may be chosen by %j (B1)", (choice, expected) => {
    const turn = turnOf({ tools, tool_choice: choice });
    expect(turn.toolChoice).toEqual(expected);
    expect(turn.tools).toHaveLength(2);
  });

  it("are only those that are allowed (B1)", () => {
    const allowed = { type: "allowed_tools", allowed_tools: { mode: "required", tools: [named("b.c")] } };
    const turn = turnOf({ tools, tool_choice: allowed });
    expect(turn.tools.map(({ name }) => name)).toEqual(["b.c"]);
    expect(turn.toolChoice).toEqual({ type: "required" });
  });

  it.each([
    ["a tool twice", { tools: [tool("a"), tool("a")] }, "tools[1].function.name", "invalid_request"],
    [
      "a schema of no object",
      { tools: [tool("a", { parameters: { type: "array" } })] },
      "tools[0].function.parameters.type",
      "invalid_request",
    ],
    ["a custom tool", { tools: [{ type: "custom", custom: {} }] }, "tools[0].type", "unsupported_parameter"],
    [
      "a choice of a tool that is not there",
      { tools, tool_choice: named("x") },
      "tool_choice.function.name",
      "invalid_request",
    ],
    [
      "a tool allowed that is not there",
      { tools, tool_choice: { type: "allowed_tools", allowed_tools: { mode: "auto", tools: [named("x")] } } },
      "tool_choice.allowed_tools.tools[0].function.name",
      "invalid_request",
    ],
    ["a tool required of none", { tool_choice: "required" }, "tool_choice", "invalid_request"],
    ["functions", { functions: [{ name: "a" }] }, "functions", "unsupported_parameter"],
    ["function_call", { function_call: { name: "a" } }, "function_call", "unsupported_parameter"],
  ])("are refused with their place: %s (B1)", (_what, more, param, code) => {
    expect(() => turnOf(more)).toThrow(refused(param, code));
  });
});

describe("response_format", () => {
  const schema = { type: "object", properties: { city: { type: "string" } } };
  it.each([
    [{ type: "text" }, undefined],
    [{ type: "json_object" }, { type: "json_object" }],
    [
      { type: "json_schema", json_schema: { name: "n", schema, strict: true } },
      { type: "json_schema", name: "n", schema, strict: true },
    ],
    [
      { type: "json_schema", json_schema: { name: "n" } },
      { type: "json_schema", name: "n", schema: { type: "object", properties: {} }, strict: false },
    ],
  ])("%j is the form of the turn's answer (B1)", (format, expected) => {
    expect(turnOf({ response_format: format }).outputFormat).toEqual(expected);
  });

  it("of no object is refused (B1)", () => {
    const format = { type: "json_schema", json_schema: { name: "n", schema: { type: "array" } } };
    expect(() => turnOf({ response_format: format })).toThrow(refused("response_format.json_schema.schema.type"));
  });
});

describe("calls of the client's tools", () => {
  const answer: ChatAnswer = { id: "chatcmpl-1", created: 1, model: "sonnet", profile: "chat" };
  const usage = { inputTokens: 1, cacheReadTokens: 0, cacheCreationTokens: 0, outputTokens: 1, reasoningTokens: 0 };
  const calls: readonly TurnEvent[] = [
    { type: "tool-start", id: "toolu_1", name: "a" },
    { type: "tool-delta", id: "toolu_1", json: '{"x":' },
    { type: "tool-delta", id: "toolu_1", json: "1}" },
    { type: "tool-stop", id: "toolu_1", input: { x: 1 } },
    { type: "tool-start", id: "toolu_2", name: "b.c" },
    { type: "tool-delta", id: "toolu_2", json: "{}" },
    { type: "tool-stop", id: "toolu_2", input: {} },
    { type: "finish", reason: "tool_calls", stopSequence: undefined, usage, costUsd: 0 },
  ];
  const said: readonly TurnEvent[] = [
    { type: "block-start", kind: "text" },
    { type: "delta", kind: "text", text: "Let me look." },
    { type: "block-stop", kind: "text" },
  ];
  const completionOf = async (events: readonly TurnEvent[]) =>
    (
      await toCompletion(
        (async function* all() {
          yield* events;
        })(),
        answer,
      )
    ).choices[0];
  const deltasOf = (events: readonly TurnEvent[]) =>
    events.flatMap(createChunkMapper(answer, { includeUsage: false })).map(({ choices }) => choices[0]);

  it("stand in the message, whose content is null where it has no words (B1)", async () => {
    const { message, finish_reason: reason } = await completionOf(calls);
    expect(reason).toBe("tool_calls");
    expect(message.content).toBeNull();
    expect(message.tool_calls).toEqual([
      { id: "toolu_1", type: "function", function: { name: "a", arguments: '{"x":1}' } },
      { id: "toolu_2", type: "function", function: { name: "b.c", arguments: "{}" } },
    ]);
    expect((await completionOf([...said, ...calls])).message.content).toBe("Let me look.");
  });

  it("stream with an index each: the name first, then its arguments in pieces (B1)", () => {
    const choices = deltasOf(calls);
    expect(choices.map((choice) => choice?.delta)).toEqual([
      { role: "assistant", content: null },
      { tool_calls: [{ index: 0, id: "toolu_1", type: "function", function: { name: "a", arguments: "" } }] },
      { tool_calls: [{ index: 0, function: { arguments: '{"x":' } }] },
      { tool_calls: [{ index: 0, function: { arguments: "1}" } }] },
      { tool_calls: [{ index: 1, id: "toolu_2", type: "function", function: { name: "b.c", arguments: "" } }] },
      { tool_calls: [{ index: 1, function: { arguments: "{}" } }] },
      {},
    ]);
    expect(choices.at(-1)?.finish_reason).toBe("tool_calls");
    expect(deltasOf([...said, ...calls])[0]?.delta).toEqual({ role: "assistant", content: "" });
  });
});
