// Storms: random scripts of everything that can happen around a credential, run on the made-up world, with a record to judge.
import fc from "fast-check";
import type { CcapiError } from "../../src/auth/errors.ts";
import type { AuthStore, Stored } from "../../src/auth/store/port.ts";
import type { FakeClock } from "./fake-clock.ts";
import { type Answer, request, sleep } from "./request.ts";
import type { World } from "./world.ts";

/** One thing that happens. */
export type Act =
  | { readonly do: "requests"; readonly count: number; readonly retries: boolean; readonly on: number }
  /** The upstream accepts nothing that is there now. */
  | { readonly do: "reject" }
  /** The upstream accepts what is there now. */
  | { readonly do: "accept" }
  /** Somebody replaces the credential. */
  | { readonly do: "rotate"; readonly isGood: boolean; readonly isSeen: boolean }
  | { readonly do: "pass"; readonly ms: number }
  | { readonly do: "clock"; readonly ms: number }
  | { readonly do: "manual"; readonly on: number }
  | { readonly do: "cancel" }
  /** Test queries learn nothing from now on, or something again. */
  | { readonly do: "outage"; readonly isOn: boolean };

/** Any act. */
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("requests" as const),
      count: fc.integer({ min: 1, max: 6 }),
      retries: fc.boolean(),
      on: fc.nat(1),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ do: "reject" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "accept" as const }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("rotate" as const), isGood: fc.boolean(), isSeen: fc.boolean() }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("pass" as const),
      ms: fc.constantFrom(50, 150, 700, 3_000, 12_000, 40_000, 130_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("clock" as const),
      ms: fc.constantFrom(-86_400_000, -5_000, 5_000, 86_400_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("manual" as const), on: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.constant({ do: "cancel" as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("outage" as const), isOn: fc.boolean() }) },
);

/** A script; most begin with the trouble. */
export const script = fc.array(act, { minLength: 3, maxLength: 14 });

/** What a request came to. */
export type Ended = { readonly answer: Answer } | { readonly error: CcapiError | Error };

/** A storm that is over. */
export interface Weathered {
  readonly requests: readonly Promise<Ended>[];
  /** How many ended so far. */
  readonly ended: Ended[];
  readonly refreshes: readonly Promise<unknown>[];
}

/** Runs a script. Requests may still be under way when it ends. */
export async function weather(world: World, acts: readonly Act[]): Promise<Weathered> {
  const requests: Promise<Ended>[] = [];
  const refreshes: Promise<unknown>[] = [];
  const ended: Ended[] = [];
  const aborts: AbortController[] = [];
  let count = 0;
  const managerOf = (on: number) => world.managers[on % world.managers.length] ?? world.manager;
  for (const each of acts) {
    switch (each.do) {
      case "requests":
        for (let index = 0; index < each.count; index += 1) {
          const abort = new AbortController();
          aborts.push(abort);
          const options = {
            manager: managerOf(each.on),
            retries: each.retries,
            signal: abort.signal,
            name: `request ${(count += 1)}`,
          };
          const end = request(world, options).then(
            (answer): Ended => ({ answer }),
            (error: Error): Ended => ({ error }),
          );
          requests.push(end);
          void end.then((result) => ended.push(result));
        }
        break;
      case "reject":
        world.accepted.clear();
        break;
      case "accept":
        world.accepted.add(world.material);
        break;
      case "rotate":
        world.material = `rotated ${(count += 1)}`;
        if (each.isGood) world.accepted = new Set([world.material]);
        if (each.isSeen) world.touch();
        break;
      case "pass":
        await world.clock.advance(each.ms);
        break;
      case "clock":
        world.clock.stepWall(each.ms);
        break;
      case "manual":
        refreshes.push(
          managerOf(each.on)
            .refresh()
            .catch((error: unknown) => error),
        );
        break;
      case "cancel":
        aborts.shift()?.abort(new Error("the client is gone"));
        break;
      case "outage":
        world.proof = each.isOn ? async () => ({ outcome: "inconclusive", reason: "529" }) : undefined;
        break;
    }
  }
  return { requests, ended, refreshes };
}

/** A store that others reach late: each step and each notice takes its time. */
export function laggingStore(store: AuthStore, clock: FakeClock, delayMs: () => number): AuthStore {
  let known = store.current();
  const listeners = new Set<(stored: Stored) => void>();
  const learn = (stored: Stored) => {
    if (stored.version <= known.version) return;
    known = stored;
    for (const listener of listeners) listener(stored);
  };
  store.subscribe((stored) => void sleep(clock, delayMs()).then(() => learn(stored)));
  return {
    coordination: "shared",
    nowMs: () => store.nowMs(),
    current: () => known,
    async update(step) {
      await sleep(clock, delayMs());
      const updated = await store.update(step);
      await sleep(clock, delayMs());
      return updated;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => store.close(),
  };
}
