// What signs of failure and real answers change. Pure; a part of state.ts.
import type { Credential, Facts, Refresher } from "./facts.ts";
import { type Policy, probeDelay } from "./policy.ts";
import type { Sign, StateEvent, Transition } from "./state.ts";

/** How soon a credential that worked is probed after it was refused. */
const secondLookMs = 500;

/** A sign of failure: the first makes the credential suspect, the second confirms it. */
export function onSign(facts: Facts, sign: Sign, nowMs: number, policy: Policy): Transition {
  // About a credential that was replaced since: it says nothing of the present one.
  if (sign.generation !== facts.generation) return { facts, effects: [] };
  const { credential } = facts;
  const isFixed = facts.reading?.renewable === false;
  const seen: Facts = { ...facts, evidence: { source: sign.source, atMs: nowMs } };
  switch (credential.is) {
    case "refused":
      return { facts, effects: [] };
    case "expired":
      if (!(sign.isFinal && sign.needsPerson)) return { facts, effects: [] };
      return { facts: refuse(seen, sign, nowMs, policy), effects: ["look"] };
    case "unknown":
    case "valid": {
      if (sign.isFinal && (sign.needsPerson || (isFixed && sign.isPermanent))) {
        return { facts: refuse(seen, sign, nowMs, policy), effects: ["look"] };
      }
      const suspect: Credential = { is: "suspect", wasValid: credential.is === "valid", firstSignAtMs: nowMs };
      return { facts: { ...seen, credential: suspect }, effects: ["look"] };
    }
    case "suspect": {
      if (sign.needsPerson || isFixed) return { facts: refuse(seen, sign, nowMs, policy), effects: ["look"] };
      const { firstSignAtMs } = credential;
      return { facts: { ...seen, credential: { is: "expired", cause: "request", firstSignAtMs } }, effects: [] };
    }
  }
}

/** Only a person can mend it: said at once. It stays watched, and probed as slowly as in the lock-out. */
export function refuse(
  facts: Facts,
  { reason, chance }: { readonly reason: string; readonly chance: number },
  nowMs: number,
  policy: Policy,
): Facts {
  const { credential } = facts;
  // It worked a moment ago: whether this was about one request alone is asked at once.
  const wasValid = credential.is === "valid" || (credential.is === "suspect" && credential.wasValid);
  const delayMs = wasValid ? secondLookMs : probeDelay(policy, facts.probes, chance);
  const refresher: Refresher =
    facts.refresher.is === "running" || facts.refresher.is === "locked_out"
      ? facts.refresher
      : { is: "locked_out", nextProbeAtMs: nowMs + delayMs };
  return { ...facts, credential: { is: "refused", reason, firstSignAtMs: firstSign(facts, nowMs) }, refresher };
}

/** When the present failure was first seen. */
export function firstSign({ credential }: Facts, nowMs: number): number {
  return "firstSignAtMs" in credential ? credential.firstSignAtMs : nowMs;
}

/** A real answer: the only proof. */
export function onSuccess(facts: Facts, event: Extract<StateEvent, { type: "success" }>, nowMs: number): Facts {
  const { credential, refresher } = facts;
  const isLockedOut = refresher.is === "locked_out" && credential.is !== "refused";
  if (event.generation < facts.materialGeneration) {
    // It proves nothing of the present material, but something works: the next request is let through to see.
    if (!isLockedOut) return facts;
    return { ...facts, generation: facts.generation + 1, credential: { is: "unknown" }, refresher: { is: "idle" } };
  }
  // An answer that was being written when the credential failed goes on for a while: no proof, except against a lock-out.
  if ("firstSignAtMs" in credential && event.beganAtMs < credential.firstSignAtMs && !isLockedOut) return facts;
  return proven(facts, event.source, nowMs);
}

/** The facts once the present material is proven. A refresh that still runs is left to end; it blocks nobody. */
export function proven(facts: Facts, source: string, nowMs: number): Facts {
  const { credential, refresher } = facts;
  const wasRejected = credential.is === "expired" || credential.is === "refused";
  // Those who failed before this must not make the mended credential suspect again.
  const isStale = wasRejected && !(refresher.is === "running" && refresher.lease.generation !== facts.generation);
  return {
    ...facts,
    generation: isStale ? facts.generation + 1 : facts.generation,
    credential: { is: "valid" },
    refresher: endLockOut(refresher),
    failures: 0,
    probes: 0,
    mayTrustChange: true,
    evidence: { source, atMs: nowMs },
  };
}

/** A lock-out ends; a cooldown goes on, for it holds back refreshes and no request. */
function endLockOut(refresher: Refresher): Refresher {
  if (refresher.is === "locked_out") return { is: "idle" };
  if (refresher.is !== "running" || !refresher.lease.isProbe) return refresher;
  return { is: "running", lease: { ...refresher.lease, isProbe: false } };
}
