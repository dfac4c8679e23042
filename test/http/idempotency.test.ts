import { describe, expect, it } from "vitest";
import { CcapiError } from "../../src/auth/errors.ts";
import type { Claim, KeyedRequest, OwnRun, SharedRuns } from "../../src/http/run-claims.ts";
import type { RunTurn } from "../../src/turn/turn.ts";
import { adminKey, hello, makeApp, scripted } from "../helpers/app.ts";

const body = { model: "sonnet", messages: [{ role: "user", content: "Hi" }] };
const key = (name: string) => ({ headers: { "idempotency-key": name } });

describe("a request sent again with its Idempotency-Key", () => {
  it("gets the same answer, and runs once (A5)", async () => {
    const { post, turns } = makeApp();
    const first = await post(body, key("k1"));
    const again = await post(body, key("k1"));
    expect(await again.text()).toBe(await first.text());
    expect(first.headers.get("idempotency-replayed")).toBeNull();
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(turns).toHaveLength(1);
  });

  it("gets the same stream, byte for byte (A5)", async () => {
    const { post, turns } = makeApp();
    const first = await (await post({ ...body, stream: true }, key("k1"))).text();
    const again = await post({ ...body, stream: true }, key("k1"));
    expect(await again.text()).toBe(first);
    expect(again.headers.get("content-type")).toContain("text/event-stream");
    expect(turns).toHaveLength(1);
  });

  it("joins the one under way (A5)", async () => {
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (go = resolve));
    const runTurn: RunTurn = async function* slow() {
      await gate;
      yield* hello;
    };
    const { post, turns } = makeApp({ runTurn });
    const both = [post(body, key("k1")), post(body, key("k1"))];
    await new Promise((resolve) => setImmediate(resolve));
    go();
    const [first, second] = await Promise.all((await Promise.all(both)).map((response) => response.text()));
    expect(second).toBe(first);
    expect(turns).toHaveLength(1);
  });

  it("and another body is a 422 (A5)", async () => {
    const { post } = makeApp();
    await (await post(body, key("k1"))).text();
    const other = await post({ ...body, max_tokens: 5 }, key("k1"));
    expect(other.status).toBe(422);
    expect(await other.json()).toMatchObject({ error: { code: "idempotency_key_reused", param: "Idempotency-Key" } });
  });

  it("and another session, or none, is a 422, never the answer of the first (A5, B3)", async () => {
    const { post, turns } = makeApp();
    const inSession = (id: string) => ({ headers: { "idempotency-key": "k1", "x-session-id": id } });
    await (await post(body, inSession("one"))).text();
    for (const init of [inSession("two"), key("k1")]) {
      const other = await post(body, init);
      expect(other.status).toBe(422);
      expect(await other.json()).toMatchObject({ error: { code: "idempotency_key_reused" } });
    }
    expect((await post(body, inSession("one"))).headers.get("idempotency-replayed")).toBe("true");
    expect(turns).toHaveLength(1);
  });

  it("is tried again where it failed, and after ten minutes (A5)", async () => {
    let now = 0;
    let isDead = true;
    const runTurn: RunTurn = (turn, context) =>
      scripted(isDead ? [] : hello, isDead ? new CcapiError("upstream_overloaded", "Overloaded.") : undefined)(
        turn,
        context,
      );
    const { post, turns } = makeApp({ runTurn, now: () => now });
    expect((await post(body, key("k1"))).status).toBe(503);
    isDead = false;
    expect((await post(body, key("k1"))).status).toBe(200);
    now = 599_999;
    await post(body, key("k1"));
    expect(turns).toHaveLength(2);
    now = 600_001;
    await post(body, key("k1"));
    expect(turns).toHaveLength(3);
  });

  it("is tried again where its stream ended in an error (A5)", async () => {
    const failing = scripted(hello.slice(0, 4), new CcapiError("upstream_error", "Broken."));
    const { post, turns } = makeApp({ runTurn: failing });
    await (await post({ ...body, stream: true }, key("k1"))).text();
    await (await post({ ...body, stream: true }, key("k1"))).text();
    expect(turns).toHaveLength(2);
  });

  it("joins a run that fails, and fails with it (A5)", async () => {
    let fail: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (fail = resolve));
    const runTurn: RunTurn = async function* failing() {
      await gate;
      yield* [];
      throw new CcapiError("upstream_overloaded", "Overloaded.");
    };
    const { post, turns } = makeApp({ runTurn });
    const all = [1, 2, 3, 4].map(() => post(body, key("k1")));
    await new Promise((resolve) => setImmediate(resolve));
    fail();
    expect((await Promise.all(all)).map(({ status }) => status)).toEqual([503, 503, 503, 503]);
    expect(turns).toHaveLength(1);
  });

  it("joins a run whose first client has gone (A5)", async () => {
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (go = resolve));
    const seen: AbortSignal[] = [];
    const runTurn: RunTurn = async function* slow(_turn, { signal }) {
      seen.push(signal);
      await gate;
      signal.throwIfAborted();
      yield* hello;
    };
    const { post, turns } = makeApp({ runTurn });
    const leaving = new AbortController();
    const first = post({ ...body, stream: true }, { ...key("k1"), signal: leaving.signal });
    await new Promise((resolve) => setImmediate(resolve));
    leaving.abort();
    const second = post({ ...body, stream: true }, key("k1"));
    go();
    expect(await (await second).text()).toContain("[DONE]");
    expect(turns).toHaveLength(1);
    expect(seen.map(({ aborted }) => aborted)).toEqual([false]);
    await first.then(
      (response) => response.body?.cancel(),
      () => undefined,
    );
  });

  it("follows a stream from its beginning while it goes on, whoever else reads slowly or leaves (A5)", async () => {
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (go = resolve));
    const runTurn: RunTurn = async function* slow() {
      yield* hello.slice(0, 3);
      await gate;
      yield* hello.slice(3);
    };
    const { post, turns } = makeApp({ runTurn });
    const first = await post({ ...body, stream: true }, key("k1"));
    const second = await post({ ...body, stream: true }, key("k1"));
    const third = await post({ ...body, stream: true }, key("k1"));
    await first.body?.cancel(); // It leaves; the third does not read.
    go();
    expect(await second.text()).toContain("[DONE]");
    expect(third.headers.get("idempotency-replayed")).toBe("true");
    expect(turns).toHaveLength(1);
  });

  it("joins a run that is longer than answers are kept (A5)", async () => {
    let now = 0;
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (go = resolve));
    const runTurn: RunTurn = async function* slow() {
      await gate;
      yield* hello;
    };
    const { post, turns } = makeApp({ runTurn, now: () => now });
    const first = post(body, key("k1"));
    await new Promise((resolve) => setImmediate(resolve));
    now = 3_600_000;
    const second = post(body, key("k1"));
    go();
    expect((await Promise.all([first, second])).map(({ status }) => status)).toEqual([200, 200]);
    now += 599_000;
    await post(body, key("k1"));
    expect(turns).toHaveLength(1);
  });

  it("is nobody else's, and a bad key is refused (A5, C1)", async () => {
    const { post, turns } = makeApp();
    await (await post(body, key("k1"))).text();
    await (await post(body, { headers: { "idempotency-key": "k1", authorization: `Bearer ${adminKey}` } })).text();
    expect(turns).toHaveLength(2);
    expect((await post(body, key("x".repeat(256)))).status).toBe(400);
  });
});

describe("a request with an Idempotency-Key that another server has", () => {
  const isJson = [
    ["content-type", "application/json"],
    ["x-request-id", "req_1"],
  ] as const;

  function withClaims(...claims: Claim[]) {
    const asked: KeyedRequest[] = [];
    const shared: SharedRuns = {
      askAgainMs: 0,
      claim: async (request) => {
        asked.push(request);
        const next = claims[Math.min(asked.length, claims.length) - 1];
        if (next === undefined) throw new Error("no claim");
        return next;
      },
    };
    return { ...makeApp({ sharedRuns: shared }), asked };
  }

  it("waits for its answer, and runs nothing (A9, A5)", async () => {
    const text = await (await makeApp().post(body)).text();
    const answer = { status: 200, headers: isJson, body: btoa(text) };
    const { post, turns, asked } = withClaims({ is: "running" }, { is: "running" }, { is: "kept", answer });
    const response = await post(body, key("k1"));
    expect(await response.text()).toBe(text);
    expect(response.headers.get("idempotency-replayed")).toBe("true");
    expect(turns).toHaveLength(0);
    expect(asked).toHaveLength(3);
  });

  it("is told where that server is gone, and not to try again (A9, A5)", async () => {
    const { post, turns, asked } = withClaims({ is: "lost" });
    const response = await post({ ...body, model: "claude-code" }, key("k1"));
    expect(response.status).toBe(503);
    expect(response.headers.get("x-should-retry")).toBe("false");
    expect(await response.json()).toMatchObject({ error: { code: "idempotent_run_lost", param: "Idempotency-Key" } });
    expect(turns).toHaveLength(0);
    await post(body, key("k1"));
    expect(asked.map(({ isRepeatable }) => isRepeatable)).toEqual([false, true]);
  });

  it("is a 422 with another body, or where the answer was too large (A9, A5)", async () => {
    for (const claim of [{ is: "reused" }, { is: "kept", answer: undefined }] as const) {
      expect((await withClaims(claim).post(body, key("k1"))).status).toBe(422);
    }
  });

  it("is this server's where nobody has it, and its answer or its failure is told (A9, A5)", async () => {
    const told: unknown[] = [];
    const run: OwnRun = { keep: (answer) => void told.push(answer), forget: () => void told.push("forgotten") };
    const { post, turns } = withClaims({ is: "mine", run });
    const text = await (await post(body, key("k1"))).text();
    await expect.poll(() => told).toMatchObject([{ status: 200, body: btoa(text) }]);
    expect(await (await post(body, key("k1"))).text()).toBe(text);
    expect(turns).toHaveLength(1);
    expect((await post({ model: "sonnet" }, key("k2"))).status).toBe(400);
    await expect.poll(() => told.slice(1)).toEqual(["forgotten"]);
  });
});
