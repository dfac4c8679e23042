// What people and programs are told of the credential, and the refresh that they can ask for.
import { describe, expect, it } from "vitest";
import { settle } from "./fake-clock.ts";
import { request } from "./request.ts";
import { createWorld } from "./world.ts";
import { lockOut } from "./troubles.ts";

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
    await settle();
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
