// What every store of the auth core owes, as a suite that any implementation can run, with two ways to one shared place.
import { describe, expect, it } from "vitest";
import { type Facts, initialFacts } from "../../src/auth/facts.ts";
import { resolvePolicy } from "../../src/auth/policy.ts";
import { type StateEvent, transition } from "../../src/auth/state.ts";
import type { AuthStore, Stored } from "../../src/auth/store/port.ts";

/** Two stores of one place, as two instances have them. */
export interface SharedPlace {
  readonly stores: readonly [AuthStore, AuthStore];
  /** Lets the store's time pass. */
  readonly pass: (ms: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

const policy = resolvePolicy();
const sign: StateEvent = {
  type: "sign",
  generation: 1,
  isFinal: true,
  isPermanent: false,
  needsPerson: false,
  reason: "",
  source: "test",
  chance: 0.5,
};
/** What every instance does first: it looks at the credential, which is the same for both. */
const looked: StateEvent = {
  type: "looked",
  reading: {
    kind: "api_key",
    fingerprint: "0",
    present: true,
    renewable: true,
    watchMode: "cheap",
    action: "rotate it",
  },
  isSteady: true,
  wallMs: 0,
  chance: 0.5,
};
const apply = (event: StateEvent) => (facts: Facts, nowMs: number) => transition(facts, event, nowMs, policy);

/** The suite. */
export function storeContract(name: string, open: () => Promise<SharedPlace>): void {
  async function use(work: (place: SharedPlace) => Promise<void>, { hasLooked = true } = {}): Promise<void> {
    const place = await open();
    try {
      if (hasLooked) for (const store of place.stores) await store.update(apply(looked));
      await work(place);
    } finally {
      await place.close();
    }
  }

  describe(`the store ${name}`, () => {
    it("begins with nothing known (A9)", () =>
      use(
        async ({ stores: [store] }) => {
          const { facts } = store.current();
          expect({ ...facts, sinceMs: 0 }).toEqual(initialFacts(0));
        },
        { hasLooked: false },
      ));

    it("keeps each step, counts versions up, and hands back what the step asked for (A9)", () =>
      use(async ({ stores: [store] }) => {
        const before = store.current().version;
        const updated = await store.update(apply(sign));
        expect(updated.facts.credential.is).toBe("suspect");
        expect(updated.effects).toEqual(["look"]);
        expect(updated.version).toBeGreaterThan(before);
        expect(store.current()).toMatchObject({ version: updated.version, facts: { credential: { is: "suspect" } } });
      }));

    it("keeps facts as they are: plain data, no value lost (A9)", () =>
      use(async ({ stores: [store, other] }) => {
        const { facts } = await store.update(apply(sign));
        const { facts: read } = await other.update((current) => ({ facts: current, effects: [] }));
        expect(read).toEqual(facts);
      }));

    it("shows one instance's steps to the other, and tells it of them (A9)", () =>
      use(async ({ stores: [store, other], pass }) => {
        const heard: Stored[] = [];
        const stop = other.subscribe((stored) => heard.push(stored));
        await store.update(apply(sign));
        await pass(5_000);
        expect(heard.at(-1)?.facts.credential.is).toBe("suspect");
        expect(other.current().facts.credential.is).toBe("suspect");
        stop();
        const count = heard.length;
        await store.update(apply({ ...sign }));
        await pass(5_000);
        expect(heard).toHaveLength(count);
      }));

    it("takes steps one at a time: no update is lost, and a lease is granted once (A6, A9)", () =>
      use(async ({ stores }) => {
        await stores[0].update(apply(sign));
        await stores[0].update(apply(sign));
        const before = stores[0].current().facts.refreshCount;
        const starts = await Promise.all(
          Array.from({ length: 20 }, (_, index) => {
            const start: StateEvent = { type: "refresh-start", lease: `lease ${index}`, trigger: "request" };
            return (stores[index % 2] ?? stores[0]).update(apply(start));
          }),
        );
        expect(starts.filter(({ effects }) => effects.includes("granted"))).toHaveLength(1);
        const { facts } = await stores[1].update((current) => ({ facts: current, effects: [] }));
        expect(facts.refreshCount).toBe(before + 1);
        const queries = await Promise.all(
          Array.from({ length: 40 }, (_, index) =>
            (stores[index % 2] ?? stores[0]).update(apply({ type: "test-query" })),
          ),
        );
        expect(queries.filter(({ effects }) => effects.includes("granted"))).toHaveLength(policy.testQueriesPerHour);
      }));

    it("has one time for all that share it, which goes on (A9)", () =>
      use(async ({ stores: [store, other], pass }) => {
        const first = store.nowMs();
        expect(Math.abs(other.nowMs() - first)).toBeLessThan(100);
        await pass(1_000);
        expect(store.nowMs() - first).toBeGreaterThanOrEqual(900);
        let seen = 0;
        await store.update((facts, nowMs) => ((seen = nowMs), { facts, effects: [] }));
        expect(Math.abs(seen - other.nowMs())).toBeLessThan(100);
      }));
  });
}
