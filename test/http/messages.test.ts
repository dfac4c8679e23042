// Anthropic's paths on the app: what they answer, in which envelope, with which headers. Bodies and events are held against their
// schemas by the helpers.
import { describe, expect, it } from "vitest";
import { CcapiError } from "../../src/auth/errors.ts";
import type { TurnEvent } from "../../src/turn/turn.ts";
import { adminKey, clientKey, hello, makeApp, scripted, type TestApp } from "../helpers/app.ts";
import { takeFaults } from "../helpers/watched-answers.ts";

const body = { model: "sonnet", max_tokens: 100, messages: [{ role: "user", content: "Hi" }] };
const version = { "anthropic-version": "2023-06-01" };

function send(app: TestApp, sent: unknown, init: RequestInit = {}, path = "/v1/messages"): Promise<Response> {
  return app.request(path, {
    ...init,
    method: "POST",
    body: typeof sent === "string" ? sent : JSON.stringify(sent),
    headers: { "content-type": "application/json", ...(init.headers as Record<string, string>) }, // Plain objects here.
  });
}
async function errorOf(response: Response) {
  return ((await response.json()) as { error: Record<string, unknown>; request_id: string }).error;
}
const namesOf = (text: string) => [...text.matchAll(/^event: (.*)$/gm)].map(([, name]) => name);

describe("POST /v1/messages", () => {
  it("answers with a message (B7)", async () => {
    const app = makeApp();
    const response = await send(app, { ...body, model: "gpt-4o" });
    expect(response.status).toBe(200);
    expect(response.headers.get("request-id")).toBe(response.headers.get("x-request-id"));
    expect(await response.json()).toMatchObject({
      type: "message",
      model: "gpt-4o",
      content: [{ type: "text", text: "Hello." }],
      stop_reason: "end_turn",
      usage: { input_tokens: 5, cache_read_input_tokens: 2, cache_creation_input_tokens: 1, output_tokens: 3 },
    });
    expect(app.turns[0]).toMatchObject({ model: "sonnet", maxTokens: 100 });
  });

  it("streams its events, each with its name (B7)", async () => {
    const response = await send(makeApp(), { ...body, stream: true });
    expect(response.headers.get("content-type")).toContain("text/event-stream");
    expect(namesOf(await response.text())).toEqual([
      "message_start",
      "ping",
      "content_block_start",
      "content_block_delta",
      "content_block_delta",
      "content_block_stop",
      "message_delta",
      "message_stop",
    ]);
  });

  it("says with a ping that it lives (B7)", async () => {
    const silence = Promise.withResolvers<void>();
    const app = makeApp({
      timing: { hold: { workingMs: 5, totalMs: 50_000 }, heartbeatMs: 5 },
      async *runTurn(): AsyncGenerator<TurnEvent, void, undefined> {
        yield { type: "phase", phase: "working" };
        await silence.promise;
        yield* hello;
      },
    });
    const response = await send(app, { ...body, stream: true });
    let text = "";
    for await (const bytes of response.body ?? []) {
      text += Buffer.from(bytes).toString();
      if (namesOf(text).filter((name) => name === "ping").length > 2) silence.resolve();
    }
    expect(namesOf(text)[0]).toBe("message_start");
    expect(namesOf(text).at(-1)).toBe("message_stop");
    expect(text).not.toContain(": keep-alive");
  });

  it("ends a stream that fails with an error event (B7)", async () => {
    const failure = new CcapiError("upstream_overloaded", "Overloaded.");
    const app = makeApp({ runTurn: scripted(hello.slice(0, 4), failure) });
    const response = await send(app, { ...body, stream: true });
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(namesOf(text).at(-1)).toBe("error");
    expect(text).toContain('"error":{"type":"overloaded_error","message":"Overloaded.","code":"upstream_overloaded"}');
  });

  it("says before the first word with a status what fails, and keeps what retries go by (B7)", async () => {
    const dead = new CcapiError("upstream_auth_unavailable", "Dead.", {
      retryAfterMs: 1_500,
      shouldRetry: false,
      state: "needs_login",
      action: "Log in.",
    });
    const app = makeApp({ runTurn: scripted(hello.slice(0, 2), dead) });
    for (const stream of [true, false]) {
      const response = await send(app, { ...body, stream });
      expect(response.status).toBe(503);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        "retry-after": "2",
        "retry-after-ms": "1500",
        "x-should-retry": "false",
      });
      expect(await errorOf(response)).toEqual({
        type: "api_error",
        message: "Dead.",
        code: "upstream_auth_unavailable",
        state: "needs_login",
        action: "Log in.",
      });
    }
    const overloaded = makeApp({ runTurn: scripted([], new CcapiError("upstream_overloaded", "Overloaded.")) });
    expect((await send(overloaded, body)).status).toBe(529);
  });

  it("says what it passed over, as the session it was in (B3, B7)", async () => {
    const app = makeApp();
    const response = await send(
      app,
      { ...body, context_management: {}, service_tier: "auto" },
      { headers: { "x-session-id": "s1", "anthropic-beta": "a-2025-01-01,b-2025-01-01" } },
      "/v1/messages?beta=true",
    );
    expect(response.status).toBe(200);
    expect(response.headers.get("x-ignored-parameters")).toBe("context_management, service_tier, anthropic-beta");
    expect(response.headers.get("x-session-id")).toBe("s1");
    expect(app.turns[0]?.sessionId).toBe("s1");
  });

  it("answers the same request once (B7)", async () => {
    const app = makeApp();
    const init = { headers: { "idempotency-key": "k1" } };
    const first = (await (await send(app, body, init)).json()) as { id: string };
    const again = await send(app, body, init);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(await again.json()).toEqual(first);
    expect(app.turns).toHaveLength(1);
    expect((await send(app, { ...body, max_tokens: 5 }, init)).status).toBe(422);
  });
});

describe("errors on Anthropic's paths", () => {
  it.each([
    ["a wrong key", { headers: { authorization: "", "x-api-key": "wrong" } }, body, 401, "authentication_error"],
    ["no JSON", {}, "{", 400, "invalid_request_error"],
    ["no max_tokens", {}, { ...body, max_tokens: undefined }, 400, "invalid_request_error"],
    ["another model", {}, { ...body, model: "gpt-9" }, 404, "not_found_error"],
    ["a large body", {}, { ...body, system: "x".repeat(20_000) }, 413, "request_too_large"],
    ["another kind of body", { headers: { "content-type": "text/plain" } }, body, 415, "invalid_request_error"],
    ["a session's name that is none", { headers: { "x-session-id": "a b" } }, body, 400, "invalid_request_error"],
  ])("tell of %s in Anthropic's envelope (B7)", async (_what, init, sent, status, type) => {
    for (const path of ["/v1/messages", "/v1/messages/count_tokens"]) {
      if (path.endsWith("tokens") && /max_tokens|session/.test(_what)) continue;
      const response = await send(makeApp(), sent, init, path);
      expect(response.status, path).toBe(status);
      const told = (await response.json()) as { type: string; error: { type: string }; request_id: string };
      expect(told).toMatchObject({ type: "error", error: { type } });
      expect(told.request_id).toBe(response.headers.get("request-id"));
    }
  });

  it("tell of other methods and paths so, and of OpenAI's paths not (B7)", async () => {
    const { request } = makeApp();
    expect(await errorOf(await request("/v1/messages"))).toMatchObject({ type: "invalid_request_error" });
    expect(await errorOf(await request("/v1/messages/batches"))).toMatchObject({ type: "not_found_error" });
    expect(await errorOf(await request("/v1/nope", { headers: version }))).toMatchObject({ type: "not_found_error" });
    expect(await errorOf(await request("/v1/nope"))).toMatchObject({ type: "invalid_request_error", param: null });
    const chat = await request("/v1/chat/completions", { headers: version });
    expect(await errorOf(chat)).toMatchObject({ type: "invalid_request_error", param: null });
    expect(chat.headers.has("request-id")).toBe(false);
  });

  it("are seen by the tests where they are not true to their schema (B7)", async () => {
    const broken = { type: "finish", reason: "tool_calls", stopSequence: "x" } as const;
    const usage = { inputTokens: -1, cacheReadTokens: 0, cacheCreationTokens: 0, outputTokens: 0, reasoningTokens: 0 };
    const runTurn = scripted([{ ...broken, usage, costUsd: 0 }]);
    await (await send(makeApp({ runTurn }), body)).json();
    expect(takeFaults().length).toBeGreaterThan(0);
    await (await send(makeApp({ runTurn }), { ...body, stream: true })).text();
    expect(takeFaults().length).toBeGreaterThan(0);
  });
});

describe("beside messages", () => {
  it("tokens are estimated, and the answer says so (B7)", async () => {
    const { max_tokens: _, ...counted } = body;
    const response = await send(makeApp(), counted, {}, "/v1/messages/count_tokens");
    expect(response.headers.get("x-token-count")).toBe("estimate");
    expect(await response.json()).toEqual({ input_tokens: 5 });
  });

  it("models are listed in the shape of the API whose client asks (B2, B7)", async () => {
    const { request } = makeApp();
    expect(await (await request("/v1/models", { headers: version })).json()).toMatchObject({
      data: expect.arrayContaining([expect.objectContaining({ type: "model", id: "sonnet" })]),
      has_more: false,
    });
    expect(await (await request("/v1/models?limit=1", { headers: version })).json()).toMatchObject({ has_more: true });
    for (const name of ["claude-code/opus", "claude-code%2Fopus"]) {
      const response = await request(`/v1/models/${name}`, { headers: version });
      expect(await response.json()).toMatchObject({ type: "model", id: "claude-code/opus" });
    }
    expect(await (await request("/v1/models")).json()).toMatchObject({ object: "list" });
    expect(await errorOf(await request("/v1/models/gpt-9", { headers: version }))).toMatchObject({
      type: "not_found_error",
      code: "model_not_found",
    });
  });

  it("HEAD / is answered, without a key (B7)", async () => {
    const { request } = makeApp();
    const response = await request("/", { method: "HEAD", headers: { authorization: "" } });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
  });

  it("keys are taken as x-api-key and as Bearer (C1)", async () => {
    for (const headers of [{ authorization: "", "x-api-key": clientKey }, { authorization: `Bearer ${adminKey}` }]) {
      expect((await send(makeApp(), body, { headers })).status).toBe(200);
    }
  });
});
