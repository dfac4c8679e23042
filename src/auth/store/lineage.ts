// What an instance does about a room that is not as it left it: go along, put back what was lost, or begin anew beside it.
// Pure. Generations and counts never go back, neither here nor in the room.
import type { Facts } from "../facts.ts";

/** A version of one room: `epoch` names its life in Redis, `count` goes up with each write, `stamp` tells equal counts apart. */
export interface Mark {
  readonly epoch: string;
  readonly count: number;
  readonly stamp: string;
}

/** What lies in a room. */
export interface Found {
  readonly mark: Mark;
  /** What it was rebuilt from after a loss, if it was. */
  readonly from: Mark | undefined;
  readonly facts: Facts;
}

/** What to do about it. */
export type Course =
  /** Nobody has changed it: what was done here alone belongs on top. */
  | { readonly do: "go-on" }
  /** Take over what lies there. `isSameLine`: generations mean the same as here. */
  | { readonly do: "adopt"; readonly isSameLine: boolean }
  /** Something that is known here is not there: write both together. */
  | { readonly do: "restore"; readonly isNewEpoch: boolean };

/** The course of an instance that knows the room as of `mine`. */
export function courseFor(found: Found, mine: Mark | undefined): Course {
  if (mine === undefined) return { do: "adopt", isSameLine: false };
  if (found.mark.epoch === mine.epoch) {
    if (found.mark.count > mine.count) return { do: "adopt", isSameLine: true };
    const isSame = found.mark.count === mine.count && found.mark.stamp === mine.stamp;
    // An older version, or another of the same number: a failover has lost writes.
    return isSame ? { do: "go-on" } : { do: "restore", isNewEpoch: true };
  }
  if (found.from?.epoch !== mine.epoch) return { do: "adopt", isSameLine: false };
  return found.from.count >= mine.count ? { do: "adopt", isSameLine: true } : { do: "restore", isNewEpoch: false };
}

/** Two views of one credential as one: the further one, and no count below either's. */
export function reconcile(theirs: Facts, mine: Facts): Facts {
  const isMineFurther =
    mine.generation > theirs.generation ||
    (mine.generation === theirs.generation && mine.refreshCount > theirs.refreshCount);
  const base = isMineFurther ? mine : theirs;
  const spent = [...new Set([...theirs.testQueriesAtMs, ...mine.testQueriesAtMs])].toSorted((a, b) => a - b);
  return {
    ...base,
    generation: Math.max(theirs.generation, mine.generation),
    materialGeneration: Math.max(theirs.materialGeneration, mine.materialGeneration),
    refreshCount: Math.max(theirs.refreshCount, mine.refreshCount),
    lastRefreshAtMs: latest(theirs.lastRefreshAtMs, mine.lastRefreshAtMs),
    lastManualAtMs: latest(theirs.lastManualAtMs, mine.lastManualAtMs),
    testQueriesAtMs: spent,
  };
}

function latest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.max(a, b);
}

/** The facts with all generations moved. */
export function shiftGenerations(facts: Facts, by: number): Facts {
  if (by === 0) return facts;
  const { refresher } = facts;
  return {
    ...facts,
    generation: facts.generation + by,
    materialGeneration: facts.materialGeneration + by,
    refresher:
      refresher.is === "running"
        ? { is: "running", lease: { ...refresher.lease, generation: refresher.lease.generation + by } }
        : refresher,
  };
}

/** The facts with all times of the store moved. */
export function shiftTimes(facts: Facts, byMs: number): Facts {
  const { credential, refresher, evidence, early } = facts;
  const at = (ms: number | null) => (ms === null ? null : ms + byMs);
  return {
    ...facts,
    credential:
      "firstSignAtMs" in credential ? { ...credential, firstSignAtMs: credential.firstSignAtMs + byMs } : credential,
    refresher: shiftRefresher(refresher, byMs),
    lastRefreshAtMs: at(facts.lastRefreshAtMs),
    lastManualAtMs: at(facts.lastManualAtMs),
    testQueriesAtMs: facts.testQueriesAtMs.map((ms) => ms + byMs),
    early: { ...early, notBeforeMs: early.notBeforeMs + byMs },
    evidence: evidence && { ...evidence, atMs: evidence.atMs + byMs },
    sinceMs: facts.sinceMs + byMs,
  };
}

function shiftRefresher(refresher: Facts["refresher"], byMs: number): Facts["refresher"] {
  switch (refresher.is) {
    case "idle":
      return refresher;
    case "running": {
      const { lease } = refresher;
      return { is: "running", lease: { ...lease, untilMs: lease.untilMs + byMs, beganAtMs: lease.beganAtMs + byMs } };
    }
    case "cooling_down":
      return { ...refresher, untilMs: refresher.untilMs + byMs };
    case "locked_out":
      return { ...refresher, nextProbeAtMs: refresher.nextProbeAtMs + byMs };
  }
}
