// What holds after every event, in every order, on two instances with one store: the rules of the design, checked exhaustively.
import { describe, expect, it } from "vitest";
import { publicState } from "../../src/auth/facts.ts";
import { firstPoint, heal, keyOf, type Point, search, searchPolicy, type Step } from "./search.ts";

/** All orders of this many events, out of about twenty kinds. */
const depth = 8;

const isValid = ({ facts }: Point) => facts.credential.is === "valid";
const currentLease = ({ facts }: Point) => (facts.refresher.is === "running" ? facts.refresher.lease.id : undefined);

/** The rule that a step breaks, if any. */
function breach({ before, after, event, isGranted }: Step): string | undefined {
  const { facts, nowMs } = before;
  const { refresher } = facts;
  if (event?.type === "refresh-end" && event.lease !== currentLease(before) && after.facts !== facts)
    return "1: a late result counted";
  if (after.leases.filter((lease) => lease !== undefined && lease === currentLease(after)).length > 1)
    return "1: one lease, two holders";
  if (event?.type === "refresh-start" && isGranted) {
    if (refresher.is === "running" && nowMs < refresher.lease.untilMs) return "1: two refreshes at once";
    if (refresher.is === "cooling_down" && nowMs < refresher.untilMs) return "5: a refresh within the cooldown";
    if (refresher.is === "locked_out" && event.trigger === "request")
      return "5: a refresh from traffic in the lock-out";
    if (refresher.is === "locked_out" && event.trigger === "probe" && nowMs < refresher.nextProbeAtMs)
      return "6: a probe before its time";
    if (after.facts.refreshCount !== facts.refreshCount + 1) return "a refresh that was not counted";
  }
  if (event?.type === "sign" && event.generation < facts.generation && after.facts !== facts)
    return "2: an older sign counted";
  const isProof =
    (event?.type === "refresh-end" && event.outcome === "proved" && event.lease === currentLease(before)) ||
    (event?.type === "success" && event.generation >= facts.materialGeneration);
  if (isValid(after) && !isValid(before) && !isProof) return "4: valid without a proof";
  if (after.facts.failures < facts.failures && !isProof) return "4: failures forgotten without a proof";
  if (event?.type === "looked" && publicState(facts) === "locked_out" && publicState(after.facts) === "locked_out")
    return "6: a change left the lock-out as it was";
  if (publicState(facts) === "locked_out" && publicState(after.facts) !== "locked_out" && event === undefined)
    return "6: the lock-out ended by itself";
  if (after.facts.testQueriesAtMs.length > searchPolicy.testQueriesPerHour) return "8: too many test queries";
  if (
    event?.type === "sign" &&
    !event.needsPerson &&
    isValid(before) &&
    after.facts.credential.is !== "suspect" &&
    after.facts !== facts
  )
    return "one sign taken as proof";
  if (after.facts.generation < facts.generation) return "a generation went back";
  return undefined;
}

describe("two instances with one store, in every order of events", () => {
  it("keep rules 1, 2, 4, 5, 6 and 8, and can always heal (A3, A6, A7)", () => {
    const stuck = new Set<string>();
    const { points, steps } = search(depth, (step, path) => {
      const broken = breach(step);
      if (broken !== undefined) throw new Error(`rule ${broken}: ${path.join(", ")}`);
      const key = keyOf(step.after);
      if (stuck.has(key)) return;
      stuck.add(key);
      const healed = publicState(heal(step.after).facts);
      if (!["authenticated", "unknown", "checking"].includes(healed))
        throw new Error(`stuck in ${healed}: ${path.join(", ")}`);
      if (JSON.stringify(JSON.parse(JSON.stringify(step.after.facts))) !== JSON.stringify(step.after.facts))
        throw new Error("facts are not plain data");
    });
    // It went somewhere: a search that stops early proves nothing.
    expect(points).toBeGreaterThan(40_000);
    expect(steps).toBeGreaterThan(400_000);
  }, 120_000);

  it("is reachable, each public state of it", () => {
    const seen = new Set([publicState(firstPoint().facts)]);
    search(depth, (step) => seen.add(publicState(step.after.facts)));
    expect([...seen].toSorted()).toEqual([
      "authenticated",
      "checking",
      "cooling_down",
      "locked_out",
      "needs_login",
      "refreshing",
      "unknown",
    ]);
  }, 120_000);
});
