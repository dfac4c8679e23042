import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createChunkMapper } from "../../../src/openai/chat/chunks.ts";
import { type ChatAnswer, toCompletion } from "../../../src/openai/chat/completion.ts";
import { chatRequest } from "../../../src/openai/chat/request.ts";
import { toTurn } from "../../../src/openai/chat/to-turn.ts";
import type { FinishReason, TurnEvent } from "../../../src/turn/turn.ts";

const answer: ChatAnswer = { id: "chatcmpl-1", created: 1, model: "sonnet", profile: "agent" };
const usage = { inputTokens: 10, cacheReadTokens: 20, cacheCreationTokens: 5, outputTokens: 7, reasoningTokens: 2 };
const finish = (reason: FinishReason = "stop"): TurnEvent => ({
  type: "finish",
  reason,
  stopSequence: undefined,
  usage,
  costUsd: 0,
});
const block = (kind: "text" | "thinking", ...texts: string[]): TurnEvent[] => [
  { type: "block-start", kind },
  ...texts.map((text): TurnEvent => ({ type: "delta", kind, text })),
  { type: "block-stop", kind },
];

async function* from(events: readonly TurnEvent[]) {
  yield* events;
}

function chunksOf(events: readonly TurnEvent[], profile = answer.profile) {
  const map = createChunkMapper({ ...answer, profile }, { includeUsage: true });
  return events.flatMap(map);
}

const turnOf = (body: unknown, headers = {}) =>
  toTurn(chatRequest.parse(body), { sessionId: undefined, endUser: undefined, ...headers }, new Map());
const base = { model: "sonnet", messages: [{ role: "user", content: "Hi" }] };

describe("a turn's events become", () => {
  it("the same text as one completion or as chunks, whatever their blocks (B1)", async () => {
    const piece = fc.string({ maxLength: 5 });
    const blocks = fc.array(
      fc.tuple(fc.constantFrom("text" as const, "thinking" as const), fc.array(piece, { maxLength: 4 })),
      { maxLength: 5 },
    );
    await fc.assert(
      fc.asyncProperty(blocks, fc.constantFrom("agent" as const, "chat" as const), async (given, profile) => {
        const events = [...given.flatMap(([kind, texts]) => block(kind, ...texts)), finish()];
        const completion = await toCompletion(from(events), { ...answer, profile });
        const chunks = chunksOf(events, profile);
        const { message } = completion.choices[0];
        expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")).toBe(message.content);
        expect(chunks.map((chunk) => chunk.choices[0]?.delta.reasoning_content ?? "").join("")).toBe(
          message.reasoning_content ?? "",
        );
        expect(chunks.filter((chunk) => chunk.choices[0]?.delta.role)).toHaveLength(1);
        expect(chunks.filter((chunk) => chunk.choices[0]?.finish_reason)).toHaveLength(1);
      }),
    );
  });

  it("text blocks joined by a blank line for the agent, without one for chat (B2)", async () => {
    const events = [...block("text", "One."), ...block("text", "Two."), finish()];
    expect((await toCompletion(from(events), answer)).choices[0].message.content).toBe("One.\n\nTwo.");
    expect((await toCompletion(from(events), { ...answer, profile: "chat" })).choices[0].message.content).toBe(
      "One.Two.",
    );
  });

  it("OpenAI's usage: the prompt counts what the cache served and stored (B1)", async () => {
    const completion = await toCompletion(from([finish()]), answer);
    expect(completion.usage).toEqual({
      prompt_tokens: 35,
      completion_tokens: 7,
      total_tokens: 42,
      prompt_tokens_details: { cached_tokens: 20 },
      completion_tokens_details: { reasoning_tokens: 2 },
    });
  });

  it.each([
    ["stop", "stop"],
    ["length", "length"],
    ["refusal", "content_filter"],
    ["tool_calls", "tool_calls"],
  ] as const)("finish %s as %s (B1)", async (reason, expected) => {
    expect((await toCompletion(from([finish(reason)]), answer)).choices[0].finish_reason).toBe(expected);
  });

  it("never a completion where the turn did not finish (B1)", async () => {
    await expect(toCompletion(from(block("text", "half")), answer)).rejects.toThrow("without finish");
  });
});

describe("a request becomes", () => {
  it("a turn with its roles; system and developer messages make the system prompt (B1)", () => {
    const { turn } = turnOf({
      ...base,
      messages: [
        { role: "system", content: "One." },
        { role: "user", content: [{ type: "text", text: "Q1" }] },
        { role: "assistant", content: null },
        { role: "assistant", content: "A1" },
        { role: "developer", content: [{ type: "text", text: "Two." }] },
        { role: "user", content: "Q2" },
      ],
    });
    expect(turn.system).toBe("One.\n\nTwo.");
    expect(turn.messages).toEqual([
      { role: "user", content: [{ type: "text", text: "Q1" }] },
      { role: "assistant", content: [{ type: "text", text: "A1" }] },
      { role: "user", content: [{ type: "text", text: "Q2" }] },
    ]);
  });

  it("nothing where its last message is not the user's, or is empty; the error names the place (B1)", () => {
    const of =
      (...messages: object[]) =>
      () =>
        turnOf({ ...base, messages });
    const user = { role: "user", content: "Hi" };
    const place = (param: string) => expect.objectContaining({ code: "invalid_request", param });
    expect(of(user, { role: "assistant", content: "" })).toThrow(place("messages"));
    expect(of(user, { role: "assistant", content: null })).toThrow(place("messages"));
    expect(of(user, { role: "user", content: " " }, { role: "system", content: "S" })).toThrow(
      place("messages[1].content"),
    );
  });

  it("sampling where the model does not think, and says so where it does (B1)", () => {
    expect(turnOf({ ...base, temperature: 1.7 }).turn.sampling).toEqual({ temperature: 1 });
    expect(turnOf({ ...base, top_p: 0.3 }).turn.sampling).toEqual({ top_p: 0.3 });
    expect(turnOf({ ...base, temperature: 0, top_p: 0.3 })).toMatchObject({
      turn: { sampling: { temperature: 0 } },
      ignored: ["top_p"],
    });
    expect(turnOf({ ...base, temperature: 0.5, reasoning_effort: "high" })).toMatchObject({
      turn: { sampling: {}, effort: "high" },
      ignored: ["temperature"],
    });
    expect(turnOf({ ...base, temperature: 0.5, reasoning_effort: "none" }).turn.sampling).toEqual({ temperature: 0.5 });
  });

  it("the same turn where parameters are null as where they are missing (B1)", () => {
    const nulls = Object.fromEntries(
      [
        "stream",
        "stop",
        "temperature",
        "top_p",
        "max_tokens",
        "user",
        "seed",
        "tools",
        "response_format",
        "session_id",
      ].map((name) => [name, null]),
    );
    expect(turnOf({ ...base, ...nulls })).toEqual(turnOf(base));
  });

  it("one session, whether the header or the body names it, and never two (B3)", () => {
    expect(turnOf({ ...base, session_id: "a" }).turn.sessionId).toBe("a");
    expect(turnOf(base, { sessionId: "b" }).turn.sessionId).toBe("b");
    expect(() => turnOf({ ...base, session_id: "a" }, { sessionId: "b" })).toThrow(
      expect.objectContaining({ param: "session_id" }),
    );
  });
});
