// What the manager makes of signs: the first, the second, an answer after them, and what only a person can mend.
import { describe, expect, it } from "vitest";
import { settle } from "./fake-clock.ts";
import { apiRetry, createWorld, finalFailure, type World } from "./world.ts";

async function ready(options: Parameters<typeof createWorld>[0] = {}): Promise<World> {
  const world = createWorld(options);
  await settle();
  return world;
}

describe("the first sign of a failure", () => {
  it("has the credential looked at in the same moment, and starts no refresh (A1, G1)", async () => {
    const world = await ready();
    const admission = world.manager.tryAdmit("processRequest for request req_1");
    const reads = world.reads.length;
    expect(admission?.report(apiRetry(1))).toEqual({ action: "continue" });
    await settle();
    expect(world.reads).toHaveLength(reads + 1);
    expect(world.manager.status()).toMatchObject({ state: "checking", refreshCount: 0, isAuthenticated: null });
    await world.close();
  });

  it("is forgotten when the next answer comes: a single 401 may pass", async () => {
    const world = await ready();
    const admission = world.manager.tryAdmit("processRequest for request req_1");
    admission?.report(apiRetry(1));
    await world.clock.advance(500);
    admission?.succeeded("answer");
    expect(world.manager.status()).toMatchObject({
      state: "authenticated",
      refreshCount: 0,
      evidence: { source: "answer" },
    });
    await world.close();
  });

  it("is not forgotten for an answer that was under way before it", async () => {
    const world = await ready();
    const streaming = world.manager.tryAdmit("a long answer");
    await world.clock.advance(500);
    world.manager.tryAdmit("processRequest for request req_1")?.report(apiRetry(1));
    streaming?.succeeded("answer");
    expect(world.manager.status().state).toBe("checking");
    await world.close();
  });

  it("is replayed once with the same credential where it is the attempt's end: the replay confirms it", async () => {
    const world = await ready();
    const first = world.manager.tryAdmit("processRequest for request req_1");
    expect(first?.report(finalFailure())).toEqual({ action: "carry-over", generation: 1 });
    // The message, the result and the exception tell of one failure.
    expect(first?.report(finalFailure())).toEqual({ action: "carry-over", generation: 1 });
    expect(world.manager.status().state).toBe("checking");
    const second = await first?.recovered();
    expect(second).toMatchObject({ generation: 1, carriedOver: 1, isCanary: false });
    expect(second?.report(finalFailure())).toEqual({ action: "wait" });
    expect(world.manager.status().state).toBe("refreshing");
    await world.close();
  });

  it("carries the request over at once when the look finds another credential (A6)", async () => {
    const world = await ready();
    world.material = "second";
    world.accepted = new Set(["second"]);
    const admission = world.manager.tryAdmit("processRequest for request req_1");
    const told: unknown[] = [];
    admission?.onDecision((decision) => told.push(decision));
    admission?.report(apiRetry(1));
    await settle();
    expect(told).toEqual([{ action: "carry-over", generation: 2 }]);
    expect(await admission?.recovered()).toMatchObject({ generation: 2, carriedOver: 1, waitedMs: 0 });
    expect(world.manager.status()).toMatchObject({ state: "unknown", refreshCount: 0 });
    await world.close();
  });

  it("leaves Claude's own second attempt alone where Claude renews the credential itself", async () => {
    const world = await ready({ reading: { claudeRenews: true } });
    world.material = "second";
    const admission = world.manager.tryAdmit("processRequest for request req_1");
    const told: unknown[] = [];
    admission?.onDecision((decision) => told.push(decision));
    admission?.report(apiRetry(1));
    await settle();
    expect(told).toEqual([]);
    expect(admission?.report(apiRetry(2))).toEqual({ action: "carry-over", generation: 2 });
    await world.close();
  });
});

describe("the second sign", () => {
  it.each([
    ["of the same run", true],
    ["of another run", false],
  ])("%s confirms the failure: one refresh begins, and all in doubt are told (A6)", async (_whose, isSame) => {
    const world = await ready();
    world.accepted.clear();
    const one = world.manager.tryAdmit("processRequest for request req_1");
    const other = world.manager.tryAdmit("processRequest for request req_2");
    const told: unknown[] = [];
    one?.onDecision((decision) => told.push(decision));
    one?.report(apiRetry(1));
    expect((isSame ? one : other)?.report(apiRetry(isSame ? 2 : 1))).toEqual({ action: "wait" });
    expect(told).toEqual(isSame ? [] : [{ action: "wait" }]);
    await settle();
    expect(world.eventsOf("refresh-start")).toHaveLength(1);
    expect(world.eventsOf("error-detected")).toHaveLength(1);
    await world.close();
  });

  it("is the end of a run whose retries are over", async () => {
    const world = await ready();
    const admission = world.manager.tryAdmit("processRequest for request req_1");
    admission?.report(apiRetry(1));
    expect(admission?.report(finalFailure())).toEqual({ action: "wait" });
    await world.close();
  });
});

describe("an answer after a confirmed failure", () => {
  it("heals, and those who failed before it make nothing suspect again (A6)", async () => {
    const world = await ready({ strategies: [{ name: "slow", run: () => new Promise(() => undefined) }] });
    const [one, other, late] = [1, 2, 3].map((index) => world.manager.tryAdmit(`request ${index}`));
    await world.clock.advance(100);
    one?.report(apiRetry(1));
    const next = world.manager.tryAdmit("request 4");
    other?.report(apiRetry(1));
    expect(world.manager.status().state).toBe("refreshing");
    next?.succeeded("answer");
    expect(world.manager.status().state).toBe("authenticated");
    expect(late?.report(finalFailure())).toMatchObject({ action: "carry-over" });
    expect(world.manager.status().state).toBe("authenticated");
    await world.close();
  });
});

describe("what only a person can mend", () => {
  it("is said at once when it is missing or revoked, and healed by a change (A2, A7)", async () => {
    const world = await ready();
    const decision = world.manager.tryAdmit("processRequest for request req_1")?.report(finalFailure("revoked"));
    expect(decision).toMatchObject({
      action: "fail",
      error: {
        code: "upstream_auth_unavailable",
        state: "needs_login",
        action: "rotate ANTHROPIC_AUTH_TOKEN",
        shouldRetry: false,
      },
    });
    expect(world.manager.status()).toMatchObject({
      state: "needs_login",
      isAuthenticated: false,
      action: "rotate ANTHROPIC_AUTH_TOKEN",
    });
    await expect(world.manager.admit({ operation: "x" })).rejects.toMatchObject({ state: "needs_login" });
    world.material = "second";
    world.accepted.add("second");
    await world.clock.advance(5_000);
    expect(world.manager.status()).toMatchObject({ state: "authenticated", isAuthenticated: true, action: null });
    await world.close();
  });

  it("is a credential that can't change, once its failure is confirmed; one that is called invalid at once (A2)", async () => {
    const fixed = { renewable: false, watchMode: "fixed" } as const;
    const confirmed = await ready({ reading: fixed });
    const admission = confirmed.manager.tryAdmit("processRequest for request req_1");
    expect(admission?.report(apiRetry(1))).toEqual({ action: "continue" });
    expect(admission?.report(apiRetry(2))).toMatchObject({ action: "fail", error: { state: "needs_login" } });
    await confirmed.close();
    const invalid = await ready({ reading: fixed });
    const decision = invalid.manager.tryAdmit("processRequest for request req_1")?.report(finalFailure("invalid"));
    expect(decision).toMatchObject({ action: "fail", error: { state: "needs_login" } });
    await invalid.close();
  });

  it("is not a renewable credential that is called invalid: it gets the refresh like an expired one (A2)", async () => {
    const world = await ready();
    world.accepted.clear();
    const admission = world.manager.tryAdmit("processRequest for request req_1");
    expect(admission?.report(finalFailure("invalid"))).toEqual({ action: "carry-over", generation: 1 });
    expect((await admission?.recovered())?.report(finalFailure("invalid"))).toEqual({ action: "wait" });
    await settle();
    expect(world.manager.status().refreshCount).toBe(1);
    await world.close();
  });
});
