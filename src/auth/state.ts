// The state machine: pure, (facts, event, now) → facts and effects. It reads no clock, draws no lots and starts nothing.
// A late result finds that its lease or generation is no longer the present one, and changes nothing.
import type { RefreshTrigger } from "./contract.ts";
import { type Facts, publicState } from "./facts.ts";
import type { CredentialReading } from "./ports.ts";
import type { Policy } from "./policy.ts";
import { onLooked } from "./state-looked.ts";
import { onRefreshEnd, onRefreshStart } from "./state-refresh.ts";
import { onSign, onSuccess } from "./state-evidence.ts";

/** What a sign of failure says, as far as the state cares. */
export interface Sign {
  readonly type: "sign";
  readonly generation: number;
  /** No retry of the attempt follows. */
  readonly isFinal: boolean;
  /** The text says that the credential is dead, not merely stale. */
  readonly isPermanent: boolean;
  /** Nothing but a person's act can help, whatever the kind of credential. */
  readonly needsPerson: boolean;
  readonly reason: string;
  readonly source: string;
  readonly chance: number;
}

/** How a refresh ended. */
export interface RefreshEnd {
  readonly type: "refresh-end";
  readonly lease: string;
  /**
   * - `proved`: a real answer. - `rejected`: a real call was rejected. - `failed`: nothing could be renewed.
   * - `unproven`: it was replaced, and there was no way to ask whether it works. - `abandoned`: this process ends.
   */
  readonly outcome: "proved" | "rejected" | "failed" | "unproven" | "abandoned";
  readonly needsPerson: boolean;
  readonly reason: string;
  /** Where the proof was seen. */
  readonly source: string;
  readonly chance: number;
}

/** What can happen. Plain data; `chance` is in [0, 1). */
export type StateEvent =
  | Sign
  | RefreshEnd
  /** A real answer came back. */
  | {
      readonly type: "success";
      readonly generation: number;
      readonly source: string;
      /** When the attempt was let in, or last saw a sign: what it asked before a failure proves nothing about it. */
      readonly beganAtMs: number;
    }
  /** `isSteady`: a difference is a change and not the reading's own unsteadiness. */
  | {
      readonly type: "looked";
      readonly reading: CredentialReading;
      readonly isSteady: boolean;
      /** By the wall clock, to reckon a life that isn't told. */
      readonly wallMs: number;
      readonly chance: number;
    }
  | { readonly type: "refresh-start"; readonly lease: string; readonly trigger: RefreshTrigger }
  | { readonly type: "lease-renew"; readonly lease: string }
  /** A real call is about to be made with what the refresh got: from here on it has a generation of its own. */
  | { readonly type: "proof-start"; readonly lease: string }
  /** Asks for one test query of the hour's budget. */
  | { readonly type: "test-query" };

/** What is to be done about an event beside keeping the new facts. */
export type Effect =
  /** Look at the credential's material now. */
  | "look"
  /** What the event asked for is granted: the lease, the test query, the publication of a result. */
  | "granted";

/** A step of the machine. */
export interface Transition {
  readonly facts: Facts;
  readonly effects: readonly Effect[];
}

const hourMs = 3_600_000;

/** One step. */
export function transition(before: Facts, event: StateEvent, nowMs: number, policy: Policy): Transition {
  const step = apply(before, event, nowMs, policy);
  const hasMoved = publicState(before) !== publicState(step.facts);
  return hasMoved ? { ...step, facts: { ...step.facts, sinceMs: nowMs } } : step;
}

function apply(facts: Facts, event: StateEvent, nowMs: number, policy: Policy): Transition {
  switch (event.type) {
    case "sign":
      return onSign(facts, event, nowMs, policy);
    case "success":
      return { facts: onSuccess(facts, event, nowMs), effects: [] };
    case "looked":
      return { facts: onLooked(facts, event, nowMs, policy), effects: [] };
    case "refresh-start":
      return onRefreshStart(facts, event, nowMs, policy);
    case "refresh-end":
      return onRefreshEnd(facts, event, nowMs, policy);
    case "lease-renew": {
      const { refresher } = facts;
      if (refresher.is !== "running" || refresher.lease.id !== event.lease) return { facts, effects: [] };
      const lease = { ...refresher.lease, untilMs: nowMs + policy.leaseMs };
      return { facts: { ...facts, refresher: { is: "running", lease } }, effects: ["granted"] };
    }
    case "proof-start":
      return onProofStart(facts, event.lease);
    case "test-query": {
      const spent = facts.testQueriesAtMs.filter((atMs) => atMs > nowMs - hourMs);
      if (spent.length >= policy.testQueriesPerHour) return { facts, effects: [] };
      return { facts: { ...facts, testQueriesAtMs: [...spent, nowMs] }, effects: ["granted"] };
    }
  }
}

function onProofStart(facts: Facts, leaseId: string): Transition {
  const { refresher, credential } = facts;
  if (refresher.is !== "running" || refresher.lease.id !== leaseId) return { facts, effects: [] };
  // Nothing changed that could be seen, yet what failed before and what is asked now must not be taken for one another.
  const isSame = facts.generation === refresher.lease.generation;
  const wasRejected = credential.is === "expired" || credential.is === "refused";
  const generation = isSame && wasRejected ? facts.generation + 1 : facts.generation;
  return { facts: { ...facts, generation }, effects: ["granted"] };
}
