// What happens without requests: the early refresh, and looks that cost something.
import { describe, expect, it } from "vitest";
import { request } from "./request.ts";
import { createWorld, type World } from "./world.ts";

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
