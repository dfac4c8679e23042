// Rules, and everything that can go wrong on purpose.
import Anthropic from "@anthropic-ai/sdk";
import { expect, it } from "vitest";
import type { Fault } from "../../src/simulator/index.ts";
import { ask, createClient, MODEL, post, startPair, textOf } from "./clients.ts";

const streamed = (client: Anthropic, text = "Count to 30.", model = MODEL) =>
  client.messages.stream({ ...ask(text), model }).finalMessage();

it("takes the first rule that matches, counts it down, and says in the record which it was (E1)", async () => {
  await using pair = await startPair({
    rules: [
      { name: "once", when: "apple", times: 1, answer: [{ type: "text", text: "first" }] },
      { when: /APPLE/i, answer: [{ type: "text", text: "second" }] },
      { when: (request) => request.maxTokens === 77, answer: [{ type: "text", text: "third" }] },
    ],
  });
  const say = async (text: string, more = {}) => textOf(await pair.client.messages.create({ ...ask(text), ...more }));
  expect(await say("an apple")).toBe("first");
  expect(await say("an apple")).toBe("second");
  expect(await say("pear", { max_tokens: 77 })).toBe("third");
  expect(await say("Say exactly: pear")).toBe("pear");
  pair.simulator.addRule({ answer: [{ type: "text", text: "added" }] });
  expect(await say("an apple")).toBe("added");
  pair.simulator.setRules([]);
  expect(await say("Say exactly: plain")).toBe("plain");
  expect(pair.simulator.requests.map(({ rule }) => rule)).toEqual(["once", "rule-1", "rule-2", null, "rule-3", null]);
});

it("matches a rule on the result of a tool, and never on Claude Code's reminders (E1)", async () => {
  await using pair = await startPair({ rules: [{ when: "42 degrees", answer: [{ type: "text", text: "hot" }] }] });
  const tools = [{ name: "t", input_schema: { type: "object" as const } }];
  const answer = await pair.client.messages.create({
    ...ask("x"),
    tools,
    messages: [
      { role: "user", content: "x" },
      { role: "assistant", content: [{ type: "tool_use", id: "toolu_1", name: "t", input: {} }] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "42 degrees" }] },
    ],
  });
  expect(textOf(answer)).toBe("hot");
  const reminded = await pair.client.messages.create(
    ask("<system-reminder>42 degrees</system-reminder>Say exactly: no"),
  );
  expect(textOf(reminded)).toBe("no");
});

it("overrides stop reason and usage by a rule (E1)", async () => {
  await using pair = await startPair({ rules: [{ tokens: 2, stopReason: "refusal", usage: { input_tokens: 9000 } }] });
  const message = await pair.client.messages.create(ask("x"));
  expect([message.stop_reason, message.usage.input_tokens, message.usage.output_tokens]).toEqual(["refusal", 9000, 2]);
});

it("waits before the first token and between tokens (E1)", async () => {
  await using pair = await startPair({ rules: [{ tokens: 5, delayMs: 20, firstTokenDelayMs: 60 }] });
  const startedAt = performance.now();
  const times: number[] = [];
  for await (const event of await pair.client.messages.create({ ...ask("x"), stream: true })) {
    if (event.type === "content_block_delta") times.push(performance.now() - startedAt);
  }
  expect(times[0]).toBeGreaterThan(55);
  expect(times[4]).toBeGreaterThan(135);
});

it.each<[status: number, type: string, error: { new (...parts: never[]): Error }]>([
  [400, "invalid_request_error", Anthropic.BadRequestError],
  [401, "authentication_error", Anthropic.AuthenticationError],
  [403, "permission_error", Anthropic.PermissionDeniedError],
  [404, "not_found_error", Anthropic.NotFoundError],
  [413, "request_too_large", Anthropic.APIError],
  [429, "rate_limit_error", Anthropic.RateLimitError],
  [500, "api_error", Anthropic.InternalServerError],
  [529, "overloaded_error", Anthropic.InternalServerError],
])("fails with status %i as %s, as often as asked (E1)", async (status, type, kind) => {
  await using pair = await startPair();
  pair.simulator.fail({ kind: "status", status }, 1);
  const error: unknown = await pair.client.messages.create(ask("x")).catch((failure: unknown) => failure);
  expect(error).toBeInstanceOf(kind);
  expect(error).toMatchObject({ status, error: { type: "error", error: { type }, request_id: expect.any(String) } });
  expect(textOf(await pair.client.messages.create(ask("Say exactly: fine")))).toBe("fine");
  expect(pair.simulator.requests.map(({ outcome }) => outcome)).toEqual(["faulted", "answered"]);
});

it("sends retry-after with a 429, own headers and an own body (E1)", async () => {
  await using pair = await startPair();
  pair.simulator.fail({ kind: "status", status: 429 }, 1);
  pair.simulator.fail({ kind: "status", status: 502, headers: { "x-proxy": "1" }, body: "<html>bad gateway" }, 1);
  const body = JSON.stringify(ask("x"));
  expect((await post(pair.simulator, body)).headers.get("retry-after")).toBe("1");
  const proxy = await post(pair.simulator, body);
  expect([proxy.status, proxy.headers.get("x-proxy"), await proxy.text()]).toEqual([502, "1", "<html>bad gateway"]);
});

it("fails until the faults are cleared, and not at all where asked to fail 0 times (E1)", async () => {
  await using pair = await startPair();
  pair.simulator.fail({ kind: "status", status: 403 }, 0);
  await pair.client.messages.create(ask("x"));
  pair.simulator.fail({ kind: "status", status: 500 });
  for (let attempt = 0; attempt < 3; attempt += 1) {
    await expect(pair.client.messages.create(ask("x"))).rejects.toThrow("500");
  }
  pair.simulator.clearFaults();
  await pair.client.messages.create(ask("x"));
});

it("breaks a stream off with an error event (E1)", async () => {
  await using pair = await startPair();
  pair.simulator.fail({ kind: "mid-stream-error", afterDeltas: 3 }, 1);
  const response = await post(pair.simulator, JSON.stringify({ ...ask("Count to 30."), stream: true }));
  const text = await response.text();
  expect(text.match(/content_block_delta"/g)).toHaveLength(3);
  expect(text).toMatch(/event: error\ndata: \{"type":"error","error":\{"type":"overloaded_error"/);
  expect(text).not.toContain("message_stop");
  pair.simulator.fail({ kind: "mid-stream-error", afterDeltas: 3, type: "api_error", message: "broke" }, 1);
  await expect(streamed(pair.client)).rejects.toThrow("broke");
  expect(pair.simulator.requests.map(({ outcome }) => outcome)).toEqual(["faulted", "faulted"]);
});

it.each([0, 2])("drops the connection after %i deltas (E1)", async (afterDeltas) => {
  await using pair = await startPair();
  pair.simulator.fail({ kind: "drop", afterDeltas }, 2);
  await expect(streamed(pair.client)).rejects.toThrow();
  await expect(pair.client.messages.create(ask("x"))).rejects.toThrow();
  expect(pair.simulator.requests.map(({ outcome }) => outcome)).toEqual(["faulted", "faulted"]);
});

it.each([0, 2])("goes silent after %i deltas and stays open (E1)", async (afterDeltas) => {
  await using pair = await startPair();
  const fault: Fault = { kind: "stall", afterDeltas };
  pair.simulator.fail(fault, 1);
  const leave = new AbortController();
  let received = "";
  const reading = (async () => {
    const response = await fetch(`${pair.simulator.url}/v1/messages`, {
      method: "POST",
      headers: { "x-api-key": "made-up-key-0001" },
      body: JSON.stringify({ ...ask("Count to 30."), stream: true }),
      signal: leave.signal,
    });
    for await (const part of response.body ?? []) received += Buffer.from(part).toString();
  })();
  const ended = await Promise.race([
    reading.then(() => "ended"),
    new Promise((resolve) => setTimeout(resolve, 150, "open")),
  ]);
  expect(ended).toBe("open");
  expect(received.match(/content_block_delta"/g) ?? []).toHaveLength(afterDeltas);
  leave.abort();
  await expect(reading).rejects.toThrow();
});

it("says aborted for a client that leaves in the middle, and goes on serving (E1)", async () => {
  await using pair = await startPair({ rules: [{ when: "slow", tokens: 1000, delayMs: 10 }] });
  const stream = await pair.client.messages.create({ ...ask("slow"), stream: true });
  for await (const event of stream) if (event.type === "content_block_delta") break;
  await expect.poll(() => pair.simulator.requests[0]?.outcome).toBe("aborted");
  expect(textOf(await pair.client.messages.create(ask("Say exactly: here")))).toBe("here");
});

it("takes faults from a model's name, a number of times where it says so (E1)", async () => {
  await using pair = await startPair();
  const status = async (model: string) => (await post(pair.simulator, JSON.stringify({ ...ask("x"), model }))).status;
  expect([await status("fault-529"), await status("claude-fault-529"), await status("fault-403")]).toEqual([
    529, 529, 403,
  ]);
  expect([await status("fault-429x1-abc"), await status("fault-429x1-abc"), await status("fault-429x1-d")]).toEqual([
    429, 200, 429,
  ]);
  const billing = await post(pair.simulator, JSON.stringify({ ...ask("x"), model: "claude-fault-billing" }));
  expect([billing.status, await billing.text()]).toEqual([400, expect.stringContaining("credit balance is too low")]);
  await expect(streamed(pair.client, "Count to 30.", "fault-midstream")).rejects.toThrow(/overloaded/i);
  await expect(streamed(pair.client, "Count to 30.", "fault-drop")).rejects.toThrow();
});

it("says in the API's shape that a rule's own function failed, and goes on (E1)", async () => {
  await using pair = await startPair({
    rules: [
      {
        times: 1,
        when: (request) => {
          if (request.lastUserText === "bad") throw new Error("my rule broke");
          return false;
        },
      },
    ],
  });
  await expect(pair.client.messages.create(ask("bad"))).rejects.toMatchObject({
    status: 500,
    error: { error: { type: "api_error", message: "The simulator failed: my rule broke" } },
  });
  expect(textOf(await pair.client.messages.create(ask("Say exactly: fine")))).toBe("fine");
});

it("does not use a rule up for a request that fails before its answer (E1)", async () => {
  await using pair = await startPair({ rules: [{ times: 1, answer: [{ type: "text", text: "kept" }] }] });
  pair.simulator.fail({ kind: "status", status: 500 }, 1);
  await expect(pair.client.messages.create(ask("x"))).rejects.toThrow("500");
  expect(textOf(await pair.client.messages.create(ask("x")))).toBe("kept");
});

it("closes with a stream still open, and twice (E1)", async () => {
  const pair = await startPair({ rules: [{ tokens: 1000, delayMs: 50 }] });
  const failed = createClient(pair.simulator, "k")
    .messages.stream(ask("x"))
    .finalMessage()
    .catch((error: unknown) => error);
  await expect.poll(() => pair.simulator.requests.length).toBe(1);
  await pair.simulator.close();
  await pair.simulator.close();
  expect(await failed).toBeInstanceOf(Error);
});
