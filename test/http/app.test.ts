import { describe, expect, it } from "vitest";
import { CcapiError } from "../../src/auth/errors.ts";
import { adminKey, clientKey, hello, makeApp, scripted, status } from "../helpers/app.ts";
import { type Chunk, readStream, textOf } from "../helpers/sse.ts";

const body = { model: "sonnet", messages: [{ role: "user", content: "Hi" }] };
const error = async (response: Response) => ((await response.json()) as { error: Record<string, unknown> }).error;

describe("who asks", () => {
  it("is known by its key, as Bearer or as x-api-key (C1)", async () => {
    const { request } = makeApp();
    expect((await request("/v1/models")).status).toBe(200);
    expect((await request("/v1/models", { headers: { authorization: "", "x-api-key": clientKey } })).status).toBe(200);
    expect((await request("/v1/models", { headers: { authorization: `bearer ${adminKey}` } })).status).toBe(200);
  });

  it.each(["", "Bearer", "Bearer wrong", `Basic ${clientKey}`, `Bearer ${clientKey}x`, `Bearer ${clientKey} x`])(
    "is refused with 401 and an envelope for the header %j (C1)",
    async (authorization) => {
      const { request } = makeApp();
      for (const path of ["/v1/models", "/v1/sessions", "/v1/unknown", "/health/auth"]) {
        const response = await request(path, { headers: { authorization } });
        expect(response.status, path).toBe(401);
        expect(await error(response)).toMatchObject({
          code: "invalid_api_key",
          type: "invalid_request_error",
          param: null,
        });
      }
    },
  );

  it("may refresh the credential only as an administrator (C1, B6)", async () => {
    const { request } = makeApp();
    const refused = await request("/health/auth/refresh", { method: "POST" });
    expect(refused.status).toBe(403);
    expect(await error(refused)).toMatchObject({ code: "admin_key_required" });
    const allowed = await request("/health/auth/refresh", {
      method: "POST",
      headers: { authorization: `Bearer ${adminKey}` },
    });
    expect(allowed.status).toBe(200);
  });
});

describe("health", () => {
  it("says of itself alone to strangers (B4)", async () => {
    const response = await makeApp().request("/health", { headers: { authorization: "Bearer wrong" } });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: "healthy", timestamp: "2026-01-02T03:04:07Z" });
  });

  it("tells clients the four facts of the credential (B4, A10)", async () => {
    const authentication = {
      isAuthenticated: true,
      lastRefresh: "2026-01-02T03:04:05Z",
      refreshCount: 2,
      consecutiveFailures: 0,
    };
    expect(await (await makeApp().request("/health")).json()).toEqual({
      status: "healthy",
      timestamp: "2026-01-02T03:04:07Z",
      authentication,
    });
    const dead = makeApp({
      auth: { status: () => ({ ...status, isAuthenticated: false }), refresh: () => Promise.reject(new Error()) },
    });
    expect(await (await dead.request("/health")).json()).toMatchObject({ status: "degraded" });
  });

  it("tells all of the credential at /health/auth, and nothing secret (B5)", async () => {
    const response = await makeApp().request("/health/auth");
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      status: "authenticated",
      timestamp: "2026-01-02T03:04:07Z",
      authentication: {
        isAuthenticated: true,
        lastRefresh: "2026-01-02T03:04:05Z",
        refreshCount: 2,
        consecutiveFailures: 0,
        state: "authenticated",
        since: "2026-01-02T03:04:06Z",
        evidence: { source: "answer", at: "2026-01-02T03:04:06Z", ageMs: 1500 },
        credential: { kind: "api_key", expiresAt: null, generation: 3, renewable: true },
        nextAttemptAt: null,
        action: null,
        coordination: "local",
        waiting: 0,
      },
    });
  });

  it.each([
    [null, "unknown"],
    [true, "authenticated"],
    [false, "unauthenticated"],
  ] as const)("says %s as %s (B5)", async (isAuthenticated, word) => {
    const { request } = makeApp({
      auth: { status: () => ({ ...status, isAuthenticated }), refresh: () => Promise.reject(new Error()) },
    });
    expect(await (await request("/health/auth")).json()).toMatchObject({ status: word });
  });

  it("is ready while it serves, and only then (B4)", async () => {
    expect((await makeApp().request("/health/ready")).status).toBe(200);
    expect((await makeApp({ isServing: () => false }).request("/health/ready")).status).toBe(503);
    expect((await makeApp({ isServing: () => false }).request("/health/live")).status).toBe(200);
  });
});

describe("a manual refresh", () => {
  const admin = { method: "POST", headers: { authorization: `Bearer ${adminKey}` } };
  const refreshing = (refresh: () => Promise<{ success: boolean; message: string; shouldRetry: boolean }>) =>
    makeApp({ auth: { status: () => status, refresh } }).request("/health/auth/refresh", admin);

  it("says what came of it (B6)", async () => {
    const response = await refreshing(async () => ({ success: true, message: "Done.", shouldRetry: true }));
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      status: "refreshed",
      timestamp: "2026-01-02T03:04:07Z",
      result: { success: true, message: "Done.", shouldRetry: true },
      authentication: { state: "authenticated" },
    });
  });

  it("that failed is a 502 (B6)", async () => {
    const response = await refreshing(async () => ({ success: false, message: "Rejected.", shouldRetry: false }));
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ status: "failed", result: { success: false, shouldRetry: false } });
  });

  it("within the cooldown is a 429 with Retry-After (B6)", async () => {
    const response = await refreshing(() =>
      Promise.reject(new CcapiError("auth_refresh_limited", "Too soon.", { retryAfterMs: 12_300 })),
    );
    expect(response.status).toBe(429);
    expect(response.headers.get("retry-after")).toBe("13");
    expect(response.headers.get("retry-after-ms")).toBe("12300");
    expect(await response.json()).toMatchObject({ error: { code: "auth_refresh_limited" } });
  });
});

describe("a chat completion", () => {
  it("is answered as one object (B1)", async () => {
    const { post, turns } = makeApp();
    const response = await post(body);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      object: "chat.completion",
      model: "sonnet",
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: "Hello.", refusal: null },
          logprobs: null,
          finish_reason: "stop",
        },
      ],
      usage: { prompt_tokens: 8, completion_tokens: 3, total_tokens: 11 },
    });
    expect(turns[0]).toMatchObject({ profile: "chat", model: "sonnet" });
  });

  it("streams its chunks (B1)", async () => {
    const { events, isDone } = await readStream(await makeApp().post({ ...body, stream: true }));
    expect(textOf(events as Chunk[])).toBe("Hello.");
    expect(isDone).toBe(true);
  });

  it("that fails before its first token is an error with its own status, streamed or not (B1)", async () => {
    const failure = new CcapiError("upstream_auth_unavailable", "Rejected.", {
      state: "needs_login",
      action: "log in",
      shouldRetry: false,
      retryAfterMs: 30_000,
    });
    const { post } = makeApp({ runTurn: scripted(hello.slice(0, 2), failure) });
    for (const stream of [true, false]) {
      const response = await post({ ...body, stream });
      expect(response.status).toBe(503);
      expect(response.headers.get("retry-after")).toBe("30");
      expect(response.headers.get("x-should-retry")).toBe("false");
      expect(await error(response)).toEqual({
        message: "Rejected.",
        type: "service_unavailable_error",
        param: null,
        code: "upstream_auth_unavailable",
        state: "needs_login",
        action: "log in",
      });
    }
  });

  it("that fails in its stream ends in an error frame and no [DONE] (B1)", async () => {
    const { post, logLines } = makeApp({
      runTurn: scripted(hello.slice(0, 4), new CcapiError("upstream_overloaded", "Overloaded.")),
    });
    const { events, isDone } = await readStream(await post({ ...body, stream: true }));
    expect(events.at(-1)).toEqual({
      error: { message: "Overloaded.", type: "service_unavailable_error", param: null, code: "upstream_overloaded" },
    });
    expect(isDone).toBe(false);
    expect(logLines().join("")).not.toContain("Unforeseen");
  });

  it.each([false, true])(
    "that nobody foresaw the failure of tells nobody its words; the log has where it came from (C2, stream: %s)",
    async (stream) => {
      const { post, logLines } = makeApp({
        async *runTurn() {
          yield* stream ? hello.slice(0, 4) : [];
          throw new RangeError("marked words\n    at the prompt");
        },
      });
      const response = await post({ ...body, stream });
      expect(response.status).toBe(stream ? 200 : 500);
      const text = await response.text();
      const log = logLines().join("");
      expect(text).toContain("internal_error");
      expect(log).toContain("Unforeseen error");
      expect(log).toMatch(/RangeError\\n {4}at .*app\.test\.ts/);
      for (const emitted of [text, log]) expect(emitted).not.toMatch(/marked words|the prompt/);
    },
  );

  it("names what it ignores, and echoes its session (B1, B3)", async () => {
    const response = await makeApp().post(
      { ...body, seed: 1, logit_bias: {}, n: 1, store: true },
      { headers: { "x-session-id": "abc" } },
    );
    expect(response.headers.get("x-ignored-parameters")).toBe("seed, store");
    expect(response.headers.get("x-session-id")).toBe("abc");
  });
});

describe("a request that is refused", () => {
  it.each([
    ["no JSON", "{", 400, "invalid_json", null],
    ["no object", "[]", 400, "invalid_request", null],
    ["no model", { messages: body.messages }, 400, "invalid_request", "model"],
    ["no messages", { model: "sonnet", messages: [] }, 400, "invalid_request", "messages"],
    [
      "a number for content",
      { model: "sonnet", messages: [{ role: "user", content: 3 }] },
      400,
      "invalid_request",
      "messages[0].content",
    ],
    [
      "an unknown role",
      { model: "sonnet", messages: [{ role: "king", content: "x" }] },
      400,
      "invalid_request",
      "messages[0].role",
    ],
    [
      "a last message that is not the user's",
      { model: "sonnet", messages: [{ role: "assistant", content: "x" }] },
      400,
      "invalid_request",
      "messages",
    ],
    [
      "an empty last message",
      { model: "sonnet", messages: [{ role: "user", content: " " }] },
      400,
      "invalid_request",
      "messages[0].content",
    ],
    ["an unknown model", { ...body, model: "gpt-9" }, 404, "model_not_found", "model"],
    ["n above 1", { ...body, n: 2 }, 400, "unsupported_parameter", "n"],
    ["logprobs", { ...body, logprobs: true }, 400, "unsupported_parameter", "logprobs"],
    ["audio", { ...body, modalities: ["text", "audio"] }, 400, "unsupported_parameter", "modalities"],
    ["five stop sequences", { ...body, stop: ["a", "b", "c", "d", "e"] }, 400, "invalid_request", "stop"],
    ["a temperature of 3", { ...body, temperature: 3 }, 400, "invalid_request", "temperature"],
    ["no tokens at all", { ...body, max_tokens: 0 }, 400, "invalid_request", "max_tokens"],
    ["a strange session", { ...body, session_id: "../x" }, 400, "invalid_request", "session_id"],
    [
      "a tool message for no call",
      { model: "sonnet", messages: [...body.messages, { role: "tool", content: "x" }] },
      400,
      "invalid_request",
      "messages[1].tool_call_id",
    ],
    [
      "a part of a type that nobody knows",
      { model: "sonnet", messages: [{ role: "user", content: [{ type: "video", url: "x" }] }] },
      400,
      "invalid_request",
      "messages[0].content[0].type",
    ],
  ])("for %s says what is wrong and where (B1)", async (_name, bad, code, name, param) => {
    const { post, turns } = makeApp();
    const response = await post(bad);
    expect(response.status).toBe(code);
    expect(await error(response)).toMatchObject({ code: name, param });
    expect(turns).toEqual([]);
  });

  it("for its size, its kind, its method or its path says so in the envelope (C4)", async () => {
    const { post, request } = makeApp();
    expect(await error(await post({ ...body, user: "x".repeat(20_000) }))).toMatchObject({ code: "request_too_large" });
    expect(await error(await post(body, { headers: { "content-type": "text/plain" } }))).toMatchObject({
      code: "unsupported_media_type",
    });
    const wrongMethod = await request("/v1/chat/completions");
    expect(wrongMethod.status).toBe(405);
    expect(wrongMethod.headers.get("allow")).toBe("POST");
    expect(await error(await request("/nowhere"))).toMatchObject({ code: "not_found" });
    expect(await error(await post({ messages: body.messages }))).toMatchObject({
      message: "model: is required (string).",
      param: "model",
    });
  });

  it("for its rate says when to come again (B9)", async () => {
    const { post } = makeApp({ limits: { maxBodyBytes: 10_000, requestsPerMinutePerKey: 2 } });
    await post(body);
    await post(body);
    const response = await post(body);
    expect(response.status).toBe(429);
    expect(await error(response)).toMatchObject({ code: "rate_limit_exceeded" });
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await post(body, { headers: { authorization: `Bearer ${adminKey}` } })).status).toBe(200);
  });

  it("while the server goes down is told to come again (B4)", async () => {
    const response = await makeApp({ isServing: () => false }).post(body);
    expect(response.status).toBe(503);
    expect(await error(response)).toMatchObject({ code: "shutting_down" });
  });
});

describe("every answer", () => {
  it("has a request id: the client's where it is fit for a header, else a new one (B1)", async () => {
    const { request } = makeApp();
    expect((await request("/health", { headers: { "x-request-id": "mine-1" } })).headers.get("x-request-id")).toBe(
      "mine-1",
    );
    expect((await request("/health", { headers: { "x-request-id": "no good" } })).headers.get("x-request-id")).toMatch(
      /^req_[0-9a-f]{32}$/,
    );
    expect((await request("/nowhere")).headers.get("x-request-id")).toMatch(/^req_/);
  });

  it("is closed to other origins' pages unless they are named (B9)", async () => {
    const origin = { headers: { origin: "https://evil.example" } };
    expect((await makeApp().request("/health", origin)).headers.get("access-control-allow-origin")).toBeNull();
    const open = makeApp({ corsOrigins: ["https://chat.example"] });
    expect((await open.request("/health", origin)).headers.get("access-control-allow-origin")).toBeNull();
    const preflight = await open.request("/v1/chat/completions", {
      method: "OPTIONS",
      headers: { origin: "https://chat.example", "access-control-request-method": "POST", authorization: "" },
    });
    expect(preflight.headers.get("access-control-allow-origin")).toBe("https://chat.example");
  });

  it("may come from every web origin where the operator says * (B9)", async () => {
    const { request } = makeApp({ corsOrigins: ["*"] });
    const response = await request("/health", { headers: { origin: "https://any.example" } });
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
  });

  it("lets a page read every header of the answer that a client acts on (B9)", async () => {
    const { request } = makeApp({ corsOrigins: ["https://chat.example"] });
    const { headers } = await request("/health", { headers: { origin: "https://chat.example" } });
    expect(headers.get("access-control-expose-headers")?.split(",").toSorted()).toEqual([
      "idempotency-replayed",
      "request-id",
      "retry-after",
      "retry-after-ms",
      "x-ignored-parameters",
      "x-request-id",
      "x-session-id",
      "x-should-retry",
      "x-token-count",
    ]);
  });

  it("is logged with names and numbers, never with a key or a prompt (C2)", async () => {
    const { post, logLines } = makeApp();
    await (await post({ ...body, messages: [{ role: "user", content: "MARKED-PROMPT" }] })).text();
    const log = logLines().join("");
    expect(log).toContain('"client":"client"');
    expect(log).not.toContain("MARKED-PROMPT");
    expect(log).not.toContain(clientKey);
  });
});
