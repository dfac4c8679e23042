// The design's rules 4 to 6 as properties over storms: proof, cooldown, and what ends a lock-out.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Strategy } from "../../src/auth/strategies/strategy.ts";
import { settle } from "./fake-clock.ts";
import { script, weather } from "./storm.ts";
import { createWorld, type Recorded, type World } from "./world.ts";
import { expire, lockOut } from "./troubles.ts";

const runs = { numRuns: 60 };

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
    };
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
