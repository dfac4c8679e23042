import { describe, expect, it } from "vitest";
import { CcapiError } from "../../src/auth/errors.ts";
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
