import { describe, expect, it } from "vitest";
import { toMessage } from "../../src/anthropic/message.ts";
import { createStreamMapper, type StreamEvent } from "../../src/anthropic/stream.ts";
import type { ShownThinking } from "../../src/anthropic/to-turn.ts";
import type { FinishReason, TurnEvent } from "../../src/turn/turn.ts";
import { createStreamOrder } from "../helpers/anthropic-stream.ts";
import { message } from "../helpers/anthropic-schema.ts";

const frame = { id: `msg_${"0".repeat(32)}`, model: "sonnet" };
const usage = { inputTokens: 5, cacheReadTokens: 2, cacheCreationTokens: 1, outputTokens: 30, reasoningTokens: 9 };
const working: TurnEvent = { type: "phase", phase: "working" };

function finish(reason: FinishReason = "stop", stopSequence?: string): TurnEvent {
  return { type: "finish", reason, stopSequence, usage, costUsd: 0.01 };
}
function block(kind: "text" | "thinking", texts: readonly string[], signature?: string): TurnEvent[] {
  return [
    { type: "block-start", kind },
    ...texts.map((text): TurnEvent => ({ type: "delta", kind, text })),
    { type: "block-stop", kind, ...(signature === undefined ? {} : { signature }) },
  ];
}
const call: readonly TurnEvent[] = [
  { type: "tool-start", id: "toolu_1", name: "get_weather" },
  { type: "tool-delta", id: "toolu_1", json: '{"city"' },
  { type: "tool-delta", id: "toolu_1", json: ':"Paris"}' },
  { type: "tool-stop", id: "toolu_1", input: { city: "Paris" } },
];

/** The events, each true to its schema and at its place. */
function told(events: readonly TurnEvent[], shownThinking: ShownThinking = "all"): StreamEvent[] {
  const all = events.flatMap(createStreamMapper({ ...frame, shownThinking }));
  const order = createStreamOrder();
  expect([...all.flatMap((event) => order.next(event.type, event)), ...order.end()]).toEqual([]);
  return all;
}

async function whole(events: readonly TurnEvent[], shownThinking: ShownThinking = "all") {
  async function* turn() {
    yield* events;
  }
  const answer = await toMessage(turn(), createStreamMapper({ ...frame, shownThinking }));
  expect(message.safeParse(answer).error).toBeUndefined();
  return answer;
}

const everything = [
  working,
  ...block("thinking", ["Hm", "m."], "c2ln"),
  ...block("text", ["Let me ", "see."]),
  ...call,
  finish("tool_calls"),
];

describe("a message stream", () => {
  it("tells thinking, text and calls as Anthropic's does (B7)", () => {
    const names = told(everything).map((event) =>
      event.type === "content_block_delta"
        ? `${event.index} ${event.delta.type}`
        : "index" in event
          ? `${event.index} ${event.type}`
          : event.type,
    );
    expect(names).toEqual([
      "message_start",
      "ping",
      "0 content_block_start",
      "0 thinking_delta",
      "0 thinking_delta",
      "0 signature_delta",
      "0 content_block_stop",
      "1 content_block_start",
      "1 text_delta",
      "1 text_delta",
      "1 content_block_stop",
      "2 content_block_start",
      "2 input_json_delta",
      "2 input_json_delta",
      "2 content_block_stop",
      "message_delta",
      "message_stop",
    ]);
  });

  it("shows no thinking that was not asked for, and its signature alone where that was (B7)", async () => {
    expect((await whole(everything, "nothing")).content.map(({ type }) => type)).toEqual(["text", "tool_use"]);
    expect((await whole(everything, "signature")).content[0]).toEqual({
      type: "thinking",
      thinking: "",
      signature: "c2ln",
    });
    told(everything, "nothing");
    told(everything, "signature");
  });

  it("begins once the model has the request, and once (B7)", () => {
    const mapper = createStreamMapper({ ...frame, shownThinking: "all" });
    expect(mapper({ type: "phase", phase: "queued" })).toEqual([]);
    expect(mapper(working).map(({ type }) => type)).toEqual(["message_start", "ping"]);
    expect(mapper({ type: "phase", phase: "refreshing" })).toEqual([]);
    expect(mapper(working)).toEqual([]);
  });

  it("has no block without content, and may have none at all (B7)", async () => {
    expect(
      (await whole([working, ...block("text", [""]), ...block("text", ["A", "", "B"]), finish()])).content,
    ).toEqual([{ type: "text", text: "AB" }]);
    expect((await whole([finish()])).content).toEqual([]);
  });

  it("shows thinking that the token limit cut off, unsigned (B7)", async () => {
    const cut: TurnEvent[] = [...block("thinking", ["Hm"]), finish("length")];
    expect(told(cut).at(-3)).toMatchObject({ type: "content_block_stop" });
    expect(await whole(cut)).toMatchObject({ stop_reason: "max_tokens", content: [{ thinking: "Hm", signature: "" }] });
  });
});

describe("a message", () => {
  it("is what its stream adds up to (B7)", async () => {
    expect(await whole(everything)).toEqual({
      ...frame,
      type: "message",
      role: "assistant",
      content: [
        { type: "thinking", thinking: "Hmm.", signature: "c2ln" },
        { type: "text", text: "Let me see." },
        { type: "tool_use", id: "toolu_1", name: "get_weather", input: { city: "Paris" }, caller: { type: "direct" } },
      ],
      container: null,
      stop_reason: "tool_use",
      stop_sequence: null,
      stop_details: null,
      usage: {
        input_tokens: 5,
        cache_creation_input_tokens: 1,
        cache_read_input_tokens: 2,
        output_tokens: 30,
        output_tokens_details: { thinking_tokens: 9 },
        server_tool_use: null,
      },
    });
  });

  it.each([
    [finish(), "end_turn", null],
    [finish("stop", "END"), "stop_sequence", "END"],
    [finish("length"), "max_tokens", null],
    [finish("refusal"), "refusal", null],
  ])("says why it ended: %j is %s (B7)", async (end, reason, sequence) => {
    const answer = await whole([...block("text", ["Hi."]), end]);
    expect(answer).toMatchObject({ stop_reason: reason, stop_sequence: sequence });
    expect(answer.stop_details?.type).toBe(reason === "refusal" ? "refusal" : undefined);
  });

  it("has an agent's words as blocks of their own (B2, B7)", async () => {
    const answer = await whole([...block("text", ["I look."]), ...block("text", ["Done."]), finish()]);
    expect(answer.content).toEqual([
      { type: "text", text: "I look." },
      { type: "text", text: "Done." },
    ]);
  });
});

describe("the order of a stream, as tests hold it", () => {
  const [start, ping, open, delta, ...rest] = told([working, ...block("text", ["Hi."]), finish()]);
  const [stop, end, over] = rest;
  it.each([
    ["without its beginning", [open, delta, stop, end, over]],
    ["with two beginnings", [start, start, open, delta, stop, end, over]],
    ["with an open block at its end", [start, open, delta, end, over]],
    ["with a delta of no block", [start, delta, end, over]],
    ["with an empty block", [start, open, stop, end, over]],
    ["without an end", [start, ping, open, delta, stop]],
    ["with something after its end", [start, end, over, ping]],
  ])("finds a stream %s", (_what, events) => {
    const order = createStreamOrder();
    expect([...events.flatMap((event) => order.next(event?.type, event)), ...order.end()]).not.toEqual([]);
  });
});
