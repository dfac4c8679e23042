// The design's rules about refreshes, each as a property over storms of everything that can happen.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Strategy } from "../../src/auth/strategies/strategy.ts";
import { createMemoryStore } from "../../src/auth/store/memory.ts";
import { fakeClock, settle } from "./fake-clock.ts";
import { request, sleep } from "./request.ts";
import { laggingStore, script, weather } from "./storm.ts";
import { apiRetry, createWorld, fakeClassify, finalFailure, type Recorded, type World } from "./world.ts";

const runs = { numRuns: 60 };

/** Counts how many run at once; takes its time. */
function busyStrategy(world: () => World, seen: { now: number; most: number }, name = "busy"): Strategy {
  return {
    name,
    async run() {
      seen.now += 1;
      seen.most = Math.max(seen.most, seen.now);
      await sleep(world().clock, 400);
      seen.now -= 1;
      return { outcome: "unchanged" };
    },
  };
}

/** A system with one confirmed failure behind it, whose refresh has begun. */
async function expire(world: World): Promise<void> {
  world.accepted.clear();
  const admission = world.manager.tryAdmit("request 0");
  admission?.report(apiRetry(1));
  admission?.report(apiRetry(2));
  admission?.release();
  await settle();
}

/** Brings a system into the lock-out. */
async function lockOut(world: World): Promise<void> {
  await expire(world);
  for (let waits = 0; waits < 10 && world.manager.status().state !== "locked_out"; waits += 1)
    await world.clock.advance(40_000);
  expect(world.manager.status().state).toBe("locked_out");
}

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

describe("rule 4: only a real answer proves", () => {
  const lies = fc.array(fc.constantFrom("changed", "proved", "unchanged", "failed", "throws"), { maxLength: 4 });

  it("takes no strategy's word for it (A4)", async () => {
    await fc.assert(
      fc.asyncProperty(lies, script, async (outcomes, acts) => {
        const strategies = outcomes.map((outcome, index): Strategy => ({
          name: `liar-${index}`,
          run: async () => {
            if (outcome === "throws") throw new Error("token sk-ant-secret");
            return outcome === "failed" ? { outcome, reason: "as it says" } : { outcome: outcome as "changed" };
          },
        }));
        const world = createWorld({ strategies });
        const onlyBad = acts.filter((each) => each.do !== "accept" && !(each.do === "rotate" && each.isGood));
        await weather(world, [{ do: "reject" }, ...onlyBad]);
        await world.clock.advance(200_000);
        expect(world.eventsOf("state-change").filter(({ to }) => to === "authenticated")).toEqual([]);
        expect(world.eventsOf("refresh-end").filter(({ outcome }) => outcome === "success")).toEqual([]);
        const counts = world.eventsOf("refresh-end").map(({ consecutiveFailures }) => consecutiveFailures);
        expect(counts).toEqual(counts.toSorted((a, b) => a - b));
        await world.close();
      }),
      runs,
    );
  });

  it("says authenticated only when the upstream has just answered, in any storm (A10)", async () => {
    await fc.assert(
      fc.asyncProperty(script, async (acts) => {
        const answered = new Set<number>();
        const world: World = createWorld({
          prove: async () => {
            const isGood = world.accepted.has(world.material);
            if (isGood) answered.add(world.clock.monotonicMs());
            return isGood ? { outcome: "answered" } : { outcome: "inconclusive", reason: "529" };
          },
        });
        await weather(world, [{ do: "reject" }, ...acts]);
        await world.clock.advance(100_000);
        for (const { atMs, isAccepted } of world.calls) if (isAccepted) answered.add(atMs);
        for (const { to, atMs } of world.eventsOf("state-change")) {
          if (to === "authenticated") expect(answered).toContain(atMs);
        }
        await world.close();
      }),
      runs,
    );
  });
});

const isFailed = (event: Recorded) =>
  event.type === "refresh-end" && ["failed", "rejected", "timed-out"].includes(event.outcome);

describe("rule 5: the cooldown holds back refreshes", () => {
  it("is kept after every failed refresh, unless the credential changed (A3)", async () => {
    await fc.assert(
      fc.asyncProperty(script, async (acts) => {
        const world = createWorld({ policy: { cooldownJitter: 0 } });
        await weather(world, [{ do: "requests", count: 2, retries: true, on: 0 }, { do: "reject" }, ...acts]);
        await world.clock.advance(150_000);
        let failed: Extract<Recorded, { type: "refresh-end" }> | undefined;
        let isLockedOut = false;
        for (const event of world.events) {
          if (event.type === "refresh-end") failed = isFailed(event) ? event : undefined;
          if (event.type === "credential-change") failed = undefined;
          if (event.type === "state-change")
            isLockedOut = event.to === "locked_out" || (isLockedOut && event.to === "refreshing");
          if (event.type !== "refresh-start") continue;
          if (isLockedOut) expect(["manual", "probe", "change"]).toContain(event.trigger);
          const isByHand = event.trigger === "manual" && isLockedOut;
          if (failed !== undefined && !isByHand) expect(event.atMs - failed.atMs).toBeGreaterThanOrEqual(30_000);
        }
        await world.close();
      }),
      runs,
    );
  });

  it("starts the next one to the second when the cooldown is over (A3)", async () => {
    const world = createWorld({ policy: { cooldownJitter: 0 } });
    await settle();
    await expire(world);
    await world.clock.advance(29_900);
    expect(world.manager.status()).toMatchObject({ state: "cooling_down", refreshCount: 1 });
    await world.clock.advance(200);
    expect(world.manager.status()).toMatchObject({ refreshCount: 2, consecutiveFailures: 2 });
    await world.close();
  });
});

describe("rule 6: what ends cooldown and lock-out", () => {
  it("is a changed credential, within 5 s, with one refresh for each change (A7)", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        async (changes, isSeen) => {
          const world = createWorld({ policy: { probeDelaysMs: [86_400_000] } });
          await settle();
          await lockOut(world);
          const { refreshCount } = world.manager.status();
          for (const [index, isGood] of changes.entries()) {
            world.material = `change ${index}`;
            world.accepted = new Set(isGood ? [world.material] : []);
            if (isSeen) world.touch();
            await world.clock.advance(5_000);
            expect(world.manager.status().state).toBe(isGood ? "authenticated" : "locked_out");
            if (isGood) break;
          }
          const tried = changes.includes(true) ? changes.indexOf(true) + 1 : changes.length;
          expect(world.manager.status().refreshCount).toBe(refreshCount + tried);
          await world.close();
        },
      ),
      runs,
    );
  });

  it("is at most one change for each failure where every reading differs", async () => {
    let count = 0;
    const world = createWorld({ strategies: [], policy: { testQueriesPerHour: 3_600 } });
    world.reading = {
      watchMode: "costly",
      get fingerprint() {
        return `never the same ${(count += 1)}`;
      },
    } as World["reading"];
    await settle();
    await expire(world);
    await world.clock.advance(1_800_000);
    const triggers = world.eventsOf("refresh-start").map(({ trigger }) => trigger);
    const others = triggers.filter((trigger) => trigger !== "change").length;
    expect(others).toBeGreaterThan(5);
    expect(triggers.filter((trigger) => trigger === "change").length).toBeLessThanOrEqual(others + 1);
    await world.close();
  });

  it("is a probe that is answered, on its schedule (A7)", async () => {
    const world = createWorld();
    await settle();
    await lockOut(world);
    await world.clock.advance(1_200_000);
    const gaps = world
      .eventsOf("refresh-start")
      .filter(({ trigger }) => trigger === "probe")
      .map(({ atMs }) => atMs);
    expect(gaps.slice(1).map((atMs, index) => atMs - (gaps[index] ?? 0))).toEqual([120_000, 240_000, 300_000, 300_000]);
    world.accepted.add(world.material);
    await world.clock.advance(300_000);
    expect(world.manager.status()).toMatchObject({ state: "authenticated", consecutiveFailures: 0 });
    await world.close();
  });

  it("is an answer of a turn that still runs (A7)", async () => {
    const world = createWorld();
    await settle();
    const running = world.manager.tryAdmit("a long turn");
    await lockOut(world);
    running?.succeeded("answer");
    await settle();
    expect(world.manager.status()).toMatchObject({ state: expect.stringMatching(/authenticated|unknown/) });
    expect(world.manager.tryAdmit("the next")).toBeDefined();
    // It is over: no probe comes any more.
    const { refreshCount, nextAttemptAtMs } = world.manager.status();
    expect(nextAttemptAtMs).toBeNull();
    await world.clock.advance(600_000);
    expect(world.manager.status().refreshCount).toBe(refreshCount);
    await world.close();
  });

  it("is a person's refresh (B6)", async () => {
    const world = createWorld();
    await settle();
    await lockOut(world);
    world.accepted.add(world.material);
    await expect(world.manager.refresh()).resolves.toMatchObject({ success: true });
    expect(world.manager.status().state).toBe("authenticated");
    await world.close();
  });
});
