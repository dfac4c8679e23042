// The design's rules 10 to 13 as properties over storms: every wait ends, time and restarts, the release, independence.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMemoryStore } from "../../src/auth/store/memory.ts";
import { fakeClock, settle } from "./fake-clock.ts";
import { request } from "./request.ts";
import { type Act, script, weather } from "./storm.ts";
import { createWorld, type World } from "./world.ts";
import { expire } from "./troubles.ts";

const runs = { numRuns: 60 };

/** What can be seen of the state, without times. */
function stateOf({ manager }: World) {
  const { state, isAuthenticated, refreshCount, consecutiveFailures, credential } = manager.status();
  return { state, isAuthenticated, refreshCount, consecutiveFailures, generation: credential.generation };
}

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
