// The caller's messages are read once and handed over until they are part of the conversation.
import type { SDKUserMessage } from "@anthropic-ai/claude-agent-sdk";
import { describe, expect, it } from "vitest";
import { createInput, type FeedOptions } from "../../src/agent/input.ts";

const say = (content: string, more: Partial<SDKUserMessage> = {}): SDKUserMessage => ({
  type: "user",
  message: { role: "user", content },
  parent_tool_use_id: null,
  ...more,
});
const words = ({ message: { content } }: SDKUserMessage) => (typeof content === "string" ? content : "");
const now = Promise.resolve();
const feedOptions = (more: Partial<FeedOptions> = {}): FeedOptions => ({
  first: undefined,
  ready: now,
  answered: now,
  over: now,
  begin: async () => true,
  signal: new AbortController().signal,
  ...more,
});

async function* from(...messages: SDKUserMessage[]): AsyncGenerator<SDKUserMessage> {
  yield* messages;
}
const open = (prompt: string | AsyncIterable<SDKUserMessage>) =>
  createInput(prompt, new AbortController().signal, () => undefined);

async function all(messages: AsyncIterable<SDKUserMessage>): Promise<SDKUserMessage[]> {
  const read: SDKUserMessage[] = [];
  for await (const message of messages) read.push(message);
  return read;
}

describe("the caller's messages", () => {
  it("go to the first process, and those that are not settled to the next, under new ids of ours (F, A5)", async () => {
    const theirs = "00000000-0000-4000-8000-000000000001";
    const input = open(from(say("one"), say("two"), say("three", { uuid: theirs })));
    const handed = await all(input.feed(feedOptions()));
    expect(handed.map(words)).toEqual(["one", "two", "three"]);
    input.settle([handed[0]?.uuid ?? ""]);
    input.rewind();
    const again = await all(input.feed(feedOptions()));
    expect(again.map(words)).toEqual(["two", "three"]);
    expect(again[0]?.uuid).not.toBe(handed[1]?.uuid);
    expect(again[1]?.uuid).toBe(theirs);
    expect([input.isOurs(again[0]?.uuid ?? ""), input.isOurs(theirs)]).toEqual([true, false]);
    input.settle([theirs]);
    expect(input.hasUnsettled).toBe(false);
  });

  it("come after the tools' answers with which a conversation goes on, once these are answered (F, A5)", async () => {
    const input = open(from(say("queued")));
    const answered = Promise.withResolvers<void>();
    const feed = input.feed(feedOptions({ first: say("results"), answered: answered.promise }));
    expect(words((await feed.next()).value ?? say(""))).toBe("results");
    let isNext = false;
    const next = feed.next().then((step) => {
      isNext = true;
      return step.value ?? say("");
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isNext).toBe(false);
    answered.resolve();
    expect(words(await next)).toBe("queued");
  });

  it("stay where they are while no turn may begin (F)", async () => {
    const input = open(from(say("one")));
    expect(await all(input.feed(feedOptions({ begin: async () => false })))).toEqual([]);
    expect([input.handed, input.hasUnsettled]).toEqual([[], true]);
  });

  it("are waited for no longer than the process is there (F, C4)", async () => {
    const never: AsyncIterable<SDKUserMessage> = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
    };
    const stop = new AbortController();
    const fed = all(open(never).feed(feedOptions({ signal: stop.signal })));
    stop.abort();
    expect(await fed).toEqual([]);
  });

  it("may be a text, whose process keeps its input open until the turn is over (F)", async () => {
    const input = open("Hello");
    const over = Promise.withResolvers<void>();
    const feed = input.feed(feedOptions({ over: over.promise }));
    expect(words((await feed.next()).value ?? say(""))).toBe("Hello");
    const end = feed.next();
    over.resolve();
    expect((await end).done).toBe(true);
    input.settleFirst();
    expect(input.hasUnsettled).toBe(false);
  });
});
