// The design's rules 1 to 3 as properties over storms: one refresh at a time, for what is present, after another look.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMemoryStore } from "../../src/auth/store/memory.ts";
import { fakeClock, settle } from "./fake-clock.ts";
import { request, sleep } from "./request.ts";
import { laggingStore, script, weather } from "./storm.ts";
import { apiRetry, createWorld, fakeClassify, finalFailure, type World } from "./world.ts";
import { busyStrategy, expire } from "./troubles.ts";

const runs = { numRuns: 60 };

describe("rule 1: one refresh at a time for each credential", () => {
  it("holds on one instance, in any storm (A6)", async () => {
    await fc.assert(
      fc.asyncProperty(script, async (acts) => {
        const seen = { now: 0, most: 0 };
        const world: World = createWorld({ strategies: [busyStrategy(() => world, seen)] });
        await weather(world, [{ do: "reject" }, ...acts]);
        await world.clock.advance(100_000);
        await world.close();
        expect(seen.most).toBeLessThanOrEqual(1);
      }),
      runs,
    );
  });

  it("holds on two instances whose store answers late (A6, A9)", async () => {
    await fc.assert(
      fc.asyncProperty(
        script,
        fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 1, maxLength: 7 }),
        async (acts, delays) => {
          const seen = { now: 0, most: 0 };
          const worldClock = fakeClock();
          let turn = 0;
          const wayTo = (store: ReturnType<typeof createMemoryStore>) =>
            laggingStore(store, worldClock, () => delays[(turn += 1) % delays.length] ?? 0);
          const world: World = createWorld({
            worldClock,
            instances: 2,
            wayTo,
            strategies: [busyStrategy(() => world, seen)],
          });
          await weather(world, [{ do: "reject" }, ...acts]);
          await world.clock.advance(100_000);
          expect(seen.most).toBeLessThanOrEqual(1);
          const closed = world.close();
          await world.clock.advance(10_000);
          await closed;
        },
      ),
      runs,
    );
  });

  it("is left to its holder as long as that gives signs of life (A6, A9)", async () => {
    const world: World = createWorld({
      instances: 2,
      strategies: [
        {
          name: "slow",
          async run() {
            await sleep(world.clock, 59_000);
            return { outcome: "unchanged" };
          },
        },
      ],
    });
    await settle();
    await expire(world);
    await world.clock.advance(58_000);
    expect(world.eventsOf("refresh-start")).toHaveLength(1);
    await world.clock.advance(10_000);
    expect(world.eventsOf("refresh-end")).toHaveLength(1);
    await world.close();
  });

  it("counts nothing that comes after the lease was lost", async () => {
    const worldClock = fakeClock();
    const store = createMemoryStore({ clock: worldClock });
    /** The instance that stops in the middle of its refresh. */
    let frozen: number | undefined;
    const ways = [0, 1].map((by) => ({
      ...store,
      subscribe: (listener: Parameters<typeof store.subscribe>[0]) =>
        store.subscribe((stored) => frozen !== by && listener(stored)),
      update: async (step: Parameters<typeof store.update>[0]) => {
        if (frozen === by) await sleep(worldClock, 90_000);
        return store.update(step);
      },
    }));
    const world = createWorld({ worldClock, store, instances: 2, wayTo: () => ways.shift() ?? store, strategies: [] });
    world.proof = async () => {
      frozen ??= world.eventsOf("refresh-start")[0]?.by;
      await sleep(worldClock, 25_000);
      return { outcome: "rejected", classification: fakeClassify(finalFailure()) };
    };
    await expire(world);
    world.proof = undefined;
    world.accepted.add(world.material);
    await world.clock.advance(32_000);
    expect(frozen).toBeDefined();
    expect(store.current().facts).toMatchObject({ credential: { is: "valid" }, failures: 0, refreshCount: 2 });
    await world.clock.advance(300_000);
    expect(store.current().facts).toMatchObject({ credential: { is: "valid" }, failures: 0, refreshCount: 2 });
    expect(world.eventsOf("refresh-end").map(({ by, outcome }) => ({ isFrozen: by === frozen, outcome }))).toEqual([
      { isFrozen: false, outcome: "success" },
      { isFrozen: true, outcome: "abandoned" },
    ]);
    frozen = undefined;
    await world.close();
  });
});

describe("rule 2: a signal about an older generation", () => {
  it("starts nothing, and its request goes on with the present one (A6)", async () => {
    const sign = fc.record({
      isFinal: fc.boolean(),
      error: fc.constantFrom("authentication_failed", "invalid", "revoked"),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(sign, { minLength: 1, maxLength: 8 }), fc.boolean(), async (signs, isProven) => {
        const world = createWorld();
        await settle();
        const old = signs.map((_, index) => world.manager.tryAdmit(`request ${index}`));
        world.material = "second";
        world.accepted = new Set(["second"]);
        world.touch();
        await settle();
        if (isProven) await Promise.all([request(world), world.clock.advance(500)]);
        const before = world.manager.status();
        for (const [index, { isFinal, error }] of signs.entries()) {
          const decision = old[index]?.report(isFinal ? finalFailure(error) : apiRetry(1, error));
          expect(decision).toEqual({ action: "carry-over", generation: before.credential.generation });
          await expect(old[index]?.recovered()).resolves.toMatchObject({ generation: before.credential.generation });
        }
        await world.clock.advance(1_000);
        const { state, refreshCount } = world.manager.status();
        expect({ state, refreshCount }).toEqual({ state: before.state, refreshCount: 0 });
        await world.close();
      }),
      runs,
    );
  });
});

describe("rule 3: before it acts, the refresher looks again", () => {
  it("adopts a change that nobody saw, runs no strategy, and only verifies (A4)", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(3), fc.boolean(), async (waiting, isGood) => {
        const seen = { now: 0, most: 0 };
        const world: World = createWorld({
          strategies: [busyStrategy(() => world, seen)],
          policy: { pollMs: 600_000 },
        });
        await settle();
        world.accepted.clear();
        const admission = world.manager.tryAdmit("request 0");
        admission?.report(apiRetry(1));
        await settle(); // The look that the first sign set off has found nothing new.
        world.material = "second";
        if (isGood) world.accepted = new Set(["second"]);
        admission?.report(apiRetry(2));
        const waiters = Array.from({ length: waiting }, () => request(world).catch(() => undefined));
        await world.clock.advance(300);
        expect(seen.most).toBe(0);
        expect(world.eventsOf("refresh-end").map(({ outcome }) => outcome)).toEqual([isGood ? "success" : "rejected"]);
        await world.clock.advance(100_000);
        await Promise.all(waiters);
        await world.close();
      }),
      runs,
    );
  });
});
