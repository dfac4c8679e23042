// The watch over every answer of the tests: it lets through what OpenAI's documents allow, and finds what they don't.
import { describe, expect, it } from "vitest";
import { assertValid, faultsOf } from "../helpers/openai-schema.ts";
import { takeFaults, watched } from "../helpers/watched-answers.ts";

const chunk = {
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  created: 1,
  model: "sonnet",
  choices: [{ index: 0, delta: { role: "assistant", content: "Hi" }, logprobs: null, finish_reason: null }],
};
const completion = {
  ...chunk,
  object: "chat.completion",
  choices: [
    { index: 0, message: { role: "assistant", content: "Hi", refusal: null }, logprobs: null, finish_reason: "stop" },
  ],
};
const last = { ...chunk, choices: [{ index: 0, delta: {}, finish_reason: "stop" }] };
const model = { id: "sonnet", object: "model", created: 1, owned_by: "anthropic" };
const error = { error: { message: "No.", type: "invalid_request_error", param: null, code: "invalid_request" } };
const delta = {
  type: "response.output_text.delta",
  item_id: "msg_1",
  output_index: 0,
  content_index: 0,
  delta: "Hi",
  logprobs: [],
  sequence_number: 0,
};

function stream(...events: readonly (object | string)[]): string {
  return events.map((event) => `data: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`).join("");
}

async function faultsIn(path: string, status: number, body: object | string, method = "POST"): Promise<string[]> {
  const isStream = typeof body === "string";
  const type = isStream ? "text/event-stream; charset=utf-8" : "application/json";
  const response = new Response(isStream ? body : JSON.stringify(body), {
    status,
    headers: { "content-type": type, "x-request-id": "req_1" },
  });
  const seen = await watched(method, path, response);
  expect(await seen.text()).toBe(isStream ? body : JSON.stringify(body));
  return takeFaults();
}

describe("OpenAI's schemas", () => {
  it("accept what is true to them (B1)", () => {
    for (const what of ["chatChunk", "chatCompletion", "model", "modelList", "errorBody", "responseEvent"] as const) {
      const value = {
        chatChunk: chunk,
        chatCompletion: completion,
        model,
        modelList: { object: "list", data: [model] },
        errorBody: error,
        responseEvent: delta,
      }[what];
      expect(faultsOf[what](value), what).toEqual([]);
      assertValid(what, value);
    }
  });

  it.each([
    ["chatChunk", { ...chunk, object: "chat.completion" }],
    ["chatChunk", { ...chunk, choices: [{ ...chunk.choices[0], finish_reason: "end_turn" }] }],
    ["chatChunk", { ...chunk, choices: [{ index: 0, delta: { tool_calls: [{ id: "a" }] }, finish_reason: null }] }],
    ["chatCompletion", { ...completion, choices: [{ ...completion.choices[0], logprobs: undefined }] }],
    ["chatCompletion", { ...completion, usage: { prompt_tokens: 1 } }],
    ["model", { ...model, created: "now" }],
    ["modelList", { data: [] }],
    ["errorBody", { error: { message: "No." } }],
    ["response", { id: "resp_1", object: "response" }],
    ["responseEvent", { ...delta, sequence_number: undefined }],
    ["responseEvent", { ...delta, type: "response.text" }],
    ["responseItemList", {}],
    ["chatRequest", { model: "sonnet" }],
    ["responseRequest", { input: 3 }],
  ] as const)("refuse a bad %s, case %$ (B1)", (what, value) => {
    expect(() => assertValid(what, JSON.parse(JSON.stringify(value)))).toThrow(`No valid ${what}`);
  });
});

describe("the watch", () => {
  const chat = "/v1/chat/completions";

  it("says nothing of answers that are as they should be (B1)", async () => {
    expect(await faultsIn(chat, 200, completion)).toEqual([]);
    expect(await faultsIn(chat, 200, `: keep-alive\n\n${stream(chunk, last, "[DONE]")}`)).toEqual([]);
    expect(await faultsIn(chat, 200, stream(chunk, error))).toEqual([]);
    expect(await faultsIn(chat, 400, error)).toEqual([]);
    expect(await faultsIn("/v1/models/sonnet", 200, model, "GET")).toEqual([]);
  });

  it.each([
    [chat, 200, { ...completion, object: "x" }, "No valid chatCompletion"],
    [chat, 400, { error: "No." }, "No valid errorBody"],
    ["/anything", 404, { message: "No." }, "No valid errorBody"],
    ["/v1/models", 200, { data: [] }, "No valid modelList"],
    ["/v1/models/sonnet", 200, {}, "No valid model"],
    ["/v1/responses", 200, {}, "No valid response"],
    ["/v1/responses/resp_1/input_items", 200, {}, "No valid responseItemList"],
    [chat, 200, stream({ ...chunk, created: "now" }, last, "[DONE]"), "No valid chatChunk"],
    [chat, 200, stream(chunk, last), "ended without [DONE]"],
    [chat, 200, stream(chunk, last, "[DONE]", last), "after [DONE]"],
    [chat, 200, stream(chunk, error, last), "after error"],
    [chat, 200, stream(chunk, { ...last, id: "another" }, "[DONE]"), "another id"],
    [chat, 200, stream(last, chunk, "[DONE]"), "goes on after its end"],
    [chat, 200, stream("{", "[DONE]"), "No valid chatChunk"],
    ["/v1/responses", 200, stream({ ...delta, sequence_number: 1 }), "not sequence_number 0"],
    ["/v1/responses", 200, stream(delta), "the event undefined"],
    ["/v1/responses", 200, stream(delta), "without its last event"],
  ] as const)("finds the fault at %s, case %$ (B1)", async (path, status, body, words) => {
    expect((await faultsIn(path, status, body)).join("\n")).toContain(words);
  });

  it("finds an answer without x-request-id (B1)", async () => {
    await watched("GET", "/health", new Response("{}"));
    expect(takeFaults().join()).toContain("no x-request-id");
  });
});
