import { describe, expect, it } from "vitest";
import { CcapiError } from "../../src/auth/errors.ts";
import type { TurnEvent } from "../../src/turn/turn.ts";
import { adminKey, hello, makeApp, scripted, type TestApp } from "../helpers/app.ts";
import { assertValid } from "../helpers/openai-schema.ts";

const finish = hello.at(-1)!; // The script ends so.
const finishWith = (reason: "length" | "refusal" | "tool_calls"): TurnEvent =>
  finish.type === "finish" ? { ...finish, reason } : finish;
const thought: TurnEvent[] = [
  { type: "block-start", kind: "thinking" },
  { type: "delta", kind: "thinking", text: "Hm." },
  { type: "block-stop", kind: "thinking", signature: "sig" },
];
const said = (text: string): TurnEvent[] => [
  { type: "block-start", kind: "text" },
  { type: "delta", kind: "text", text },
  { type: "block-stop", kind: "text" },
];
const called = (id: string): TurnEvent[] => [
  { type: "tool-start", id, name: "get_weather" },
  { type: "tool-delta", id, json: '{"city":' },
  { type: "tool-delta", id, json: '"Paris"}' },
  { type: "tool-stop", id, input: { city: "Paris" } },
];

interface Body {
  readonly id: string;
  readonly status: string;
  readonly output: readonly { readonly id: string; readonly type: string; readonly [field: string]: unknown }[];
  readonly [field: string]: unknown;
}

interface Event {
  readonly type: string;
  readonly sequence_number: number;
  readonly response?: Body;
  readonly [field: string]: unknown;
}

const base = { model: "sonnet", input: "Hi" };

const post = (app: TestApp, body: unknown, headers: Record<string, string> = {}, path = "/v1/responses") =>
  app.request(path, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers },
  });

async function create(app: TestApp, body: unknown, headers?: Record<string, string>): Promise<Body> {
  const response = await post(app, body, headers);
  const json = (await response.json()) as Body; // Held against the schema below.
  expect(response.status, JSON.stringify(json)).toBe(200);
  assertValid("response", json);
  return json;
}

/** A stream's events, each valid, numbered without a gap, named like its data. */
async function stream(app: TestApp, body: object): Promise<Event[]> {
  const response = await post(app, { ...body, stream: true });
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  return (await response.text())
    .split("\n\n")
    .filter((frame) => frame !== "")
    .map((frame, index) => {
      const [, name, data = ""] = /^event: (\S+)\ndata: (.*)$/.exec(frame) ?? [];
      const event = JSON.parse(data) as Event; // Held against the schema below.
      assertValid("responseEvent", event);
      expect(event).toMatchObject({ type: name, sequence_number: index });
      return event;
    });
}

async function errorOf(response: Response): Promise<{ status: number; code: string; param: string | null }> {
  const body = (await response.json()) as { error: { code: string; param: string | null } }; // Our own envelope.
  return { status: response.status, code: body.error.code, param: body.error.param };
}

describe("POST /v1/responses", () => {
  it("answers with a response that both documents know, its usage counted (B7)", async () => {
    const body = await create(makeApp(), { ...base, metadata: { a: "b" }, temperature: 0.5 });
    expect(body).toMatchObject({
      status: "completed",
      metadata: { a: "b" },
      temperature: 0.5,
      output: [{ type: "message", status: "completed", content: [{ type: "output_text", text: "Hello." }] }],
      usage: { input_tokens: 8, output_tokens: 3, total_tokens: 11, input_tokens_details: { cached_tokens: 2 } },
    });
  });

  it("streams every item from its beginning to its end, the last event the whole response (B7)", async () => {
    const app = makeApp({
      runTurn: scripted([...thought, ...said("So."), ...called("toolu_1"), finishWith("tool_calls")]),
    });
    const tools = [{ type: "function", name: "get_weather", parameters: { type: "object", properties: {} } }];
    const events = await stream(app, { ...base, tools });
    expect(events.map(({ type }) => type.replace("response.", ""))).toEqual([
      "created",
      "in_progress",
      "output_item.added",
      "reasoning_summary_part.added",
      "reasoning_summary_text.delta",
      "reasoning_summary_text.done",
      "reasoning_summary_part.done",
      "output_item.done",
      "output_item.added",
      "content_part.added",
      "output_text.delta",
      "output_text.done",
      "content_part.done",
      "output_item.done",
      "output_item.added",
      "function_call_arguments.delta",
      "function_call_arguments.delta",
      "function_call_arguments.done",
      "output_item.done",
      "completed",
    ]);
    const done = events.filter(({ type }) => type === "response.output_item.done").map(({ item }) => item);
    expect(events.at(-1)?.response?.output).toEqual(done);
    expect(done[2]).toMatchObject({ call_id: "toolu_1", name: "get_weather", arguments: '{"city":"Paris"}' });
    expect((await create(app, { ...base, tools })).output.map(({ type }) => type)).toEqual([
      "reasoning",
      "message",
      "function_call",
    ]);
  });

  it("joins an agent's texts by a blank line, in one message or several (B2, B7)", async () => {
    const runTurn = scripted([...said("One."), ...said("Two."), ...thought, ...said("Three."), finish]);
    const { output } = await create(makeApp({ runTurn }), { ...base, model: "claude-code" });
    const texts = output.flatMap(({ content }) => (content as { text: string }[] | undefined)?.map(({ text }) => text));
    expect(texts.join("")).toBe("One.\n\nTwo.\n\nThree.");
  });

  it("is incomplete where a limit cut it, and where the model declined (B7)", async () => {
    const cut = makeApp({ runTurn: scripted([...said("Hel"), finishWith("length")]) });
    expect(await create(cut, { ...base, max_output_tokens: 16 })).toMatchObject({
      status: "incomplete",
      incomplete_details: { reason: "max_output_tokens" },
      output: [{ status: "incomplete" }],
    });
    const declined = makeApp({ runTurn: scripted([finishWith("refusal")]) });
    const events = await stream(declined, base);
    expect(events.map(({ type }) => type)).toContain("response.refusal.delta");
    expect(events.at(-1)).toMatchObject({
      type: "response.incomplete",
      response: { incomplete_details: { reason: "content_filter" }, output: [{ content: [{ type: "refusal" }] }] },
    });
  });

  it("is an HTTP error where it fails before its first word, else ends in response.failed (B7)", async () => {
    const failure = new CcapiError("upstream_overloaded", "Too much.");
    const early = makeApp({ runTurn: scripted(hello.slice(0, 2), failure) });
    expect(await errorOf(await post(early, { ...base, stream: true }))).toMatchObject({ status: 503 });
    const late = makeApp({ runTurn: scripted(hello.slice(0, 4), failure) });
    const events = await stream(late, base);
    expect(events.slice(-2)).toMatchObject([
      { type: "error", code: "upstream_overloaded", error: { code: "upstream_overloaded", message: "Too much." } },
      {
        type: "response.failed",
        response: {
          status: "failed",
          error: { code: "server_error" },
          output: [{ status: "incomplete", content: [{ text: "Hel" }] }],
        },
      },
    ]);
  });

  it("goes on from a stored response, branches included, without its instructions (B3, B7)", async () => {
    const app = makeApp();
    const first = await create(app, { ...base, instructions: "Be brief." });
    const one = await create(app, { ...base, input: "One", previous_response_id: first.id });
    await create(app, { ...base, input: "Two", previous_response_id: first.id });
    await create(app, { ...base, input: "More", previous_response_id: one.id, store: false });
    const spoken = app.turns.map(({ system, messages }) => [
      system,
      ...messages.flatMap(({ content }) => content.map((block) => (block.type === "text" ? block.text : block.type))),
    ]);
    expect(spoken).toEqual([
      ["Be brief.", "Hi"],
      [undefined, "Hi", "Hello.", "One"],
      [undefined, "Hi", "Hello.", "Two"],
      [undefined, "Hi", "Hello.", "One", "Hello.", "More"],
    ]);
  });

  it("says so where the previous response is not there, not stored or another key's (B7, C1)", async () => {
    const app = makeApp();
    const { id } = await create(app, base);
    const unstored = await create(app, { ...base, store: false });
    const asked = [
      post(app, { ...base, previous_response_id: "resp_unknown" }),
      post(app, { ...base, previous_response_id: unstored.id }),
      post(app, { ...base, previous_response_id: id }, { authorization: `Bearer ${adminKey}` }),
    ];
    for (const response of await Promise.all(asked)) {
      expect(await errorOf(response)).toEqual({
        status: 400,
        code: "previous_response_not_found",
        param: "previous_response_id",
      });
    }
  });

  it("gives thinking back to the model where the client sends its reasoning item again, whole or by its id (B7)", async () => {
    const app = makeApp({ runTurn: scripted([...thought, ...called("call_1"), finishWith("tool_calls")]) });
    const tools = [{ type: "function", name: "get_weather", parameters: { type: "object", properties: {} } }];
    const { output } = await create(app, { ...base, tools });
    const result = { type: "function_call_output", call_id: "call_1", output: "21C" };
    const ask = { role: "user", content: "Hi" };
    await create(app, { ...base, tools, input: [ask, ...output, result] });
    await create(app, {
      ...base,
      tools,
      input: [ask, ...output.map(({ id }) => ({ type: "item_reference", id })), result],
    });
    expect(app.turns[1]?.messages).toEqual([
      { role: "user", content: [{ type: "text", text: "Hi" }] },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "Hm.", signature: "sig" },
          { type: "tool_use", id: "call_1", name: "get_weather", input: { city: "Paris" } },
        ],
      },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "call_1", content: "21C" }] },
    ]);
    expect(app.turns[2]?.messages).toEqual(app.turns[1]?.messages);
  });

  it("names what has no effect, and refuses what can't be served (B7)", async () => {
    const response = await post(makeApp(), {
      ...base,
      tools: [{ type: "web_search" }, { type: "namespace", name: "n", description: "", tools: [] }],
      text: { verbosity: "low" },
      truncation: "auto",
      background: false,
    });
    expect(response.headers.get("x-ignored-parameters")).toBe(
      "truncation, text.verbosity, tools.web_search, tools.namespace",
    );
    const refused: [object, string][] = [
      [{ background: true }, "background"],
      [{ conversation: "conv_1" }, "conversation"],
      [{ prompt: { id: "p" } }, "prompt"],
      [{ tools: [{ type: "mcp", server_label: "x" }] }, "tools[0].type"],
      [{ tool_choice: { type: "web_search_preview" } }, "tool_choice.type"],
      [{ include: ["message.output_text.logprobs"] }, "include[0]"],
      [{ input: [{ type: "computer_call", id: "x" }] }, "input[0].type"],
    ];
    for (const [more, param] of refused) {
      expect(await errorOf(await post(makeApp(), { ...base, ...more }))).toEqual({
        status: 400,
        code: "unsupported_parameter",
        param,
      });
    }
  });

  it("takes X-Session-Id and Idempotency-Key (B3, B7)", async () => {
    const app = makeApp();
    const headers = { "x-session-id": "s", "idempotency-key": "k" };
    const first = await post(app, base, headers);
    const again = await post(app, base, headers);
    expect(first.headers.get("x-session-id")).toBe("s");
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(((await again.json()) as Body).id).toBe(((await first.json()) as Body).id);
    expect(app.turns.map(({ sessionId }) => sessionId)).toEqual(["s"]);
  });
});

describe("/v1/responses/:id", () => {
  it("shows, lists the input of and deletes a response, its own key's alone (B7, C1)", async () => {
    const app = makeApp();
    const created = await create(app, {
      ...base,
      input: [
        { role: "developer", content: "D" },
        { role: "user", content: "U" },
      ],
    });
    const path = `/v1/responses/${created.id}`;
    const other = { headers: { authorization: `Bearer ${adminKey}` } };
    expect(await (await app.request(path)).json()).toEqual(created);
    expect(await errorOf(await app.request(`${path}?stream=true`))).toMatchObject({ status: 400, param: "stream" });
    const items = (await (await app.request(`${path}/input_items?order=asc&limit=1`)).json()) as { data: unknown[] };
    assertValid("responseItemList", items);
    expect(items).toMatchObject({ has_more: true, data: [{ role: "developer", content: [{ text: "D" }] }] });
    for (const method of ["GET", "DELETE"]) {
      expect(await errorOf(await app.request(path, { ...other, method }))).toMatchObject({
        code: "response_not_found",
      });
    }
    expect(await errorOf(await post(app, {}, {}, `${path}/cancel`))).toMatchObject({ status: 400 });
    expect(await (await app.request(path, { method: "DELETE" })).json()).toEqual({
      id: created.id,
      object: "response",
      deleted: true,
    });
    expect((await app.request(path)).status).toBe(404);
  });
});
