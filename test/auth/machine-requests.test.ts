// The design's rules about requests, limits and time, each as a property over storms of everything that can happen.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AuthAdmission } from "../../src/auth/contract.ts";
import type { Signal } from "../../src/auth/signal.ts";
import { createMemoryStore } from "../../src/auth/store/memory.ts";
import { CcapiError } from "../../src/auth/errors.ts";
import { fakeClock, settle } from "./fake-clock.ts";
import { request } from "./request.ts";
import { type Act, script, weather } from "./storm.ts";
import { apiRetry, createWorld, finalFailure, type World } from "./world.ts";

const runs = { numRuns: 60 };

/** What can be seen of the state, without times. */
function stateOf({ manager }: World) {
  const { state, isAuthenticated, refreshCount, consecutiveFailures, credential } = manager.status();
  return { state, isAuthenticated, refreshCount, consecutiveFailures, generation: credential.generation };
}

/** Confirms a failure, so that the next requests wait. */
async function expire(world: World): Promise<void> {
  world.accepted.clear();
  const admission = world.manager.tryAdmit("request 0");
  admission?.report(apiRetry(1));
  admission?.report(apiRetry(2));
  admission?.release();
  await settle();
}

describe("rule 7: what is not about the credential", () => {
  const other: fc.Arbitrary<Signal> = fc.oneof(
    fc.constantFrom("rate_limit", "overloaded", "server_error", "unknown").map((error) => apiRetry(3, error)),
    fc.constantFrom("rate_limit", "model_not_found", "billing_error").map((error) => finalFailure(error)),
    fc.constant<Signal>({ source: "exception", error: new Error("ECONNRESET") }),
    fc.constant<Signal>({ source: "model_text", text: "401 authentication_failed" }),
  );

  it("never changes its state, in any public state", async () => {
    await fc.assert(
      fc.asyncProperty(script, fc.array(other, { minLength: 1, maxLength: 10 }), async (acts, signals) => {
        const world = createWorld();
        await settle();
        const early = world.manager.tryAdmit("an early one");
        await weather(world, acts);
        const admissions = [early, world.manager.tryAdmit("a late one")];
        const before = stateOf(world);
        for (const signal of signals) {
          for (const admission of admissions)
            expect(admission?.report(signal) ?? { action: "continue" }).toEqual({ action: "continue" });
        }
        expect(stateOf(world)).toEqual(before);
        await world.close();
      }),
      runs,
    );
  });
});

describe("rule 8: at most 24 test queries an hour", () => {
  it("are spent, under any storm of changes and failures", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 120 })), { minLength: 20, maxLength: 60 }),
        async (changes) => {
          const world = createWorld();
          await settle();
          await expire(world);
          for (const [isGood, seconds] of changes) {
            world.material += ".";
            world.accepted = new Set(isGood ? [world.material] : []);
            world.touch();
            await world.clock.advance(seconds * 1_000);
            if (world.manager.tryAdmit("probe") !== undefined) await expire(world);
          }
          for (const atMs of world.proofs) {
            expect(
              world.proofs.filter((other) => other >= atMs && other < atMs + 3_600_000).length,
            ).toBeLessThanOrEqual(24);
          }
          await world.close();
        },
      ),
      { numRuns: 20 },
    );
  });

  it("leave a changed credential unknown when they are spent: the next real request is its proof", async () => {
    const world = createWorld({ policy: { testQueriesPerHour: 1 } });
    await settle();
    await expire(world);
    await world.clock.advance(1_000);
    expect(world.proofs).toHaveLength(1);
    world.material = "second";
    world.accepted.add("second");
    world.touch();
    await world.clock.advance(1_000);
    expect(world.manager.status()).toMatchObject({ state: "unknown", isAuthenticated: null });
    const answer = request(world);
    await world.clock.advance(1_000);
    await expect(answer).resolves.toMatchObject({ answer: "second" });
    expect(world.manager.status().state).toBe("authenticated");
    expect(world.proofs).toHaveLength(1);
    await world.close();
  });
});

describe("rule 9: a request is carried over at most twice", () => {
  it("and at most once to each generation, in any storm (A5)", async () => {
    await fc.assert(
      fc.asyncProperty(script, async (acts) => {
        const world = createWorld();
        const { ended } = await weather(world, [
          { do: "requests", count: 3, retries: false, on: 0 },
          { do: "reject" },
          ...acts,
        ]);
        await world.clock.advance(200_000);
        for (const end of ended) {
          if (!("answer" in end)) continue;
          const carried = end.answer.generations.slice(1);
          expect(carried.length).toBeLessThanOrEqual(2);
          expect(new Set(carried).size).toBe(carried.length);
        }
        const byName = Map.groupBy(world.eventsOf("retry"), ({ operation }) => operation);
        for (const retries of byName.values()) expect(retries.length).toBeLessThanOrEqual(2);
        await world.close();
      }),
      runs,
    );
  });

  it("whatever happens between its attempts (A5)", async () => {
    const between = fc.constantFrom("change", "success", "nothing", "refusal" as const);
    await fc.assert(
      fc.asyncProperty(fc.array(between, { minLength: 1, maxLength: 8 }), async (steps) => {
        const world = createWorld({ policy: { cooldownMs: 0, maxFailures: 100 } });
        await settle();
        let admission: AuthAdmission | undefined = world.manager.tryAdmit("request");
        const carriedTo: number[] = [];
        for (const step of steps) {
          if (step === "change") world.material += ".";
          world.accepted = new Set(step === "refusal" ? [] : [world.material]);
          if (step === "change") world.touch();
          await settle();
          if (step === "success") world.manager.tryAdmit("another")?.succeeded("answer");
          const decision = admission?.report(finalFailure());
          if (decision?.action === "fail" || admission === undefined) break;
          const next: Promise<AuthAdmission | undefined> = admission.recovered().catch(() => undefined);
          await world.clock.advance(60_000);
          admission = await next;
          if (admission !== undefined) carriedTo.push(admission.generation);
        }
        expect(carriedTo.length).toBeLessThanOrEqual(2);
        expect(new Set(carriedTo).size).toBe(carriedTo.length);
        await world.close();
      }),
      { numRuns: 150 },
    );
  });

  it("ends in a clear error when it has used both", async () => {
    const world = createWorld();
    await settle();
    let admission = world.manager.tryAdmit("request");
    for (const carriedOver of [1, 2]) {
      world.material += ".";
      world.touch();
      await settle();
      expect(admission?.report(finalFailure())).toMatchObject({ action: "carry-over" });
      admission = await admission?.recovered();
      expect(admission).toMatchObject({ carriedOver });
    }
    world.material += ".";
    world.touch();
    await settle();
    expect(admission?.report(finalFailure())).toMatchObject({
      action: "fail",
      error: { code: "upstream_auth_unavailable" },
    });
    await expect(admission?.recovered()).rejects.toBeInstanceOf(CcapiError);
    await world.close();
  });

  it("is not run again with a credential that it was carried to before", async () => {
    const world = createWorld();
    await settle();
    const first = world.manager.tryAdmit("request");
    expect(first?.report(finalFailure())).toEqual({ action: "carry-over", generation: 1 });
    const second = await first?.recovered();
    world.manager.tryAdmit("another")?.succeeded("answer");
    expect(second?.report(finalFailure())).toMatchObject({ action: "fail", error: { state: "checking" } });
    await world.close();
  });
});

describe("rule 10: every wait has an end", () => {
  it("and all requests and refreshes are settled in time, in any storm", async () => {
    await fc.assert(
      fc.asyncProperty(script, async (acts) => {
        const world = createWorld({ policy: { parkMs: 20_000 } });
        const { requests, ended, refreshes } = await weather(world, acts);
        // Its waiting, three attempts with Claude's own back-off of up to 512 s each, and no more.
        await world.clock.advance(1_700_000);
        expect(ended).toHaveLength(requests.length);
        await Promise.all(refreshes);
        expect(world.manager.status().waiting).toBe(0);
        await world.close();
        expect(world.clock.pending).toBe(0);
      }),
      { numRuns: 25 },
    );
  });

  it("even where the credential can't be read, the strategy never ends and nobody answers", async () => {
    const never = () => new Promise<never>(() => undefined);
    const world = createWorld({
      strategies: [{ name: "hangs", run: never }],
      prove: never,
      credential: { read: never },
    });
    await settle();
    await expire(world);
    const answer = request(world).catch((error: unknown) => error);
    await world.clock.advance(46_000);
    await expect(answer).resolves.toMatchObject({ code: "upstream_auth_unavailable", state: "refreshing" });
    await world.clock.advance(300_000);
    expect(world.manager.status()).toMatchObject({
      refreshCount: expect.any(Number),
      consecutiveFailures: expect.any(Number),
    });
    expect(world.eventsOf("refresh-end").length).toBeGreaterThan(0);
    await world.close();
  });

  it("and who goes away takes nobody along", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.boolean(), { minLength: 2, maxLength: 12 }),
        fc.integer({ min: 0, max: 3_000 }),
        async (leaves, afterMs) => {
          const world = createWorld({ policy: { pollMs: 1_000 } });
          await settle();
          await expire(world);
          const reason = new Error("the client is gone");
          const clients = leaves.map((isLeaving) => {
            const abort = new AbortController();
            const answer = request(world, { signal: abort.signal }).catch((error: unknown) => error);
            return { isLeaving, abort, answer };
          });
          await world.clock.advance(afterMs);
          for (const { isLeaving, abort } of clients) if (isLeaving) abort.abort(reason);
          await world.clock.advance(500);
          world.material = "second";
          world.accepted.add("second");
          await world.clock.advance(10_000);
          for (const { isLeaving, answer } of clients) {
            if (isLeaving) expect(await answer).toBe(reason);
            else expect(await answer).toMatchObject({ answer: "second" });
          }
          await world.close();
        },
      ),
      runs,
    );
  });

  it("closing fails what waits, and leaves no timer", async () => {
    const world = createWorld();
    await settle();
    await expire(world);
    const answers = [request(world), request(world)].map((answer) => answer.catch((error: unknown) => error));
    await settle();
    await world.close();
    for (const answer of answers) expect(await answer).toMatchObject({ code: "shutting_down" });
    await expect(world.manager.admit({ operation: "late" })).rejects.toMatchObject({ code: "shutting_down" });
    expect(world.manager.tryAdmit("late")).toBeUndefined();
    expect(world.clock.pending).toBe(0);
  });
});

describe("rule 11: the state is a function of stored facts and time", () => {
  const storyOf = ({ events }: World) => events.map(({ type, atMs }) => `${atMs} ${type}`);

  it("so clock steps change nothing", async () => {
    await fc.assert(
      fc.asyncProperty(
        script,
        fc.array(fc.constantFrom(-86_400_000, -1_000, 3_600_000, 0), { minLength: 1, maxLength: 5 }),
        async (acts, steps) => {
          const calm = acts.filter((each) => each.do !== "clock");
          const stepped = calm.flatMap((each, index): Act[] => [
            each,
            { do: "clock", ms: steps[index % steps.length] ?? 0 },
          ]);
          const worlds = [createWorld(), createWorld()] as const;
          await settle();
          await weather(worlds[0], calm);
          await weather(worlds[1], stepped);
          for (const { clock } of worlds) await clock.advance(60_000);
          expect(storyOf(worlds[1])).toEqual(storyOf(worlds[0]));
          await Promise.all(worlds.map((world) => world.close()));
        },
      ),
      runs,
    );
  });

  it("so a restart finds it as it was", async () => {
    await fc.assert(
      fc.asyncProperty(script, async (acts) => {
        const worldClock = fakeClock();
        const store = createMemoryStore({ clock: worldClock });
        const first = createWorld({ worldClock, store });
        await weather(first, [{ do: "reject" }, ...acts]);
        await first.clock.advance(100_000);
        const before = stateOf(first);
        const { material, accepted } = first;
        await first.close();
        const second = createWorld({ worldClock, store, material });
        second.accepted = accepted;
        await settle();
        // What was under way is begun again; all else is as it was.
        if (before.state !== "refreshing") expect(stateOf(second)).toEqual(before);
        await second.close();
      }),
      runs,
    );
  });
});

describe("rule 12: after recovery the waiting are let go paced", () => {
  it("a batch at a time, none forgotten (A5, G3)", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 9 }), async (count, releaseBatch) => {
        const world = createWorld({ policy: { releaseBatch } });
        await settle();
        await expire(world);
        const answers = Array.from({ length: count }, () => request(world));
        await settle();
        world.material = "second";
        world.accepted.add("second");
        world.touch();
        await world.clock.advance(20_000);
        await Promise.all(answers);
        const released = world.eventsOf("release");
        expect(released.every((event) => event.count <= releaseBatch)).toBe(true);
        const gaps = released.slice(1).map(({ atMs }, index) => atMs - (released[index]?.atMs ?? 0));
        expect(gaps.every((gap) => gap >= 50)).toBe(true);
        expect(world.eventsOf("wait-end").filter(({ outcome }) => outcome === "canary").length).toBeLessThanOrEqual(2);
        await world.close();
      }),
      runs,
    );
  });
});

describe("rule 13: credentials are independent", () => {
  it("a storm on one changes nothing for another", async () => {
    await fc.assert(
      fc.asyncProperty(script, async (acts) => {
        const worldClock = fakeClock();
        const calm = createWorld({ worldClock });
        const stormy = createWorld({ worldClock });
        const answer = request(calm);
        await worldClock.advance(500);
        await answer;
        const before = stateOf(calm);
        await weather(stormy, [{ do: "requests", count: 3, retries: false, on: 0 }, { do: "reject" }, ...acts]);
        await worldClock.advance(60_000);
        expect(stateOf(calm)).toEqual(before);
        expect(calm.events.filter(({ type }) => type.startsWith("refresh"))).toEqual([]);
        expect(calm.manager.tryAdmit("the next")).toBeDefined();
        await Promise.all([calm.close(), stormy.close()]);
      }),
      runs,
    );
  });
});
