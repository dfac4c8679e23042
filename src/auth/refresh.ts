// One refresh: looks again, tries the strategies in order, and has the credential proven by a real answer.
// It claims nothing without proof, and its end counts only while it holds the lease.
import type { RefreshTrigger } from "./contract.ts";
import { type Deadline, deadline, DeadlineError } from "./deadline.ts";
import type { AuthListener, StrategyOutcome } from "./events.ts";
import type { Facts } from "./facts.ts";
import type { Gate } from "./gate.ts";
import type { Policy } from "./policy.ts";
import type { Clock, CredentialReading, ProofOutcome, Prove } from "./ports.ts";
import { supersession } from "./supersession.ts";
import { redact } from "./redact.ts";
import { isWordless, needsPerson } from "./remedy.ts";
import type { Classification } from "./signal.ts";
import type { RefreshEnd, StateEvent } from "./state.ts";
import type { Strategy, StrategyContext, StrategyResult } from "./strategies/strategy.ts";

/** What a refresh needs. */
export interface RefreshPorts {
  readonly clock: Clock;
  readonly policy: Policy;
  readonly strategies: readonly Strategy[];
  readonly prove: Prove;
  readonly gate: Pick<Gate, "waiting" | "sendCanary">;
  readonly emit: AuthListener;
  readonly facts: () => Facts;
  readonly commit: (event: StateEvent) => Promise<boolean>;
  readonly look: () => Promise<CredentialReading | undefined>;
  /** Resolves at the next change of the facts; rejects when there will be none. */
  readonly nextChange: () => Promise<void>;
}

/** How the chain and its proof ended, before it is published. */
export type RefreshEnding = Pick<RefreshEnd, "outcome" | "needsPerson" | "reason" | "source"> & {
  readonly isTimeout?: boolean;
};

/** Canaries that may end without a verdict before a test query is asked instead. */
const maxCanaries = 3;
/** Times that a credential which changes while it is asked about is asked about. */
const maxProofs = 3;
/** What a strategy gets to end by itself after another credential was seen: mostly it is its own doing. */
const strategyGraceMs = 2_000;

/** Runs the chain and the proof for a lease that is held. Never rejects; ends soon after `signal` is aborted. */
export async function runChain(
  ports: RefreshPorts,
  { id, trigger, generation }: { readonly id: string; readonly trigger: RefreshTrigger; readonly generation: number },
  limit: Deadline,
): Promise<RefreshEnding> {
  const { clock, policy, facts, commit, gate } = ports;
  const wasValidAtFirst = facts().credential.is === "valid";
  /** The last generation of which a real call was rejected, and what that said. */
  let rejection: { readonly generation: number; readonly classification: Classification } | undefined;
  let hasAnswered = false;
  let hasClaim = false;
  const hasChanged = () => trigger === "change" || facts().materialGeneration > generation;
  const isHealed = () => !wasValidAtFirst && facts().credential.is === "valid";

  async function testQuery(): Promise<ProofOutcome | undefined> {
    const { emit, prove } = ports;
    if (limit.signal.aborted) return undefined;
    if (!(await commit({ type: "test-query" }))) {
      emit({ type: "test-query", outcome: "withheld", durationMs: 0, reason: "the hour's test queries are spent" });
      return undefined;
    }
    if (!(await commit({ type: "proof-start", lease: id }))) return undefined;
    const asked = facts().generation;
    const beganAtMs = clock.monotonicMs();
    const outcome = await within(policy.testQueryTimeoutMs, prove).catch(toInconclusive);
    const durationMs = clock.monotonicMs() - beganAtMs;
    const reason = outcome.outcome === "inconclusive" ? redact(outcome.reason) : undefined;
    emit({ type: "test-query", outcome: outcome.outcome, durationMs, reason });
    if (outcome.outcome === "rejected") rejection = { generation: asked, classification: outcome.classification };
    if (outcome.outcome === "answered") hasAnswered = true;
    return outcome;
  }

  /** Works within a limit, and no longer than some moments after another credential was seen. */
  async function within<T>(ms: number, work: (signal: AbortSignal) => Promise<T>, graceMs = 0): Promise<T> {
    const superseded = supersession({ clock, facts, nextChange: ports.nextChange, graceMs });
    const step = deadline(clock, ms, AbortSignal.any([limit.signal, superseded.signal]));
    try {
      return await step.race(work(step.signal));
    } finally {
      superseded.end();
      step.end();
    }
  }

  async function look() {
    const reading = await ports.look();
    return reading && { reading, changed: hasChanged() };
  }

  /** Whether the chain goes on with the next strategy. */
  async function tryStrategy(strategy: Strategy): Promise<boolean> {
    const beganAtMs = clock.monotonicMs();
    const result = await within(
      policy.stepTimeoutMs,
      (signal) => {
        const context: StrategyContext = { signal, trigger, waiting: () => gate.waiting, look, testQuery };
        return strategy.run(context);
      },
      strategyGraceMs,
    ).catch(toFailure);
    // What a strategy says it proved counts where a query of this refresh was answered.
    if (result.outcome === "changed" || (result.outcome === "proved" && !hasAnswered)) hasClaim = true;
    if (result.outcome === "changed") await look();
    const words = "detail" in result ? result.detail : "reason" in result ? result.reason : undefined;
    const detail = words === undefined ? undefined : redact(words);
    const durationMs = clock.monotonicMs() - beganAtMs;
    ports.emit({ type: "strategy-end", trigger, strategy: strategy.name, outcome: result.outcome, durationMs, detail });
    return !(hasAnswered || hasClaim || hasChanged() || isHealed() || limit.signal.aborted);
  }

  async function askSomeone(): Promise<ProofOutcome | undefined> {
    for (let tries = 0; tries < maxCanaries && gate.waiting > 0; tries += 1) {
      if (!(await commit({ type: "proof-start", lease: id }))) return undefined;
      const asked = facts().generation;
      // Nothing was renewed: a request that can be carried over but once more is kept for when something is.
      const canary = gate.sendCanary({ mayUseLastCarry: hasChanged() || hasClaim });
      if (canary === undefined) break;
      const outcome = await within(policy.stepTimeoutMs, () => canary).catch(toInconclusive);
      if (outcome.outcome === "rejected") {
        rejection = { generation: asked, classification: outcome.classification };
        // An agent is refused without a word about why (measured, 2.1.330); a test query hears it.
        if (isWordless(outcome.classification)) return (await testQuery()) ?? outcome;
      }
      if (outcome.outcome !== "inconclusive" || limit.signal.aborted || isHealed()) return outcome;
      if (facts().materialGeneration > asked) return outcome;
    }
    return testQuery();
  }

  async function proveIt(): Promise<RefreshEnding> {
    // Once more where it changed again while it was asked about.
    for (let tries = 0; tries < maxProofs; tries += 1) {
      if (facts().reading?.present === false) return missing;
      const isSpent = rejection !== undefined && rejection.generation === facts().generation && !hasClaim;
      if (!isSpent) {
        const asked = facts().materialGeneration;
        const outcome = await askSomeone();
        if (isHealed() || outcome?.outcome === "answered") return proved;
        const isSuperseded = facts().materialGeneration > asked && tries < maxProofs - 1;
        if (outcome?.outcome !== "rejected" && !isSuperseded) return undecided(outcome);
        hasClaim = false;
      }
      if (rejection !== undefined && rejection.generation === facts().generation) break;
    }
    return rejected(rejection?.classification);
  }

  function undecided(outcome: ProofOutcome | undefined): RefreshEnding {
    if (limit.signal.aborted) return timedOut(limit.signal);
    const reason =
      outcome?.outcome === "inconclusive"
        ? `Nobody could tell whether it works: ${redact(outcome.reason)}.`
        : "No test query is left.";
    // Without a test query left only a real request can tell: the next one may.
    const isUntold = outcome === undefined && (trigger === "probe" || trigger === "manual");
    if (hasChanged() || isUntold) return { outcome: "unproven", needsPerson: false, reason, source: "change" };
    return rejection === undefined ? failed(reason) : rejected(rejection.classification);
  }

  await look();
  // A credential that was changed is only verified; so is one whose change set this off.
  if (trigger !== "change" && !hasChanged()) {
    for (const strategy of ports.strategies) if (!(await tryStrategy(strategy))) break;
  }
  if (limit.signal.aborted) return timedOut(limit.signal);
  if (hasAnswered || isHealed()) return proved;
  // An early refresh that renewed nothing leaves the working credential in peace.
  if (trigger === "schedule" && !hasChanged() && !hasClaim) {
    return rejection === undefined ? failed("Nothing could be renewed yet.") : rejected(rejection.classification);
  }
  return proveIt();
}

const proved: RefreshEnding = {
  outcome: "proved",
  needsPerson: false,
  reason: "A real answer came back with the credential.",
  source: "refresh",
};

/** Nobody has to be asked about a credential that isn't there. */
const missing: RefreshEnding = {
  outcome: "rejected",
  needsPerson: true,
  reason: "There is no credential.",
  source: "look",
};

function failed(reason: string): RefreshEnding {
  return { outcome: "failed", needsPerson: false, reason, source: "refresh" };
}

function rejected(classification: Classification | undefined): RefreshEnding {
  const forPerson = classification !== undefined && needsPerson(classification);
  const reason = classification?.reason || "The model API rejected the credential.";
  return { outcome: "rejected", needsPerson: forPerson, reason, source: "refresh" };
}

function timedOut({ reason }: AbortSignal): RefreshEnding {
  return cutShort(reason instanceof DeadlineError && reason.isTimeout);
}

/** The end of a refresh that was cut short: by its own time limit, or by who gave it up. */
export function cutShort(isTimeout: boolean): RefreshEnding {
  return isTimeout
    ? { ...failed("The refresh took too long."), isTimeout }
    : { outcome: "abandoned", needsPerson: false, reason: "The refresh was given up.", source: "refresh" };
}

function toFailure(error: unknown): StrategyResult | { readonly outcome: Extract<StrategyOutcome, "timed-out"> } {
  // The message of what a strategy threw may hold a secret.
  return error instanceof DeadlineError ? { outcome: "timed-out" } : { outcome: "failed", reason: "it threw" };
}

function toInconclusive(error: unknown): ProofOutcome {
  return { outcome: "inconclusive", reason: error instanceof DeadlineError ? error.message : "unforeseen" };
}
