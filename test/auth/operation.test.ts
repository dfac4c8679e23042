// An operation of one's own under the manager, and the options at the door.
import { describe, expect, it } from "vitest";
import { createAuthManager } from "../../src/auth/manager.ts";
import { settle } from "./fake-clock.ts";
import { apiRetry, createWorld } from "./world.ts";

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
