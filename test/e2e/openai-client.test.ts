// OpenAI's own client as a client: streaming and not, errors, abort.
import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { clientKey, processesOf, startServer, type TestServer, until } from "../helpers/server.ts";

let simulator: Simulator;
let server: TestServer;
let client: OpenAI;

beforeAll(async () => {
  simulator = await startSimulator();
  server = await startServer({ upstream: simulator.url });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: clientKey, maxRetries: 0 });
});
afterAll(async () => {
  await server.stop();
  await simulator.close();
});
beforeEach(() => {
  simulator.clearFaults();
  simulator.setRules([{ when: "Hello", answer: [{ type: "text", text: "Hi there." }] }]);
});

const body = { model: "sonnet", messages: [{ role: "user" as const, content: "Hello" }] };

describe("the openai client", () => {
  it("gets a completion (B1)", async () => {
    const completion = await client.chat.completions.create(body);
    expect(completion.choices[0]?.message.content).toBe("Hi there.");
    expect(completion.usage?.total_tokens).toBeGreaterThan(0);
  });

  it("streams, and gathers the stream to the same answer (B1)", async () => {
    const stream = client.chat.completions.stream({ ...body, stream_options: { include_usage: true } });
    const completion = await stream.finalChatCompletion();
    expect(completion.choices[0]?.message.content).toBe("Hi there.");
    expect(completion.usage?.completion_tokens).toBeGreaterThan(0);
  });

  it("raises its own error types, with code, param and request id (B1)", async () => {
    const rejected = client.chat.completions.create({ ...body, n: 2 });
    await expect(rejected).rejects.toMatchObject({ status: 400, code: "unsupported_parameter", param: "n" });
    await expect(rejected).rejects.toBeInstanceOf(OpenAI.BadRequestError);
    await expect(rejected).rejects.toHaveProperty("requestID", expect.stringMatching(/^req_/));
    await expect(client.chat.completions.create({ ...body, model: "gpt-9" })).rejects.toBeInstanceOf(
      OpenAI.NotFoundError,
    );
    const stranger = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "wrong", maxRetries: 0 });
    await expect(stranger.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
    simulator.fail({ kind: "status", status: 429 });
    await expect(client.chat.completions.create(body)).rejects.toBeInstanceOf(OpenAI.RateLimitError);
  });

  it("raises on an error inside a stream (B1)", async () => {
    simulator.setRules([{ fault: { kind: "mid-stream-error", afterDeltas: 3 } }]);
    const stream = await client.chat.completions.create({ ...body, stream: true });
    const read = async () => {
      for await (const _chunk of stream);
    };
    await expect(read()).rejects.toBeInstanceOf(OpenAI.APIError);
  });

  it("lists models and finds one, also by a name with a slash (B2)", async () => {
    const { data } = await client.models.list();
    expect(data.map(({ id }) => id)).toEqual(expect.arrayContaining(["claude-code", "opus", "sonnet", "haiku"]));
    expect((await client.models.retrieve("claude-code/opus")).id).toBe("claude-code/opus");
  });

  it("aborts a stream, which ends the run (C4)", async () => {
    simulator.setRules([{ tokens: 2_000, delayMs: 20 }]);
    const stream = await client.chat.completions.create({ ...body, stream: true });
    for await (const _chunk of stream) break;
    stream.controller.abort();
    await until(
      "no process",
      async () => (await processesOf(server.home)).every((command) => command.includes("watchdog")),
      20_000,
    );
  });
});
