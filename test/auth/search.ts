// Every order of events that two instances with one store can live through, to a fixed depth: breadth first, each state once.
// The store is atomic, as its port promises; what an instance knows too late shows as signs and results that come late.
import { type Facts, initialFacts, publicState } from "../../src/auth/facts.ts";
import { type Policy, resolvePolicy } from "../../src/auth/policy.ts";
import { nextDue } from "../../src/auth/schedule.ts";
import { type StateEvent, transition } from "../../src/auth/state.ts";

/** One point of the search. */
export interface Point {
  readonly facts: Facts;
  readonly nowMs: number;
  /** By how much the wall clock was set. */
  readonly wallOffsetMs: number;
  /** The lease that each instance believes to hold. */
  readonly leases: readonly (string | undefined)[];
  readonly leaseCount: number;
  /** Refreshes that failed in a row by the search's own count, from proofs and published failures alone. */
  readonly failures: number;
}

/** One step of the search. */
export interface Step {
  readonly name: string;
  readonly before: Point;
  readonly after: Point;
  readonly event: StateEvent | undefined;
  readonly isGranted: boolean;
}

/** Small numbers, so that every limit is met within the depth. */
export const searchPolicy: Policy = resolvePolicy({
  cooldownMs: 10_000,
  cooldownJitter: 0,
  maxFailures: 2,
  leaseMs: 5_000,
  heartbeatMs: 2_000,
  testQueriesPerHour: 2,
  probeDelaysMs: [20_000],
  probeJitter: 0,
  manualIntervalMs: 0,
});

const reading = {
  kind: "auth_token",
  fingerprint: "0",
  present: true,
  renewable: true,
  watchMode: "cheap",
  action: "rotate it",
} as const;

const sign = { type: "sign", reason: "rejected", source: "api_retry", chance: 0.5 } as const;
const end = { type: "refresh-end", needsPerson: false, reason: "", source: "refresh", chance: 0.5 } as const;

/** The first point: the credential was looked at once. */
export function firstPoint(): Point {
  const looked: StateEvent = { type: "looked", reading, isSteady: true, wallMs: 0, chance: 0.5 };
  const { facts } = transition(initialFacts(0), looked, 0, searchPolicy);
  return { facts, nowMs: 0, wallOffsetMs: 0, leases: [undefined, undefined], leaseCount: 0, failures: 0 };
}

/** All steps that are possible at a point. */
function* steps(point: Point): Generator<Step> {
  const { facts, nowMs } = point;
  const { generation } = facts;
  const about = { ...sign, isPermanent: false, needsPerson: false };
  yield run(point, "sign", { ...about, generation, isFinal: false });
  if (generation > 1) yield run(point, "older sign", { ...about, generation: generation - 1, isFinal: true });
  yield run(point, "revoked", { ...about, generation, isFinal: true, isPermanent: true, needsPerson: true });
  yield run(point, "success", { type: "success", generation, source: "answer", beganAtMs: nowMs });
  yield run(point, "success begun before", { type: "success", generation, source: "answer", beganAtMs: -1 });
  if (generation > 1) {
    yield run(point, "older success", {
      type: "success",
      generation: generation - 1,
      source: "answer",
      beganAtMs: nowMs,
    });
  }
  const fingerprint = String(facts.materialGeneration);
  yield run(point, "change", {
    type: "looked",
    reading: { ...reading, fingerprint },
    isSteady: true,
    wallMs: nowMs,
    chance: 0.5,
  });
  yield run(point, "test query", { type: "test-query" });
  for (const [index, lease] of point.leases.entries()) {
    if (lease === undefined) yield* starts(point, index);
    else yield* ends(point, index, lease);
  }
  const due = nextDue(facts, { nowMs, wallMs: nowMs + point.wallOffsetMs }, searchPolicy);
  if (due.atMs !== undefined && due.atMs > nowMs) yield pass(point, "until due", due.atMs - nowMs);
  yield pass(point, "a second", 1_000);
  if (point.wallOffsetMs === 0) {
    for (const wallOffsetMs of [-86_400_000, 86_400_000]) {
      yield {
        name: "clock step",
        before: point,
        after: { ...point, wallOffsetMs },
        event: undefined,
        isGranted: false,
      };
    }
  }
}

function* starts(point: Point, index: number): Generator<Step> {
  const { facts, nowMs, wallOffsetMs } = point;
  const { trigger } = nextDue(facts, { nowMs, wallMs: nowMs + wallOffsetMs }, searchPolicy);
  const triggers = new Set([trigger ?? "manual", "manual", "request", "probe"] as const);
  for (const each of triggers) {
    const lease = `lease ${point.leaseCount}`;
    const step = run(point, `start ${each}`, { type: "refresh-start", lease, trigger: each });
    const leases = point.leases.with(index, step.isGranted ? lease : undefined);
    yield { ...step, after: { ...step.after, leases, leaseCount: point.leaseCount + 1 } };
  }
}

function* ends(point: Point, index: number, lease: string): Generator<Step> {
  const leases = point.leases.with(index, undefined);
  for (const outcome of ["proved", "rejected", "failed", "unproven", "abandoned"] as const) {
    const step = run(point, `end ${outcome}`, { ...end, lease, outcome });
    yield { ...step, after: { ...step.after, leases } };
  }
  yield run(point, "proof", { type: "proof-start", lease });
  yield run(point, "heartbeat", { type: "lease-renew", lease });
  yield { name: "crash", before: point, after: { ...point, leases }, event: undefined, isGranted: false };
}

function run(before: Point, name: string, event: StateEvent): Step {
  const { facts, effects } = transition(before.facts, event, before.nowMs, searchPolicy);
  return { name, before, after: { ...before, facts }, event, isGranted: effects.includes("granted") };
}

function pass(before: Point, name: string, ms: number): Step {
  return { name, before, after: { ...before, nowMs: before.nowMs + ms }, event: undefined, isGranted: false };
}

/** Points that behave alike have one key: times and numbers are told from the present ones. */
export function keyOf({ facts, nowMs, wallOffsetMs, leases }: Point): string {
  const { credential, refresher, generation, materialGeneration } = facts;
  const since = (atMs: number) => Math.max(-4_000, Math.min(atMs - nowMs, 90_000_000));
  const known = refresher.is === "running" ? refresher.lease : undefined;
  return JSON.stringify([
    credential,
    "firstSignAtMs" in credential ? since(credential.firstSignAtMs) : 0,
    refresher.is,
    known && [since(known.untilMs), known.isProbe, known.trigger, generation - known.generation],
    refresher.is === "cooling_down" ? since(refresher.untilMs) : 0,
    refresher.is === "locked_out" ? since(refresher.nextProbeAtMs) : 0,
    generation - materialGeneration,
    generation > 1,
    facts.failures,
    facts.testQueriesAtMs.length,
    facts.mayTrustChange,
    leases.map((lease) => (lease === undefined ? 0 : lease === known?.id ? 1 : 2)),
    wallOffsetMs,
  ]).replaceAll(/"firstSignAtMs":-?\d+/g, "");
}

/** Walks all points within the depth, and hands every step to `check`. Returns how many points and steps there were. */
export function search(
  depth: number,
  check: (step: Step, path: readonly string[]) => void,
): { points: number; steps: number } {
  const seen = new Set<string>([keyOf(firstPoint())]);
  let edge: { readonly point: Point; readonly path: readonly string[] }[] = [{ point: firstPoint(), path: [] }];
  let count = 0;
  for (let level = 0; level < depth; level += 1) {
    const next: typeof edge = [];
    for (const { point, path } of edge) {
      for (const step of steps(point)) {
        count += 1;
        const way = [...path, step.name];
        check(step, way);
        const key = keyOf(step.after);
        if (seen.has(key)) continue;
        seen.add(key);
        next.push({ point: step.after, path: way });
      }
    }
    edge = next;
  }
  return { points: seen.size, steps: count };
}

/** Follows what is due, with a world in which every proof succeeds, until requests pass; gives up after some steps. */
export function heal(point: Point): Point {
  let { facts, nowMs } = point;
  for (
    let tries = 0;
    tries < 12 && !["authenticated", "unknown", "checking"].includes(publicState(facts));
    tries += 1
  ) {
    const due = nextDue(facts, { nowMs, wallMs: nowMs + point.wallOffsetMs }, searchPolicy);
    if (due.atMs === undefined) break;
    nowMs = Math.max(nowMs, due.atMs);
    const { trigger } = nextDue(facts, { nowMs, wallMs: nowMs + point.wallOffsetMs }, searchPolicy);
    if (trigger === undefined) continue;
    const lease = `healing ${tries}`;
    facts = transition(facts, { type: "refresh-start", lease, trigger }, nowMs, searchPolicy).facts;
    facts = transition(facts, { ...end, lease, outcome: "proved" }, nowMs, searchPolicy).facts;
  }
  return { ...point, facts, nowMs };
}
