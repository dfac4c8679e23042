// Plain chat on the real Claude CLI: what the client gets, and what the model API is asked.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { chat, filesBelow, processesOf, startServer, type TestServer, until } from "../helpers/server.ts";
import { type Chunk, readStream, textOf } from "../helpers/sse.ts";
import { lastConversation, upstreamBodies } from "../helpers/upstream.ts";

interface Completion {
  readonly id: string;
  readonly object: string;
  readonly model: string;
  readonly choices: readonly [{ message: { content: string; reasoning_content?: string }; finish_reason: string }];
  readonly usage: { prompt_tokens: number; completion_tokens: number; total_tokens: number };
}

let simulator: Simulator;
let server: TestServer;

beforeAll(async () => {
  simulator = await startSimulator();
  server = await startServer({
    upstream: simulator.url,
    environment: { CCAPI_MODEL_ALIASES: "gpt-4o=sonnet" },
    files: {
      ".claude/CLAUDE.md": "Marked memory: SECRET-MEMORY-LINE",
      ".claude/settings.json": JSON.stringify({ env: { MARKED_SETTING: "1" } }),
    },
  });
});
afterAll(async () => {
  await server.stop();
  await simulator.close();
});
beforeEach(() => {
  simulator.clearRequests();
  simulator.setRules([]);
});

async function complete(body: unknown): Promise<Completion> {
  const response = await server.post("/v1/chat/completions", body);
  expect(response.status, await response.clone().text()).toBe(200);
  return (await response.json()) as Completion;
}

describe("a completion", () => {
  it("is the model's answer with its real usage (B1)", async () => {
    simulator.addRule({
      when: "capital of France",
      answer: [{ type: "text", text: "Paris." }],
      usage: { input_tokens: 11, cache_read_input_tokens: 20, cache_creation_input_tokens: 3, output_tokens: 7 },
    });
    const completion = await complete(chat("What is the capital of France?"));
    expect(completion).toMatchObject({
      object: "chat.completion",
      model: "sonnet",
      choices: [{ index: 0, message: { role: "assistant", content: "Paris.", refusal: null }, finish_reason: "stop" }],
      usage: {
        prompt_tokens: 34,
        completion_tokens: 7,
        total_tokens: 41,
        prompt_tokens_details: { cached_tokens: 20 },
      },
    });
    expect(completion.id).toMatch(/^chatcmpl-/);
  });

  it("streams token by token: role first, one finish reason, usage last, [DONE] (B1)", async () => {
    simulator.addRule({ when: "stream please", tokens: 20 });
    const response = await server.post(
      "/v1/chat/completions",
      chat("stream please", { stream: true, stream_options: { include_usage: true } }),
    );
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    const { events, isDone } = await readStream(response);
    const chunks = events as Chunk[];
    expect(chunks[0]?.choices[0]?.delta).toEqual({ role: "assistant", content: "" });
    expect(chunks.filter((chunk) => chunk.choices[0]?.delta.role)).toHaveLength(1);
    expect(chunks.filter((chunk) => chunk.choices[0]?.delta.content).length).toBeGreaterThanOrEqual(20);
    expect(chunks.filter((chunk) => chunk.choices[0]?.finish_reason)).toHaveLength(1);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: expect.any(Number) } });
    expect(chunks.slice(0, -1).every((chunk) => !("usage" in chunk))).toBe(true);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    expect(isDone).toBe(true);
  });

  it("tells the model's reasoning apart from its answer, streamed and not (B1)", async () => {
    simulator.addRule({
      when: "riddle",
      answer: [
        { type: "thinking", thinking: "Let me see." },
        { type: "text", text: "A towel." },
      ],
    });
    const completion = await complete(chat("riddle", { reasoning_effort: "high" }));
    expect(completion.choices[0].message).toMatchObject({ content: "A towel.", reasoning_content: "Let me see." });
    const { events } = await readStream(
      await server.post("/v1/chat/completions", chat("riddle", { reasoning_effort: "high", stream: true })),
    );
    const chunks = events as Chunk[];
    expect(textOf(chunks)).toBe("A towel.");
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.reasoning_content ?? "").join("")).toBe("Let me see.");
  });
});

describe("what the model API is asked", () => {
  it("is the whole conversation with its real roles, and the client's system message (B3)", async () => {
    await complete({
      model: "sonnet",
      messages: [
        { role: "system", content: "Speak like a pirate." },
        { role: "user", content: "First question" },
        { role: "assistant", content: "First answer" },
        { role: "user", content: [{ type: "text", text: "Second question" }] },
      ],
    });
    expect(lastConversation(simulator)).toEqual([
      "user: First question",
      "assistant: First answer",
      "user: Second question",
    ]);
    const system = JSON.stringify(upstreamBodies(simulator).at(-1)?.system);
    expect(system).toContain("Speak like a pirate.");
    expect(upstreamBodies(simulator)).toHaveLength(1);
  });

  it("holds no tools, no memory files and nothing of the operator's settings (B2)", async () => {
    await complete(chat("Hello there"));
    const body = upstreamBodies(simulator).at(-1);
    expect(body?.tools ?? []).toEqual([]);
    expect(JSON.stringify(body)).not.toContain("SECRET-MEMORY-LINE");
    expect(JSON.stringify(body)).not.toContain(server.home);
  });

  it("takes a client's text as data: no file is read, no command is run (C3)", async () => {
    await complete(chat("@/etc/hostname /clear"));
    expect(lastConversation(simulator)).toEqual(["user: @/etc/hostname /clear"]);
    await complete(chat("/clear"));
    expect(lastConversation(simulator)).toEqual(["user: /clear"]);
  });

  it("carries effort, sampling, stop sequences and the token limit (B1)", async () => {
    const response = await server.post(
      "/v1/chat/completions",
      chat("Hello", { temperature: 1.5, top_p: 0.5, stop: ["END"], max_completion_tokens: 100, seed: 7, user: "u1" }),
    );
    expect(response.headers.get("x-ignored-parameters")).toBe("seed, top_p");
    await response.text();
    expect(upstreamBodies(simulator).at(-1)).toMatchObject({
      temperature: 1,
      stop_sequences: ["END"],
      max_tokens: 100,
      thinking: { type: "disabled" },
    });
    await complete(chat("Hello", { reasoning_effort: "low" }));
    expect(upstreamBodies(simulator).at(-1)).toMatchObject({ output_config: { effort: "low" } });
  });

  it("is asked of the model that the client named, its alias resolved (B2)", async () => {
    expect((await complete(chat("Hello", { model: "gpt-4o" }))).model).toBe("gpt-4o");
    expect(upstreamBodies(simulator).at(-1)?.model).toMatch(/^claude-sonnet/);
    await complete(chat("Hello", { model: "claude-haiku-4-5" }));
    expect(upstreamBodies(simulator).at(-1)?.model).toBe("claude-haiku-4-5");
  });
});

describe("how an answer ends", () => {
  it("says length at the token limit, after one model call (B1)", async () => {
    simulator.addRule({ when: "long story", tokens: 500 });
    const completion = await complete(chat("long story", { max_tokens: 30 }));
    expect(completion.choices[0].finish_reason).toBe("length");
    await until("the process is gone", async () =>
      (await processesOf(server.home)).every((command) => command.includes("watchdog")),
    );
  });

  it("says stop at a stop sequence, which is not part of the answer (B1)", async () => {
    simulator.addRule({ when: "count", answer: [{ type: "text", text: "one two END three" }] });
    const completion = await complete(chat("count", { stop: "END" }));
    expect(completion.choices[0]).toMatchObject({ message: { content: "one two " }, finish_reason: "stop" });
  });
});

describe("afterwards", () => {
  it("no transcript is left on disk and no process runs (B3, C4)", async () => {
    await complete({
      model: "sonnet",
      messages: [
        { role: "user", content: "First" },
        { role: "assistant", content: "Answer" },
        { role: "user", content: "Second" },
      ],
    });
    await until("no transcript", async () => (await filesBelow(server.home, ".jsonl")).length === 0);
    await until("no process", async () =>
      (await processesOf(server.home)).every((command) => command.includes("watchdog")),
    );
  });
});
