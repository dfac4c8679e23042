// Requests that the API would turn down are turned down in its words; nothing that comes in makes the simulator fail.
import { request } from "node:http";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { MODEL, post } from "./clients.ts";

let simulator: Simulator;
beforeAll(async () => void (simulator = await startSimulator()));
afterAll(() => simulator.close());

const address = () => ({ host: "127.0.0.1", port: simulator.port });

const user = { role: "user", content: "hi" };
const good = { model: MODEL, max_tokens: 10, messages: [user] };
const call = { role: "assistant", content: [{ type: "tool_use", id: "toolu_1", name: "t", input: {} }] };
const result = { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "ok" }] };
const tool = { name: "t", input_schema: { type: "object" } };

it.each<[body: unknown, message: string]>([
  [{ ...good, model: undefined }, "model: Field required"],
  [{ ...good, model: 4 }, "model: Input should be a valid string"],
  [{ ...good, max_tokens: undefined }, "max_tokens: Field required"],
  [{ ...good, max_tokens: "10" }, "max_tokens: Input should be a valid integer"],
  [{ ...good, max_tokens: 0 }, "max_tokens: must be greater than or equal to 1"],
  [{ ...good, messages: undefined }, "messages: Field required"],
  [{ ...good, messages: "hi" }, "messages: Input should be a valid list"],
  [{ ...good, messages: [] }, "messages: at least one message is required"],
  [{ ...good, messages: [{ role: "assistant", content: "a" }] }, 'messages: first message must use the "user" role'],
  [{ ...good, messages: [{ role: "tool", content: "a" }] }, 'messages: Unexpected role "tool"'],
  [{ ...good, messages: [{ role: "user" }] }, "messages.0.content: Field required"],
  [{ ...good, messages: [{ role: "user", content: "" }] }, "messages.0: all messages must have non-empty content"],
  [
    { ...good, messages: [{ role: "user", content: [{ type: "text", text: "" }] }] },
    "text content blocks must be non-empty",
  ],
  [
    { ...good, messages: [{ role: "user", content: [{ type: "text" }] }] },
    "messages.0.content.0.text.text: Field required",
  ],
  [{ ...good, messages: [user, { role: "assistant", content: "a " }] }, "cannot end with trailing whitespace"],
  [
    { ...good, messages: [user, call, user] },
    "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1.",
  ],
  [
    { ...good, messages: [result] },
    "messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_1.",
  ],
  [{ ...good, messages: [user, call, result, call, result] }, "messages: `tool_use` ids must be unique"],
  [
    {
      ...good,
      messages: [
        { role: "user", content: [{ type: "image", source: { type: "base64", media_type: "image/bmp", data: "AA" } }] },
      ],
    },
    "media_type: Input should be 'image/jpeg'",
  ],
  [{ ...good, tools: [tool, tool] }, "tools: Tool names must be unique."],
  [{ ...good, tools: [{ ...tool, name: "a b" }] }, "tools.0.custom.name: String should match pattern"],
  [{ ...good, tools: [{ name: "t" }] }, "tools.0.custom.input_schema: Field required"],
  [{ ...good, tools: [tool], tool_choice: { type: "tool", name: "u" } }, "Tool 'u' not found in provided tools"],
  [{ ...good, temperature: 2 }, "temperature: range: 0..1"],
  [{ ...good, thinking: { type: "enabled", budget_tokens: 100 } }, "greater than or equal to 1024"],
  [
    { ...good, thinking: { type: "enabled", budget_tokens: 2000 } },
    "`max_tokens` must be greater than `thinking.budget_tokens`",
  ],
  [{ ...good, stop_sequences: [" "] }, "each stop sequence must contain non-whitespace"],
  [[], "Input should be a valid dictionary"],
])("turns %j down as %s (E1)", async (body, message) => {
  const response = await post(simulator, JSON.stringify(body));
  const error = (await response.json()) as { error: { type: string; message: string }; request_id: string };
  expect(error.error.message).toContain(message);
  expect([response.status, error.error.type]).toEqual([400, "invalid_request_error"]);
  expect(error.request_id).toBe(response.headers.get("request-id"));
});

it("says 400 to a body that is no JSON and 413 to one above 32 MB (E1)", async () => {
  expect((await post(simulator, "{")).status).toBe(400);
  const large = await post(simulator, "x".repeat(33 * 1024 * 1024));
  expect(large.status).toBe(413);
  expect(await large.json()).toMatchObject({ error: { type: "request_too_large" } });
});

it("says 413 as soon as the announced length is too large, without waiting for the body (E1)", async () => {
  const code = await new Promise((resolve, reject) => {
    const headers = { "x-api-key": "k", "content-length": 40 * 1024 * 1024 };
    const early = request({ ...address(), method: "POST", path: "/v1/messages", headers }, (response) => {
      resolve(response.statusCode);
      early.destroy();
    });
    early.on("error", reject);
    early.flushHeaders();
  });
  expect(code).toBe(413);
});

it("says aborted for a client that leaves before its body ends (E1)", async () => {
  simulator.clearRequests();
  const headers = { "x-api-key": "k", "content-length": 1000 };
  const early = request({ ...address(), method: "POST", path: "/v1/messages", headers });
  early.on("error", () => {}); // Its own destruction.
  early.write("{");
  await expect.poll(() => simulator.requests.length).toBe(1);
  early.destroy();
  await expect.poll(() => simulator.requests[0]?.outcome).toBe("aborted");
});

it("says 404 to an unknown model, an unknown path and the HEAD of the root (E1)", async () => {
  const model = await post(simulator, JSON.stringify({ ...good, model: "claude-nonexistent-1" }));
  expect([model.status, await model.json()]).toMatchObject([
    404,
    { type: "error", error: { type: "not_found_error", message: "model: claude-nonexistent-1" } },
  ]);
  const path = await fetch(`${simulator.url}/v1/nope`);
  expect([path.status, await path.json()]).toMatchObject([404, { error: { type: "not_found_error" } }]);
  expect((await fetch(simulator.url, { method: "HEAD" })).status).toBe(404);
  expect((await fetch(`${simulator.url}/v1/messages`, { headers: { "x-api-key": "k" } })).status).toBe(405);
});

it.each(["//", "/%", "/v1/models/%E0%A4%A", "/v1/messages/", "/_simulator", "/?/v1/messages"])(
  "says 404 to the odd path %s (E1)",
  async (path) => {
    const code = await new Promise((resolve, reject) => {
      request({ ...address(), path, headers: { "x-api-key": "k" } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on("error", reject)
        .end();
    });
    expect(code).toBe(404);
  },
);

const json = fc.jsonValue({ maxDepth: 3 });
const block = fc.record(
  {
    type: fc.oneof(fc.constantFrom("text", "tool_use", "tool_result", "image", "thinking", "document"), json),
    text: fc.oneof(fc.string(), json),
    id: fc.oneof(fc.constantFrom("a", "b"), json),
    tool_use_id: fc.oneof(fc.constantFrom("a", "b"), json),
    name: fc.oneof(fc.string(), json),
    input: json,
    source: json,
    content: json,
  },
  { requiredKeys: [] },
);
const message = fc.record(
  {
    role: fc.oneof(fc.constantFrom("user", "assistant", "system"), json),
    content: fc.oneof(fc.string(), fc.array(fc.oneof(block, json), { maxLength: 4 }), json),
  },
  { requiredKeys: [] },
);
const schema = fc.letrec((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom({}, { type: "string" }, { $ref: "#" }),
    tie("nested"),
  ),
  nested: fc.record(
    {
      type: fc.oneof(fc.constantFrom("object", "array", "string", "integer", "number", "boolean", "null"), json),
      properties: fc.oneof(fc.dictionary(fc.constantFrom("a", "city", "n"), tie("schema"), { maxKeys: 3 }), json),
      required: fc.oneof(fc.array(fc.string()), json),
      items: fc.oneof(tie("schema"), json),
      anyOf: fc.oneof(fc.array(tie("schema"), { maxLength: 3 }), json),
      allOf: fc.oneof(fc.array(tie("schema"), { maxLength: 3 }), json),
      $ref: fc.oneof(fc.constantFrom("#", "#/properties/a", "#/x/y"), json),
      enum: json,
      pattern: fc.oneof(fc.string(), json),
      minLength: json,
      minItems: json,
      minimum: json,
      multipleOf: json,
      format: json,
      examples: json,
    },
    { requiredKeys: [] },
  ),
})).schema;
const body = fc.record(
  {
    model: fc.oneof(fc.constant(MODEL), json),
    max_tokens: fc.oneof(fc.constantFrom(1, 50, 100_000), json),
    messages: fc.oneof(fc.array(fc.oneof(message, json), { maxLength: 5 }), json),
    system: fc.oneof(fc.string(), json),
    tools: fc.oneof(fc.array(fc.record({ name: fc.constantFrom("a", "b"), input_schema: schema })), json),
    tool_choice: fc.oneof(fc.constantFrom({ type: "any" }, { type: "tool", name: "a" }), json),
    thinking: fc.oneof(fc.constantFrom({ type: "adaptive" }), json),
    output_config: fc.oneof(fc.record({ format: fc.record({ type: fc.constant("json_schema"), schema }) }), json),
    stop_sequences: fc.oneof(fc.array(fc.string()), json),
    stream: fc.oneof(fc.boolean(), json),
    temperature: json,
  },
  { requiredKeys: [] },
);
const valid = fc.record({
  model: fc.constant(MODEL),
  max_tokens: fc.constantFrom(1, 50, 100_000),
  messages: fc.array(fc.record({ role: fc.constant("user"), content: fc.string({ minLength: 1 }) }), {
    minLength: 1,
    maxLength: 3,
  }),
  tools: fc.constantFrom([], [tool]),
  output_config: fc.record({ format: fc.record({ type: fc.constant("json_schema"), schema }) }),
  stream: fc.boolean(),
});

it("answers any body with 200 or a 4xx of the API's shape, never with a failure of its own (E1)", async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(body, valid, json), async (value) => {
      const response = await post(simulator, JSON.stringify(value));
      const text = await response.text();
      expect([200, 400, 404]).toContain(response.status);
      if (response.status !== 200) expect(JSON.parse(text)).toMatchObject({ type: "error", error: {} });
      else expect(text.includes("message_stop") || text.includes('"type":"message"')).toBe(true);
    }),
    { numRuns: 1500 },
  );
}, 60_000);
