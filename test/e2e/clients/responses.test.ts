// OpenAI's own client on the Responses API, and Codex by the requests that it sends, on the real CLI. That every event is whole and
// in its order is looked at by test/helpers/watch.ts.
import { rm } from "node:fs/promises";
import OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import type { ResponseInputItem } from "openai/resources/responses/responses";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { type Simulator, startSimulator } from "../../../src/simulator/index.ts";
import { clientKey, makeHome, otherKey, startServer, type TestServer } from "../../helpers/server.ts";

let simulator: Simulator;
let server: TestServer;
let client: OpenAI;
let home: string;

const connect = (apiKey = clientKey) => new OpenAI({ baseURL: `${server.url}/v1`, apiKey, maxRetries: 0 });

beforeAll(async () => {
  simulator = await startSimulator();
  home = await makeHome();
  server = await startServer({ upstream: simulator.url, home });
  client = connect();
});
afterAll(async () => {
  await server.stop();
  await simulator.close();
  await rm(home, { recursive: true, force: true, maxRetries: 3 });
});
beforeEach(() => {
  simulator.clearFaults();
  simulator.setRules([]);
});

const model = "sonnet";
const weather = {
  type: "function" as const,
  name: "get_weather",
  description: "The weather of a city",
  parameters: {
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
    additionalProperties: false,
  },
  strict: true,
};

describe("the openai client on the Responses API", () => {
  it("gets a text, and the same by a stream (B7)", async () => {
    const response = await client.responses.create({ model, input: "Say hello." });
    expect(response.output_text).not.toBe("");
    expect(response.status).toBe("completed");
    let deltas = "";
    const stream = client.responses.stream({ model, input: "Say hello." });
    stream.on("response.output_text.delta", ({ delta }) => {
      deltas += delta;
    });
    const final = await stream.finalResponse();
    expect(final.output_text).toBe(deltas);
    expect(final.usage?.total_tokens).toBeGreaterThan(0);
  });

  it("gets an object of its schema (B7)", async () => {
    const City = z.object({ city: z.string(), n: z.number().int() });
    const response = await client.responses.parse({
      model,
      input: "City and number as JSON.",
      text: { format: zodTextFormat(City, "city") },
    });
    expect(typeof response.output_parsed?.city).toBe("string");
  });

  it("has a function called and gives its output, all items sent again (B7)", async () => {
    const input: ResponseInputItem[] = [{ role: "user", content: "Weather in Paris?" }];
    const first = await client.responses.create({ model, input, tools: [weather], tool_choice: "required" });
    const call = first.output.find((item) => item.type === "function_call");
    expect(JSON.parse(call?.arguments ?? "")).toHaveProperty("city");
    const second = await client.responses.create({
      model,
      tools: [weather],
      input: [
        ...input,
        ...(first.output as ResponseInputItem[]), // As its own documentation has it.
        { type: "function_call_output", call_id: call?.call_id ?? "", output: "21C" },
      ],
    });
    expect(second.output_text).toContain("21C");
  });

  it("has a function called and gives its output by previous_response_id (B7)", async () => {
    const first = await client.responses.create({ model, input: "Weather in Paris?", tools: [weather] });
    const call = first.output.find((item) => item.type === "function_call");
    const second = await client.responses.create({
      model,
      tools: [weather],
      previous_response_id: first.id,
      input: [{ type: "function_call_output", call_id: call?.call_id ?? "", output: "21C" }],
    });
    expect(second.output_text).toContain("21C");
  });

  it("goes on from a response, also after a restart, in two branches; no other key can (B3, B7, C1)", async () => {
    const first = await client.responses.create({ model, input: "Remember the code word: papaya. Reply OK." });
    const ask = { model, input: "What is the code word?", previous_response_id: first.id };
    const second = await client.responses.create(ask);
    expect(second.output_text).toMatch(/papaya/i);
    const third = await client.responses.create({ ...ask, previous_response_id: second.id });
    expect(third.output_text).toMatch(/papaya/i);
    await server.stop();
    server = await startServer({ upstream: simulator.url, home });
    client = connect();
    expect((await client.responses.create(ask)).output_text).toMatch(/papaya/i);
    expect((await client.responses.retrieve(first.id)).id).toBe(first.id);
    await expect(connect(otherKey).responses.retrieve(first.id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await client.responses.delete(first.id);
    await expect(client.responses.create(ask)).rejects.toMatchObject({ code: "previous_response_not_found" });
  });

  it("raises on an error inside a stream (B7)", async () => {
    simulator.setRules([{ fault: { kind: "mid-stream-error", afterDeltas: 3 } }]);
    const stream = await client.responses.create({ model, input: "Hi", stream: true });
    const read = async () => {
      for await (const _event of stream);
    };
    await expect(read()).rejects.toBeInstanceOf(OpenAI.APIError);
  });
});

describe("Codex", () => {
  it("has an agent turn with a function call, by the requests that it sends (B7)", async () => {
    simulator.setRules([
      {
        when: ({ body }) => !JSON.stringify(body).includes('"type":"tool_result"'),
        answer: [
          { type: "thinking", thinking: "I look." },
          { type: "text", text: "I look." },
          { type: "tool_use", id: "toolu_1", name: "exec_command", input: { cmd: "ls" } },
        ],
      },
      { answer: [{ type: "text", text: "There is a file." }] },
    ]);
    const exec = {
      type: "function",
      name: "exec_command",
      description: "Runs a command",
      strict: false,
      parameters: {
        type: "object",
        properties: { cmd: { type: "string" } },
        required: ["cmd"],
        additionalProperties: false,
      },
    };
    const namespace = {
      type: "namespace",
      name: "multi_agent",
      description: "Agents",
      tools: [{ type: "function", name: "spawn", parameters: { type: "object", properties: {} }, strict: false }],
    };
    const message = (role: string, text: string) => ({
      type: "message",
      role,
      content: [{ type: "input_text", text }],
    });
    const input: object[] = [
      message("developer", "You are a coding agent."),
      message("user", "<environment_context>\n  <cwd>/work</cwd>\n</environment_context>"),
      message("user", "What is here?"),
    ];
    const body = {
      model,
      tools: [exec, namespace, { type: "web_search", external_web_access: false }],
      tool_choice: "auto",
      parallel_tool_calls: false,
      reasoning: { effort: "medium", summary: "auto" },
      store: false,
      stream: true,
      include: ["reasoning.encrypted_content"],
      prompt_cache_key: "0197f1d0-0000-7000-8000-000000000000",
      text: { verbosity: "low" },
      client_metadata: { "x-codex-installation-id": "0" },
    };
    const first = await askAsCodex({ ...body, input });
    expect(first.ignored).toContain("tools.namespace");
    const items = first.items;
    expect(items.map(({ type }) => type)).toEqual(["reasoning", "message", "function_call"]);
    const call = items.at(-1);
    expect(call).toMatchObject({ name: "exec_command", arguments: '{"cmd":"ls"}' });
    // It sends items again without their ids and status.
    const again = items.map(({ id: _id, status: _status, ...item }) => item);
    const output = { type: "function_call_output", call_id: call?.["call_id"], output: "file.txt" };
    const second = await askAsCodex({ ...body, input: [...input, ...again, output] });
    expect(second.items).toMatchObject([{ type: "message", content: [{ text: "There is a file." }] }]);
    const told = JSON.stringify(simulator.requests.at(-1)?.body);
    for (const words of ["You are a coding agent.", "What is here?", "file.txt"]) expect(told).toContain(words);
  });
});

type Item = Readonly<Record<string, unknown>>;

/** What Codex reads of a stream: the items that are done, and that it is completed. */
async function askAsCodex(body: object): Promise<{ items: Item[]; ignored: string }> {
  const response = await server.post("/v1/responses", body, { headers: { accept: "text/event-stream" } });
  const text = await response.text();
  expect(response.status, text).toBe(200);
  const events = text
    .split("\n\n")
    .filter((frame) => frame.startsWith("event: "))
    .map((frame) => JSON.parse(frame.slice(frame.indexOf("data: ") + 6)) as { type: string; item: Item }); // Watched.
  expect(events.at(-1)?.type).toBe("response.completed");
  return {
    items: events.filter(({ type }) => type === "response.output_item.done").map(({ item }) => item),
    ignored: response.headers.get("x-ignored-parameters") ?? "",
  };
}
