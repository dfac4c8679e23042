// Structured output on the real Claude CLI: valid, mended, refused; for both profiles, streamed, in sessions.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { chat, startServer, type TestServer } from "../helpers/server.ts";
import { lastConversation, upstreamBodies } from "../helpers/upstream.ts";

let simulator: Simulator;
let server: TestServer;

beforeAll(async () => {
  simulator = await startSimulator();
  server = await startServer({ upstream: simulator.url });
});
beforeEach(() => simulator.setRules([]));
afterAll(async () => {
  await server.stop();
  await simulator.close();
});

const schema = {
  $schema: "http://json-schema.org/draft-07/schema#",
  type: "object",
  properties: { city: { type: "string" }, n: { type: "integer" } },
  required: ["city", "n"],
  additionalProperties: false,
};
const format = { type: "json_schema", json_schema: { name: "city", schema, strict: true } };
const asked = (more: object = {}) => chat("City and number.", { response_format: format, ...more });
const offSchema = [{ type: "text", text: '{"city":3}' }] as const;

interface Answer {
  readonly choices: readonly [{ readonly message: { readonly content: string }; readonly finish_reason: string }];
}
const contentOf = async (response: Response) => {
  const body = (await response.json()) as Answer; // OpenAI's shape.
  expect(response.status, JSON.stringify(body)).toBe(200);
  return body.choices[0].message.content;
};

describe("an answer with a schema", () => {
  it.each(["sonnet", "claude-code"])("is valid JSON from %s, whole and streamed (B1)", async (model) => {
    const value = JSON.parse(await contentOf(await server.post("/v1/chat/completions", asked({ model })))) as object;
    expect(value).toEqual({ city: "Paris", n: 1 });
    const stream = await (await server.post("/v1/chat/completions", asked({ model, stream: true }))).text();
    const frames = stream.split("\n\n").filter((frame) => frame.startsWith("data: {"));
    const contents = frames.map((frame) => {
      const { choices } = JSON.parse(frame.slice("data: ".length)) as {
        readonly choices: readonly { readonly delta: { readonly content?: string } }[];
      };
      return choices[0]?.delta.content ?? "";
    });
    expect(JSON.parse(contents.join(""))).toEqual({ city: "Paris", n: 1 });
    expect(contents.filter((text) => text !== "").length).toBeGreaterThan(1);
    expect(stream.endsWith("data: [DONE]\n\n")).toBe(true);
  });

  it("is asked for once more where it misses, in the same conversation (B1)", async () => {
    simulator.setRules([{ times: 1, answer: offSchema }]);
    const from = upstreamBodies(simulator).length;
    const content = await contentOf(await server.post("/v1/chat/completions", asked()));
    expect(JSON.parse(content)).toEqual({ city: "Paris", n: 1 });
    expect(upstreamBodies(simulator).length - from).toBe(2);
    const [question, miss, mend] = lastConversation(simulator);
    expect(question).toBe("user: City and number.");
    expect(miss).toBe('assistant: {"city":3}');
    expect(mend).toContain("/city must be string");
  });

  it.each([false, true])("is an error where it misses twice, streamed: %s (B1)", async (stream) => {
    simulator.setRules([{ answer: offSchema }]);
    const from = upstreamBodies(simulator).length;
    const response = await server.post("/v1/chat/completions", asked({ stream }));
    const text = await response.text();
    expect(text).toContain("output_schema_missed");
    expect(text).not.toContain("city");
    expect(response.status).toBe(502);
    expect(upstreamBodies(simulator).length - from).toBe(2);
  });

  it("leaves a session that goes on, and knows what was said (B1, B3)", async () => {
    simulator.setRules([{ times: 1, answer: offSchema }]);
    await contentOf(await server.post("/v1/chat/completions", asked({ session_id: "form" })));
    const next = await server.post("/v1/chat/completions", chat("Thank you.", { session_id: "form" }));
    await contentOf(next);
    expect(lastConversation(simulator).filter((line) => line.startsWith("assistant"))).toEqual([
      'assistant: {"city":3}',
      'assistant: {"city":"Paris","n":1}',
    ]);
    expect(JSON.stringify(upstreamBodies(simulator).at(-1)?.system)).not.toContain("JSON schema");
  });

  it("is cut at its bound as it stands (B1)", async () => {
    simulator.setRules([{ tokens: 40 }]);
    const response = await server.post("/v1/chat/completions", asked({ max_tokens: 5 }));
    expect(((await response.json()) as Answer).choices[0].finish_reason).toBe("length");
  });
});

it("an answer that is any JSON object is one, without its fence (B1)", async () => {
  simulator.setRules([{ answer: [{ type: "text", text: '```json\n{"ok": true}\n```' }] }]);
  const body = chat('Answer in JSON: {"ok":true}', { response_format: { type: "json_object" } });
  expect(await contentOf(await server.post("/v1/chat/completions", body))).toBe('{"ok": true}');
});

it("a schema that is none is refused before anything is asked (B1)", async () => {
  const from = upstreamBodies(simulator).length;
  const bad = { type: "json_schema", json_schema: { name: "x", schema: { properties: { a: { type: "text" } } } } };
  const response = await server.post("/v1/chat/completions", chat("Hi", { response_format: bad }));
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { param: "response_format.json_schema.schema" } });
  expect(upstreamBodies(simulator)).toHaveLength(from);
});
