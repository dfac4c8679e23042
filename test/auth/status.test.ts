// What people and programs are told and can ask for: the status, a refresh by hand, an operation of their own.
import { describe, expect, it } from "vitest";
import { createAuthManager } from "../../src/auth/manager.ts";
import { settle } from "./fake-clock.ts";
import { request } from "./request.ts";
import { apiRetry, createWorld, type World } from "./world.ts";

async function lockOut(world: World): Promise<void> {
  await settle();
  world.accepted.clear();
  const answer = request(world).catch((error: unknown) => error);
  await world.clock.advance(100_000);
  await answer;
  expect(world.manager.status().state).toBe("locked_out");
}

describe("the status", () => {
  it("is null and unknown before any proof (A10, B5)", async () => {
    const world = createWorld();
    await settle();
    expect(world.manager.status()).toEqual({
      isAuthenticated: null,
      lastRefreshAtMs: null,
      refreshCount: 0,
      consecutiveFailures: 0,
      state: "unknown",
      sinceMs: world.clock.wallMs(),
      evidence: null,
      credential: { kind: "auth_token", expiresAtMs: null, generation: 1, renewable: true },
      nextAttemptAtMs: null,
      action: null,
      coordination: "local",
      waiting: 0,
    });
    await world.close();
  });

  it("shows the age of the newest proof, which no clock step moves (B5)", async () => {
    const world = createWorld();
    const first = request(world);
    await world.clock.advance(100);
    await first;
    await world.clock.advance(60_000);
    world.clock.stepWall(-86_400_000);
    expect(world.manager.status().evidence).toMatchObject({ source: "answer", ageMs: 60_000 });
    const second = request(world);
    await world.clock.advance(100);
    await second;
    await world.clock.advance(1_000);
    expect(world.manager.status().evidence).toMatchObject({ ageMs: 1_000 });
    await world.close();
  });

  it("tells when the next attempt comes and what mends it, in the lock-out (A7, B5)", async () => {
    const world = createWorld();
    await lockOut(world);
    const status = world.manager.status();
    expect(status).toMatchObject({
      isAuthenticated: false,
      consecutiveFailures: 3,
      refreshCount: 3,
      action: "rotate ANTHROPIC_AUTH_TOKEN",
    });
    expect(status.nextAttemptAtMs).toBeGreaterThan(world.clock.wallMs());
    await expect(world.manager.admit({ operation: "x" })).rejects.toMatchObject({
      code: "upstream_auth_unavailable",
      state: "locked_out",
      retryAfterMs: (status.nextAttemptAtMs ?? 0) - world.clock.wallMs(),
    });
    await world.close();
  });
});

describe("a refresh by hand", () => {
  it("joins the one that runs (B6)", async () => {
    const world = createWorld();
    await settle();
    const proof = Promise.withResolvers<{ outcome: "answered" }>();
    world.proof = () => proof.promise;
    const results = [world.manager.refresh(), world.manager.refresh(), world.manager.refresh()];
    await settle();
    proof.resolve({ outcome: "answered" });
    for (const result of await Promise.all(results))
      expect(result).toMatchObject({ success: true, shouldRetry: false });
    expect(world.manager.status()).toMatchObject({ refreshCount: 1, state: "authenticated" });
    await world.close();
  });

  it("joins the one that another instance runs (B6)", async () => {
    const world = createWorld({ instances: 2 });
    await settle();
    const proof = Promise.withResolvers<{ outcome: "answered" }>();
    world.proof = () => proof.promise;
    const first = world.managers[0]?.refresh();
    await settle();
    const second = world.managers[1]?.refresh();
    await world.clock.advance(1_000);
    proof.resolve({ outcome: "answered" });
    await settle();
    await expect(first).resolves.toMatchObject({ success: true });
    await expect(second).resolves.toMatchObject({ success: true });
    expect(world.manager.status().refreshCount).toBe(1);
    await world.close();
  });

  it("tells why it failed, and is held to the cooldown (B6)", async () => {
    const world = createWorld();
    await settle();
    world.accepted.clear();
    await expect(world.manager.refresh()).resolves.toEqual({
      success: false,
      message: "It was rejected.",
      shouldRetry: true,
    });
    await expect(world.manager.refresh()).rejects.toMatchObject({ code: "auth_refresh_limited", retryAfterMs: 33_000 });
    await world.close();
  });

  it("is held to its rate where it succeeds (B6)", async () => {
    const world = createWorld();
    await settle();
    await world.manager.refresh();
    await world.clock.advance(4_000);
    await expect(world.manager.refresh()).rejects.toMatchObject({ code: "auth_refresh_limited", retryAfterMs: 6_000 });
    await world.clock.advance(6_000);
    await expect(world.manager.refresh()).resolves.toMatchObject({ success: true });
    await world.close();
  });

  it("lets its caller go without ending the refresh (B6)", async () => {
    const world = createWorld();
    await settle();
    const proof = Promise.withResolvers<{ outcome: "answered" }>();
    world.proof = () => proof.promise;
    const abort = new AbortController();
    const refresh = world.manager.refresh({ signal: abort.signal }).catch((error: unknown) => error);
    await settle();
    abort.abort(new Error("gone"));
    expect(await refresh).toEqual(new Error("gone"));
    proof.resolve({ outcome: "answered" });
    await settle();
    expect(world.manager.status()).toMatchObject({ state: "authenticated", refreshCount: 1 });
    await world.close();
  });
});

describe("the early refresh", () => {
  const hourMs = 3_600_000;
  const expiring = (world: World, lifeMs: number) => {
    world.reading = { expiresAtMs: world.clock.wallMs() + lifeMs, lifeMs };
  };

  it.each([
    [10, 5],
    [60, 15],
    [600, 60],
  ])("of a life of %i min begins within its last %i min (A8)", async (lifeMinutes, windowMinutes) => {
    let renewals = 0;
    const renew = async () => ((renewals += 1), { outcome: "unchanged" as const });
    const world: World = createWorld({ strategies: [{ name: "renew", run: renew }] });
    expiring(world, lifeMinutes * 60_000);
    world.touch();
    await world.clock.advance((lifeMinutes - windowMinutes) * 60_000 - 1_000);
    expect(renewals).toBe(0);
    await world.clock.advance(windowMinutes * 60_000 * 0.2 + 61_000);
    expect(renewals).toBeGreaterThan(0);
    await world.close();
  });

  it("that fails keeps a valid credential in use, and comes again later and later (A8)", async () => {
    const world = createWorld({
      strategies: [{ name: "fails", run: async () => ({ outcome: "failed", reason: "always" }) }],
    });
    expiring(world, 2 * hourMs);
    const answer = request(world);
    await world.clock.advance(1_000);
    await answer;
    await world.clock.advance(1.9 * hourMs);
    expect(world.manager.status()).toMatchObject({
      state: "authenticated",
      isAuthenticated: true,
      consecutiveFailures: 0,
    });
    expect(world.manager.tryAdmit("x")).toBeDefined();
    const count = world.eventsOf("refresh-start").filter(({ trigger }) => trigger === "schedule").length;
    expect(count).toBeGreaterThan(3);
    expect(count).toBeLessThan(20);
    expect(world.proofs).toEqual([]);
    await world.close();
  });

  it("of what Claude renews is one test query, about 4 min ahead (A8)", async () => {
    const world = createWorld();
    world.reading = { expiresAtMs: world.clock.wallMs() + hourMs, claudeRenews: true };
    world.touch();
    await world.clock.advance(hourMs - 271_000);
    expect(world.proofs).toHaveLength(0);
    await world.clock.advance(271_000 + hourMs);
    expect(world.proofs).toHaveLength(1);
    await world.close();
  });

  it("is not begun for a credential that can't be renewed, nor where it is turned off (A8)", async () => {
    for (const world of [
      createWorld({ reading: { renewable: false } }),
      createWorld({ policy: { refreshEarly: false } }),
    ]) {
      world.reading = { ...world.reading, expiresAtMs: world.clock.wallMs() + hourMs };
      world.touch();
      await world.clock.advance(2 * hourMs);
      expect(world.manager.status().refreshCount).toBe(0);
      await world.close();
    }
  });
});

describe("a credential that is costly to look at", () => {
  it("is not looked at while it is valid, every 2 s while requests wait, every 5 s in the lock-out", async () => {
    const world = createWorld({ reading: { watchMode: "costly" }, policy: { probeDelaysMs: [86_400_000] } });
    const answer = request(world);
    await world.clock.advance(600_000);
    await answer;
    expect(world.reads).toHaveLength(1);
    world.touch();
    expect(world.reads).toHaveLength(1);
    world.accepted.clear();
    const waiting = request(world).catch(() => undefined);
    await world.clock.advance(5_000);
    const reads = world.reads.length;
    await world.clock.advance(10_000);
    expect(world.reads.length - reads).toBe(5);
    await world.clock.advance(100_000);
    await waiting;
    const later = world.reads.length;
    await world.clock.advance(20_000);
    expect(world.reads.length - later).toBe(4);
    await world.close();
  });
});

describe("an operation of one's own", () => {
  const failing = () => Object.assign(new Error("authentication_failed"));

  it("is run again with the renewed credential, at most twice (F)", async () => {
    const world = createWorld();
    await settle();
    world.accepted.clear();
    let runs = 0;
    const operation = async ({ carriedOver }: { readonly carriedOver: number }) => {
      runs += 1;
      if (!world.accepted.has(world.material)) throw failing();
      return `answered after ${carriedOver}`;
    };
    const answer = world.manager.handleAuthError(operation, { operation: "callService" });
    await world.clock.advance(1_000);
    world.material = "second";
    world.accepted.add("second");
    await world.clock.advance(6_000);
    await expect(answer).resolves.toBe("answered after 2");
    expect(runs).toBe(3);
    expect(world.manager.status().isAuthenticated).toBe(true);
    await world.close();
  });

  it("throws its own error where that is not about the credential (F)", async () => {
    const world = createWorld();
    const other = new Error("ECONNRESET");
    await expect(world.manager.handleAuthError(() => Promise.reject(other), { operation: "x" })).rejects.toBe(other);
    expect(world.manager.isAuthenticationError(other)).toBe(false);
    expect(world.manager.isAuthenticationError(failing())).toBe(true);
    await world.close();
  });

  it("ends in a clear error with the cause where nothing helps (F)", async () => {
    const world = createWorld();
    await settle();
    world.accepted.clear();
    const answer = world.manager
      .handleAuthError(() => Promise.reject(failing()), { operation: "x" })
      .catch((error: unknown) => error);
    await world.clock.advance(120_000);
    expect(await answer).toMatchObject({ code: "upstream_auth_unavailable" });
    await world.close();
  });

  it("proves nothing where its result is no proof (F)", async () => {
    const world = createWorld();
    await world.manager.handleAuthError(async () => "cached", {
      operation: "x",
      isProof: (result) => result !== "cached",
    });
    expect(world.manager.status().isAuthenticated).toBeNull();
    await world.close();
  });
});

describe("the options", () => {
  const good = {
    credential: { read: () => Promise.reject(new Error("no")) },
    prove: async () => ({ outcome: "answered" as const }),
    strategies: [],
  };

  it.each([
    ["credential", { ...good, credential: undefined }],
    ["prove", { ...good, prove: "often" }],
    ["strategies", { ...good, strategies: undefined }],
    ["name", { ...good, strategies: [{ name: "No Good", run: good.prove }] }],
    [
      "two strategies",
      {
        ...good,
        strategies: [
          { name: "a", run: good.prove },
          { name: "a", run: good.prove },
        ],
      },
    ],
    ["policy.maxFailures", { ...good, policy: { maxFailures: 0 } }],
    ["policy.cooldownMs", { ...good, policy: { cooldownMs: Number.NaN } }],
    ["policy.heartbeatMs", { ...good, policy: { heartbeatMs: 40_000 } }],
  ])("are checked at the door: %s (F)", (name, options) => {
    expect(() => createAuthManager(options as never)).toThrow(new RegExp(name.replace(".", "\\.")));
  });

  it("may hold a listener that throws: nothing depends on it", async () => {
    const world = createWorld({
      onEvent: () => {
        throw new Error("mine");
      },
    });
    await settle();
    expect(world.manager.tryAdmit("x")?.report(apiRetry(1))).toEqual({ action: "continue" });
    await world.close();
  });
});
