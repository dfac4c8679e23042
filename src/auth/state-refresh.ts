// How refreshes begin and end. Pure; a part of state.ts.
import type { Facts, Lease, Refresher } from "./facts.ts";
import { cooldownDelay, type Policy, probeDelay } from "./policy.ts";
import { firstSign, proven, refuse } from "./state-evidence.ts";
import type { RefreshEnd, StateEvent, Transition } from "./state.ts";

type RefreshStart = Extract<StateEvent, { type: "refresh-start" }>;

/** Grants the lease, if a refresh may begin now. */
export function onRefreshStart(facts: Facts, event: RefreshStart, nowMs: number, policy: Policy): Transition {
  if (!mayStart(facts, event, nowMs, policy)) return { facts, effects: [] };
  const lease = {
    id: event.lease,
    untilMs: nowMs + policy.leaseMs,
    beganAtMs: nowMs,
    trigger: event.trigger,
    generation: facts.generation,
    isProbe: event.trigger === "probe",
  };
  return {
    facts: {
      ...facts,
      refresher: { is: "running", lease },
      refreshCount: facts.refreshCount + 1,
      lastManualAtMs: event.trigger === "manual" ? nowMs : facts.lastManualAtMs,
    },
    effects: ["granted"],
  };
}

function mayStart(
  { refresher, credential, lastManualAtMs }: Facts,
  { trigger }: RefreshStart,
  nowMs: number,
  policy: Policy,
) {
  if (trigger === "manual" && lastManualAtMs !== null && nowMs < lastManualAtMs + policy.manualIntervalMs) return false;
  switch (refresher.is) {
    case "running":
      if (nowMs < refresher.lease.untilMs) return false;
      // Whoever ran it is gone; what it was for is still to be done.
      if (refresher.lease.isProbe) return trigger === "manual" || trigger === "probe";
      break;
    case "cooling_down":
      if (nowMs < refresher.untilMs) return false;
      break;
    case "locked_out":
      return trigger === "manual" || (trigger === "probe" && nowMs >= refresher.nextProbeAtMs);
    case "idle":
      break;
  }
  if (trigger === "probe") return false;
  if (trigger === "manual") return true;
  if (trigger === "schedule") return credential.is !== "expired" && credential.is !== "refused";
  return credential.is === "expired" || refresher.is === "running";
}

/** Ends a refresh; one whose lease is no longer the present one changes nothing. */
export function onRefreshEnd(facts: Facts, end: RefreshEnd, nowMs: number, policy: Policy): Transition {
  const { refresher } = facts;
  if (refresher.is !== "running" || refresher.lease.id !== end.lease) return { facts, effects: [] };
  return { facts: afterRefresh(facts, refresher.lease, end, nowMs, policy), effects: ["granted"] };
}

function afterRefresh(facts: Facts, lease: Lease, end: RefreshEnd, nowMs: number, policy: Policy): Facts {
  if (end.outcome === "abandoned") return onAbandoned(facts, lease.isProbe, end.chance, nowMs, policy);
  const ended: Facts = { ...facts, lastRefreshAtMs: nowMs };
  if (end.outcome === "proved") return onProved(ended, end, nowMs, policy);
  if (end.outcome === "unproven") return onUnproven(ended, nowMs);
  const failed = onRejection(ended, end, nowMs);
  const isBroken = failed.credential.is === "expired" || failed.credential.is === "refused";
  const counted: Facts = {
    ...failed,
    failures: isBroken ? failed.failures + 1 : failed.failures,
    mayTrustChange: lease.trigger !== "change" || failed.mayTrustChange,
    refresher: { is: "idle" },
  };
  if (!isBroken) return blockNobody(counted, end, nowMs, policy);
  if (end.needsPerson || counted.credential.is === "refused" || counted.reading?.renewable === false) {
    const probes = lease.isProbe ? counted.probes + 1 : counted.probes;
    return refuse({ ...counted, probes }, end, nowMs, policy);
  }
  return { ...counted, ...holdBack(counted, lease.isProbe, end.chance, nowMs, policy) };
}

/** Given up unfinished: the next one is another's, as soon as it would have been without this one. */
function onAbandoned(facts: Facts, wasProbe: boolean, chance: number, nowMs: number, policy: Policy): Facts {
  const isLockedOut = wasProbe || facts.credential.is === "refused" || facts.failures >= policy.maxFailures;
  if (!isLockedOut) return { ...facts, refresher: { is: "idle" } };
  return { ...facts, refresher: { is: "locked_out", nextProbeAtMs: nowMs + probeDelay(policy, facts.probes, chance) } };
}

function onProved(facts: Facts, end: RefreshEnd, nowMs: number, policy: Policy): Facts {
  const { early } = facts;
  return {
    ...proven(facts, end.source, nowMs),
    refresher: { is: "idle" },
    // Proven, yet perhaps not renewed: the same expiry must not set off the next one at once.
    early: {
      ...early,
      attempts: early.attempts + 1,
      notBeforeMs: nowMs + probeDelay(policy, early.attempts, end.chance),
    },
  };
}

/** What a rejected call says of the credential. */
function onRejection(facts: Facts, end: RefreshEnd, nowMs: number): Facts {
  if (end.outcome !== "rejected") return facts;
  const { credential } = facts;
  const firstSignAtMs = firstSign(facts, nowMs);
  const seen: Facts = { ...facts, evidence: { source: end.source, atMs: nowMs } };
  switch (credential.is) {
    case "valid":
      // One sign alone is not proof against a credential that works.
      return { ...seen, credential: { is: "suspect", wasValid: true, firstSignAtMs } };
    case "unknown":
    case "suspect":
      return { ...seen, credential: { is: "expired", cause: "request", firstSignAtMs } };
    default:
      return seen;
  }
}

/** It was replaced, and nobody could be asked: the next real request is the proof. */
function onUnproven(facts: Facts, nowMs: number): Facts {
  const { credential } = facts;
  const isRejected = credential.is === "expired" || credential.is === "refused";
  return {
    ...facts,
    credential: isRejected ? { is: "unknown" } : credential,
    refresher: { is: "idle" },
    evidence: isRejected ? { source: "change", atMs: nowMs } : facts.evidence,
  };
}

/** An early refresh that failed: the next one comes later and later; the credential goes on working. */
function blockNobody(facts: Facts, { chance }: RefreshEnd, nowMs: number, policy: Policy): Facts {
  const attempts = facts.early.attempts + 1;
  const notBeforeMs = nowMs + Math.max(cooldownDelay(policy, chance), probeDelay(policy, attempts - 1, chance));
  return {
    ...facts,
    early: { ...facts.early, attempts, notBeforeMs },
    refresher: { is: "cooling_down", untilMs: nowMs + cooldownDelay(policy, chance) },
  };
}

function holdBack(
  { failures, probes }: Facts,
  wasProbe: boolean,
  chance: number,
  nowMs: number,
  policy: Policy,
): { readonly refresher: Refresher; readonly probes: number } {
  if (failures < policy.maxFailures) {
    return { refresher: { is: "cooling_down", untilMs: nowMs + cooldownDelay(policy, chance) }, probes: 0 };
  }
  const done = wasProbe ? probes + 1 : 0;
  return { refresher: { is: "locked_out", nextProbeAtMs: nowMs + probeDelay(policy, done, chance) }, probes: done };
}
