import type { SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import { describe, expect, it } from "vitest";
import { readAnswer } from "../../src/claude/answer.ts";
import type { TurnSettings } from "../../src/claude/profile.ts";
import type { RunEvent } from "../../src/claude/run.ts";
import {
  assistant,
  type Block,
  messageDelta,
  messageStart,
  result,
  streamed,
  streamEvent,
  synthetic,
  system,
  text,
  thinking,
  toolUse,
} from "../helpers/sdk-messages.ts";

const plain: TurnSettings = {
  profile: "chat",
  model: undefined,
  system: undefined,
  effort: undefined,
  sampling: {},
  stop: [],
  maxTokens: undefined,
  tools: [],
  toolChoice: { type: "auto" },
  parallelToolCalls: true,
  outputFormat: undefined,
};

/** What a run yields for these messages, the error that it ends with last; `taken` is how many it asked for. */
async function read(messages: readonly SDKMessage[], turn: Partial<TurnSettings> = {}) {
  const events: RunEvent[] = [];
  let taken = 0;
  async function* source() {
    for (const message of messages) {
      taken += 1;
      yield message;
    }
  }
  let error: unknown;
  try {
    for await (const event of readAnswer(source(), { ...plain, ...turn }, () => 0)) events.push(event);
  } catch (caught) {
    error = caught;
  }
  return { events, error, taken };
}

const call = (id: string, blocks: readonly Block[], reason?: string) => [
  ...streamed(id, blocks, reason).map((event) => streamEvent(event)),
  ...blocks.map((block, index) => assistant(id, [block], { uuid: `${id}-${index}` })),
];
const working = system("status", { status: "requesting" });
const words = (events: readonly RunEvent[]) =>
  events.map((event) => (event.type === "delta" ? event.text : "")).join("|");
const last = (events: readonly RunEvent[]) => events.at(-1);

describe("a run that ends well", () => {
  it("is working, says its blocks, marks each message to resume at, and finishes with usage and cost (B1)", async () => {
    const { events, error } = await read([
      system("init"),
      working,
      working,
      ...call("m1", [thinking("Hm"), text("Hello")]),
      result({ total_cost_usd: 0.25 }),
    ]);
    expect(error).toBeUndefined();
    expect(events.map((event) => ("kind" in event ? `${event.type} ${event.kind}` : event.type))).toEqual([
      "phase",
      "block-start thinking",
      "delta thinking",
      "block-stop thinking",
      "block-start text",
      "delta text",
      "block-stop text",
      "usage",
      "checkpoint",
      "checkpoint",
      "finish",
    ]);
    expect(events.flatMap((event) => (event.type === "checkpoint" ? event.uuid : []))).toEqual(["m1-0", "m1-1"]);
    expect(last(events)).toEqual({
      type: "finish",
      reason: "stop",
      stopSequence: undefined,
      usage: { inputTokens: 10, cacheReadTokens: 0, cacheCreationTokens: 0, outputTokens: 5, reasoningTokens: 0 },
      costUsd: 0.25,
    });
  });

  it("tells of tools before their run's results, and gives an agent's texts as blocks of their own (B2)", async () => {
    const { events } = await read(
      [...call("m1", [text("Let me look."), toolUse("t1")], "tool_use"), ...call("m2", [text("Done.")]), result()],
      { profile: "agent" },
    );
    expect(words(events).split("|").filter(Boolean)).toEqual(["Let me look.", "Done."]);
    expect(events.filter(({ type }) => type === "block-start")).toHaveLength(2);
    expect(events).toContainEqual({
      type: "tool-use",
      messageId: expect.any(String),
      tools: [{ id: "t1", name: expect.any(String) }],
    });
    expect(last(events)).toMatchObject({ reason: "stop", usage: { inputTokens: 20, outputTokens: 10 } });
  });

  it("says nothing of what subagents say, and resumes at none of their messages (B2)", async () => {
    const { events } = await read([
      ...streamed("s1", [text("inner")]).map((event) => streamEvent(event, "toolu_1")),
      assistant("s1", [text("inner")], { parent: "toolu_1" }),
      ...call("m1", [text("outer")]),
      result(),
    ]);
    expect(JSON.stringify(events)).not.toContain("inner");
    expect(events.filter(({ type }) => type === "checkpoint")).toHaveLength(1);
  });

  it.each([
    ["end_turn", "stop"],
    ["stop_sequence", "stop"],
    ["refusal", "refusal"],
    ["model_context_window_exceeded", "length"],
  ])("that the model ended by %s finishes with %s (B1)", async (stopReason, reason) => {
    const { events } = await read([...call("m1", [text("x")], stopReason), result()]);
    expect(last(events)).toMatchObject({ type: "finish", reason });
  });

  it("names the stop sequence that matched (B1)", async () => {
    const { events } = await read([
      streamEvent(messageStart("m1")),
      streamEvent(messageDelta("stop_sequence", {}, "END")),
      result(),
    ]);
    expect(last(events)).toMatchObject({ reason: "stop", stopSequence: "END" });
  });
});

describe("a token limit", () => {
  it("ends the run at once: Claude Code would go on by itself (B1)", async () => {
    const messages = [...call("m1", [text("x")], "max_tokens"), ...call("m2", [text("more")]), result()];
    const { events, taken } = await read(messages, { maxTokens: 5 });
    expect(last(events)).toMatchObject({ type: "finish", reason: "length", usage: { outputTokens: 5 } });
    expect(words(events)).not.toContain("more");
    expect(taken).toBeLessThan(messages.length - 5);
  });

  it("holds for an agent's run as a whole: it makes no further call once the tokens are used up (B9)", async () => {
    const loop = [...call("m1", [toolUse("t1")], "tool_use"), ...call("m2", [toolUse("t2")], "tool_use"), result()];
    const ended = await read(loop, { profile: "agent", maxTokens: 10 });
    expect(last(ended.events)).toMatchObject({ type: "finish", reason: "length", usage: { outputTokens: 10 } });
    const roomy = await read(loop, { profile: "agent", maxTokens: 11 });
    expect(last(roomy.events)).toMatchObject({ type: "finish", reason: "stop" });
  });
});

describe("Claude Code's own words", () => {
  it.each([
    synthetic("Not logged in · Please run /login", "authentication_failed"),
    synthetic("API Error: 500"),
    { ...assistant("m1", [text("API Error: overloaded")]), error: "overloaded" as const },
  ])("are never an answer: %# (B1)", async (message) => {
    const { events, error } = await read([message, result({ is_error: true, result: "API Error" })]);
    expect(events.map(({ type }) => type)).toEqual(["signal"]);
    expect(error).toMatchObject({ name: "CcapiError" });
  });

  it("are a failure also where the result says that all went well (B1)", async () => {
    const { events, error } = await read([synthetic("Please run /login", "authentication_failed"), result()]);
    expect(last(events)).toMatchObject({ type: "signal", isFinal: true, signal: { error: "authentication_failed" } });
    expect(error).toMatchObject({ code: "upstream_auth_unavailable" });
  });

  it("are forgotten once the model has answered after all (B1)", async () => {
    const { events, error } = await read([synthetic("x", "overloaded"), ...call("m1", [text("Hello")]), result()]);
    expect(error).toBeUndefined();
    expect(last(events)).toMatchObject({ type: "finish" });
  });
});

describe("a run that fails", () => {
  it("tells of each retry as it comes, and goes on (A1)", async () => {
    const retry = system("api_retry", { error: "authentication_failed", error_status: 401, attempt: 1 });
    const { events, error } = await read([retry, ...call("m1", [text("Hello")]), result()]);
    expect(events[0]).toEqual({
      type: "signal",
      isFinal: false,
      signal: { source: "api_retry", error: "authentication_failed", status: 401, attempt: 1 },
    });
    expect(error).toBeUndefined();
  });

  it("ends with the error's type from the message and its status from the result, told before it throws (A1)", async () => {
    const { events, error } = await read([
      synthetic("Failed to authenticate", "authentication_failed"),
      result({ is_error: true, api_error_status: 401, result: "Failed to authenticate" }),
    ]);
    const signal = { source: "assistant", error: "authentication_failed", status: 401, text: "Failed to authenticate" };
    expect(events).toEqual([{ type: "signal", isFinal: true, signal }]);
    expect(error).toMatchObject({ code: "upstream_auth_unavailable" });
  });

  it("gives the reset of the rate limit that was told on the way (B1)", async () => {
    const { error } = await read([
      { type: "rate_limit_event", rate_limit_info: { status: "rejected", resetsAt: 42 } } as SDKMessage,
      synthetic("limit", "rate_limit"),
      result({ is_error: true, api_error_status: 429 }),
    ]);
    expect(error).toMatchObject({ code: "upstream_rate_limited", retryAfterMs: 42_000 });
  });

  it.each([
    ["error_max_turns", "max_turns_exceeded"],
    ["error_max_budget_usd", "budget_exceeded"],
  ])("for its limit (%s) is %s, whether the result calls it an error or not (B9)", async (subtype, code) => {
    for (const is_error of [true, false]) {
      const { error, events } = await read([result({ subtype, is_error, errors: [] })]);
      expect(error).toMatchObject({ code, shouldRetry: false });
      expect(events).toEqual([]);
    }
  });

  it("without a result, after its own words, is that failure; without any word it just ends (B1)", async () => {
    const { error, events } = await read([synthetic("API Error: 529", "overloaded")]);
    expect(error).toMatchObject({ code: "upstream_overloaded" });
    expect(last(events)).toMatchObject({ type: "signal", isFinal: true });
    expect(await read([])).toMatchObject({ events: [], error: undefined });
  });
});
