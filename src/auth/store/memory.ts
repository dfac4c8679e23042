// The store of one process: facts in memory, gone with it.
import { initialFacts } from "../facts.ts";
import { type Clock, systemClock } from "../ports.ts";
import type { AuthStore, Stored } from "./port.ts";

/** Makes a store in memory. Managers that are given the same one share their credential's state. */
export function createMemoryStore(options: { readonly clock?: Pick<Clock, "monotonicMs"> } = {}): AuthStore {
  const { clock = systemClock } = options;
  const listeners = new Set<(stored: Stored) => void>();
  let stored: Stored = { facts: initialFacts(clock.monotonicMs()), version: 0 };

  return {
    coordination: "local",
    nowMs: () => clock.monotonicMs(),
    current: () => stored,
    async update(step) {
      const { facts, effects } = step(stored.facts, clock.monotonicMs());
      if (facts !== stored.facts) {
        stored = { facts, version: stored.version + 1 };
        for (const listener of listeners) listener(stored);
      }
      return { ...stored, effects };
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      listeners.clear();
    },
  };
}
