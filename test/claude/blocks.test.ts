import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BlockReader, createBlockReader } from "../../src/claude/blocks.ts";
import { createCallReader } from "../../src/claude/tool-calls.ts";
import type { TurnEvent } from "../../src/turn/turn.ts";
import {
  assistant,
  blockStart,
  blockStop,
  messageDelta,
  messageStart,
  streamed,
  text,
  textDelta,
  thinking,
  thinkingDelta,
  toolUse,
} from "../helpers/sdk-messages.ts";

const noCalls = () =>
  createCallReader({ profile: "chat", tools: [], toolChoice: { type: "auto" }, parallelToolCalls: true });

type StreamEvent = Parameters<BlockReader["onStreamEvent"]>[0];

const feed = (reader: BlockReader, events: readonly StreamEvent[]) =>
  events.flatMap((event) => reader.onStreamEvent(event));

const read = (...events: readonly StreamEvent[]) => feed(createBlockReader(noCalls()), events);

const start = (kind: "text" | "thinking") => ({ type: "block-start", kind }) as const;
const stop = (kind: "text" | "thinking") => ({ type: "block-stop", kind }) as const;
const delta = (kind: "text" | "thinking", words: string) => ({ type: "delta", kind, text: words }) as const;

/** What a client has of an answer: each block's kind and text. Fails where blocks nest, or words stand outside of one. */
function blocksOf(events: readonly TurnEvent[]): string[] {
  const blocks: string[] = [];
  let open: string | undefined;
  for (const event of events) {
    if (event.type === "block-start") {
      expect(open).toBeUndefined();
      open = event.kind;
      blocks.push(`${event.kind}: `);
    } else if (event.type === "delta") {
      expect(event.kind).toBe(open);
      blocks.push(`${blocks.pop() ?? ""}${event.text}`);
    } else if (event.type === "block-stop") {
      expect(event.kind).toBe(open);
      open = undefined;
    }
  }
  expect(open).toBeUndefined();
  return blocks;
}

describe("the blocks of a stream", () => {
  it("come with each token, thinking first with its signature, then the text (B1)", () => {
    expect(read(...streamed("m1", [thinking("Hm", "sig-1"), text("Hello")]))).toEqual([
      start("thinking"),
      delta("thinking", "Hm"),
      { ...stop("thinking"), signature: "sig-1" },
      start("text"),
      delta("text", "Hello"),
      stop("text"),
    ]);
  });

  it("give each token at once: nothing waits for a block's end (B1)", () => {
    const reader = createBlockReader(noCalls());
    feed(reader, [messageStart("m1"), blockStart("text")]);
    expect(reader.onStreamEvent(textDelta("He"))).toEqual([delta("text", "He")]);
    expect(reader.onStreamEvent(textDelta(""))).toEqual([]);
    expect(reader.onStreamEvent(textDelta("llo"))).toEqual([delta("text", "llo")]);
  });

  it("say nothing of tools (B2)", () => {
    const events = read(
      ...streamed("m1", [text("Let me look."), toolUse("t1")], "tool_use"),
      ...streamed("m2", [text("Done.")]),
    );
    expect(blocksOf(events)).toEqual(["text: Let me look.", "text: Done."]);
    expect(JSON.stringify(events)).not.toContain("ls");
  });

  it("come whole from messages that were not streamed, one for each block (B1)", () => {
    const reader = createBlockReader(noCalls());
    const events = [
      ...reader.onAssistantMessage(assistant("m1", [thinking("Hm", "sig-1")])),
      ...reader.onAssistantMessage(assistant("m1", [text("Hello")])),
      ...reader.onAssistantMessage(assistant("m1", [toolUse("t1")])),
    ];
    events.push(...feed(reader, streamed("m2", [text("Bye")])));
    expect(blocksOf(events)).toEqual(["thinking: Hm", "text: Hello", "text: Bye"]);
    expect(events).toContainEqual({ ...stop("thinking"), signature: "sig-1" });
    expect(reader.usage).toMatchObject({ inputTokens: 20, outputTokens: 10 });
  });

  it("come once where the whole message follows its stream (B1)", () => {
    const reader = createBlockReader(noCalls());
    const events = feed(reader, streamed("m1", [text("Hello")]).slice(0, 4));
    events.push(...reader.onAssistantMessage(assistant("m1", [text("Hello")])));
    events.push(...feed(reader, streamed("m1", []).slice(-2)));
    expect(blocksOf(events)).toEqual(["text: Hello"]);
  });

  it("hold the same text however it is cut into deltas (B1)", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme" })), fc.array(fc.string()), (words, thoughts) => {
        const events = read(
          messageStart("m1"),
          blockStart("thinking"),
          ...thoughts.map(thinkingDelta),
          blockStop(),
          blockStart("text"),
          ...words.map(textDelta),
          blockStop(),
          messageDelta(),
        );
        expect(blocksOf(events)).toEqual([`thinking: ${thoughts.join("")}`, `text: ${words.join("")}`]);
      }),
    );
  });
});

describe("a second attempt after a stream that broke off", () => {
  it("goes on where the first one stopped, in the block that is still open at the client (A5)", () => {
    const broken = [messageStart("m1"), blockStart("text"), textDelta("Hel")];
    expect(read(...broken, ...streamed("m2", [text("Hello")]))).toEqual([
      start("text"),
      delta("text", "Hel"),
      delta("text", "lo"),
      stop("text"),
    ]);
  });

  it("goes on also where Claude Code ended the block that was cut (A5)", () => {
    const broken = [messageStart("m1"), blockStart("text"), textDelta("Hel"), blockStop()];
    expect(blocksOf(read(...broken, ...streamed("m2", [text("Hello")])))).toEqual(["text: Hello"]);
  });

  it("goes on when it comes as a whole message, without a stream (A5)", () => {
    const reader = createBlockReader(noCalls());
    const events = feed(reader, [
      ...streamed("m1", [thinking("Hm")]).slice(0, 5),
      blockStart("text"),
      textDelta("Hel"),
    ]);
    events.push(...reader.onAssistantMessage(assistant("m2", [thinking("Hm")])));
    events.push(...reader.onAssistantMessage(assistant("m2", [text("Hello")])));
    expect(blocksOf(events)).toEqual(["thinking: Hm", "text: Hello"]);
  });

  it("may begin with another kind of block where the first one had said nothing yet (A5)", () => {
    const broken = [messageStart("m1"), blockStart("thinking")];
    expect(blocksOf(read(...broken, ...streamed("m2", [text("Hello")])))).toEqual(["thinking: ", "text: Hello"]);
    expect(blocksOf(read(...broken, ...streamed("m2", [toolUse("t1")], "tool_use")))).toEqual(["thinking: "]);
    const reader = createBlockReader(noCalls());
    const events = [...feed(reader, broken), ...reader.onAssistantMessage(assistant("m2", [text("Hello")]))];
    expect(blocksOf(events)).toEqual(["thinking: ", "text: Hello"]);
  });

  it.each([
    { what: "other words", first: [text("Hello")], second: [text("Hi, you")] },
    { what: "fewer words", first: [text("Hello")], second: [text("Hel")] },
    { what: "no words", first: [text("Hello")], second: [toolUse("t1")] },
    { what: "words of another kind", first: [thinking("Hello")], second: [text("Hello")] },
    {
      what: "more words in a block that has ended",
      first: [thinking("Hm"), text("H")],
      second: [thinking("Hm, well"), text("H")],
    },
    { what: "fewer blocks", first: [thinking("Hm"), text("Hello")], second: [thinking("Hm")] },
    { what: "another order", first: [thinking("Hm"), text("Hello")], second: [text("Hello"), thinking("Hm")] },
  ])("fails the turn where it has $what (A5)", ({ first, second }) => {
    const reader = createBlockReader(noCalls());
    feed(reader, streamed("m1", first).slice(0, -2));
    expect(() => feed(reader, streamed("m2", second))).toThrow(
      expect.objectContaining({ code: "upstream_error", message: expect.stringContaining("broke off") }) as Error,
    );
  });

  it("gives the client the one answer, whole and in order, wherever the stream breaks and however often (A5)", () => {
    const answer = fc.array(
      fc.oneof(
        fc.string({ minLength: 1 }).map((words) => text(words)),
        fc.string({ minLength: 1 }).map((words) => thinking(words)),
        fc.constant(toolUse("t1")),
      ),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(answer, fc.array(fc.nat(30), { maxLength: 3 }), fc.nat(3), (blocks, breaks, deltaLength) => {
        const reader = createBlockReader(noCalls());
        const whole = streamed("last", blocks).flatMap((event) => cut(event, deltaLength + 1));
        // A break after `message_delta` is none.
        const attempts = breaks.map((at) => whole.slice(0, Math.min(at, whole.length - 2)));
        const events = attempts.flatMap((attempt) => (attempt.length === 0 ? [] : feed(reader, attempt)));
        events.push(...feed(reader, whole));
        expect(blocksOf(events).filter((block) => !/^\w+: $/.test(block))).toEqual(
          blocks.flatMap((block) =>
            block.type === "text"
              ? `text: ${block.text}`
              : block.type === "thinking"
                ? `thinking: ${block.thinking}`
                : [],
          ),
        );
      }),
    );
  });

  it("does not compare one call with the next: a tool loop may say the same or anything else (B2)", () => {
    const events = read(
      ...streamed("m1", [text("Look"), toolUse("t1")], "tool_use"),
      ...streamed("m2", [text("Other")]),
    );
    expect(blocksOf(events)).toEqual(["text: Look", "text: Other"]);
  });
});

describe("what is known of the calls", () => {
  it("is the sum of their tokens, thinking included, an attempt that broke off left out (B1)", () => {
    const reader = createBlockReader(noCalls());
    const cached = { cache_read_input_tokens: 3, cache_creation_input_tokens: 4 };
    feed(reader, [messageStart("broken", { input_tokens: 1_000 })]);
    feed(reader, [messageStart("m1", cached), messageDelta("tool_use", { output_tokens: 2 })]);
    const usage = { output_tokens: 7, output_tokens_details: { thinking_tokens: 6 } };
    feed(reader, [
      messageStart("m2", cached),
      messageDelta("end_turn", { output_tokens: 1 }),
      messageDelta("end_turn", usage),
    ]);
    expect(reader.usage).toEqual({
      inputTokens: 20,
      cacheReadTokens: 6,
      cacheCreationTokens: 8,
      outputTokens: 9,
      reasoningTokens: 6,
    });
  });

  it("is how the last one ended, with the stop sequence that matched (B1)", () => {
    const reader = createBlockReader(noCalls());
    expect(reader.lastCall).toBeUndefined();
    feed(reader, [messageStart("m1"), messageDelta("tool_use")]);
    expect(reader.lastCall).toEqual({ stopReason: "tool_use", stopSequence: null });
    feed(reader, [messageStart("m2"), messageDelta("stop_sequence", {}, "END")]);
    expect(reader.lastCall).toEqual({ stopReason: "stop_sequence", stopSequence: "END" });
  });
});

/** A text or thinking delta as several of this length. */
function cut(event: StreamEvent, length: number): StreamEvent[] {
  if (event.type !== "content_block_delta") return [event];
  const { delta: inner } = event;
  const words = inner.type === "text_delta" ? inner.text : inner.type === "thinking_delta" ? inner.thinking : undefined;
  if (words === undefined) return [event];
  const make = inner.type === "text_delta" ? textDelta : thinkingDelta;
  return Array.from({ length: Math.ceil(words.length / length) }, (_, index) =>
    make(words.slice(index * length, (index + 1) * length)),
  );
}
