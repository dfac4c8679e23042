// One manager's view of the shared facts: what it sends holds here at once, and everywhere as soon as the store has it.
// Decides nothing: each event goes through the state machine, here and in the store.
import type { Facts } from "./facts.ts";
import type { Policy } from "./policy.ts";
import { type Effect, type StateEvent, transition } from "./state.ts";
import type { AuthStore, Stored } from "./store/port.ts";

/** The view. */
export interface Replica {
  /** What is known, with everything that was sent. */
  readonly facts: Facts;
  /** Applies an event here at once, then everywhere. Returns what is to be done about it. */
  send(event: StateEvent): readonly Effect[];
  /** Applies an event where it counts for all; resolves to whether it was granted. Never rejects. */
  commit(event: StateEvent): Promise<boolean>;
  /** Resolves when all that was sent is stored; then nothing more is heard. */
  close(): Promise<void>;
}

interface Pending {
  readonly event: StateEvent;
  /** Holds here before the store has it. */
  readonly isAhead: boolean;
  readonly settle: (isGranted: boolean) => void;
}

/** Makes a view. `onChange` is called after each change of the view, and may send. */
export function createReplica(
  store: AuthStore,
  policy: Policy,
  onChange: (before: Facts, after: Facts) => void,
): Replica {
  let base: Stored = store.current();
  let view = base.facts;
  const pending: Pending[] = [];
  let draining: Promise<void> | undefined;

  function show(next: Facts): void {
    if (next === view) return;
    const before = view;
    view = next;
    onChange(before, next);
  }

  /** The stored facts, and on them what the store doesn't have yet. */
  function settleView(): void {
    const nowMs = store.nowMs();
    show(
      pending.reduce(
        (facts, { event, isAhead }) => (isAhead ? transition(facts, event, nowMs, policy).facts : facts),
        base.facts,
      ),
    );
  }

  function hear(): void {
    // A notice may already hold what is pending here; its own answer comes with the newest facts.
    if (pending.length > 0) return;
    const newest = store.current();
    if (newest.version <= base.version) return;
    base = newest;
    settleView();
  }

  async function drain(): Promise<void> {
    for (let head = pending[0]; head !== undefined; head = pending[0]) {
      const { event, settle } = head;
      const updated = await store.update((facts, nowMs) => transition(facts, event, nowMs, policy));
      pending.shift();
      base = updated;
      settleView();
      settle(updated.effects.includes("granted"));
    }
    draining = undefined;
    hear();
  }

  function queue(entry: Pending): void {
    pending.push(entry);
    draining ??= drain();
  }

  const unsubscribe = store.subscribe(hear);
  return {
    get facts() {
      return view;
    },
    send(event) {
      const { facts, effects } = transition(view, event, store.nowMs(), policy);
      if (facts === view) return effects; // It changes nothing here, so it would change nothing elsewhere.
      queue({ event, isAhead: true, settle: () => undefined });
      show(facts);
      return effects;
    },
    commit: (event) => new Promise((resolve) => queue({ event, isAhead: false, settle: resolve })),
    async close() {
      while (draining !== undefined) await draining;
      unsubscribe();
    },
  };
}
