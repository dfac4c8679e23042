// One attempt's leave to use the credential: takes its signals and its answers, and says what the attempt does next.
// Changes no state itself: it sends signs and successes, and reads what has become of them.
import type { AuthAdmission, Decision } from "./contract.ts";
import type { CcapiError } from "./errors.ts";
import type { AuthListener, RetryMethod } from "./events.ts";
import { type Facts, mayWait, passes, publicState } from "./facts.ts";
import type { Ticket } from "./gate.ts";
import { mayCarryOver, type Passage } from "./passage.ts";
import { needsPerson } from "./remedy.ts";
import type { Classification, Signal } from "./signal.ts";

/** What the admissions of one manager share. */
export interface AdmissionPorts {
  readonly facts: () => Facts;
  /** In the store's time. */
  readonly nowMs: () => number;
  readonly classify: (signal: Signal) => Classification;
  readonly emit: AuthListener;
  readonly sendSign: (sign: SignReport) => void;
  readonly sendSuccess: (generation: number, source: string, beganAtMs: number) => void;
  /** Notes a real answer where nothing changes by it. */
  readonly noteProof: (source: string) => void;
  /** Attempts that have seen a sign and go on: they are told when the state moves. */
  readonly inDoubt: Set<Admission>;
  readonly recover: (passage: Passage, signal: AbortSignal | undefined) => Promise<AuthAdmission>;
  readonly failure: () => CcapiError;
}

/** A sign with what it says. */
export interface SignReport {
  readonly operation: string;
  readonly generation: number;
  readonly isFinal: boolean;
  readonly source: string;
  readonly classification: Classification;
}

/** Sources after which the attempt goes on by itself: Claude Code's own retry, a subagent's end, a notice. */
const passing: ReadonlySet<Signal["source"]> = new Set(["api_retry", "subagent", "auth_status"]);

/** See {@link AuthAdmission}. */
export class Admission implements AuthAdmission {
  readonly generation: number;
  readonly carriedOver: number;
  readonly isCanary: boolean;
  readonly #ports: AdmissionPorts;
  readonly #passage: Passage;
  #ticket: Ticket | undefined;
  #beganAtMs: number;
  #isProven = false;
  #isReleased = false;
  #lastFinal: Decision | undefined;
  /** Only signs that Claude Code's next retry may mend by itself were seen. */
  #isGentle = true;
  #listener: ((decision: Decision) => void) | undefined;
  #revised: Decision | undefined;

  constructor(ports: AdmissionPorts, passage: Passage, ticket?: Ticket) {
    this.#ports = ports;
    this.#passage = passage;
    this.#ticket = ticket;
    this.isCanary = ticket !== undefined;
    this.generation = ports.facts().generation;
    passage.lastGeneration = this.generation;
    this.carriedOver = passage.carriedOver;
    this.#beganAtMs = ports.nowMs();
  }

  get operation(): string {
    return this.#passage.operation;
  }

  get waitedMs(): number {
    return this.#passage.waitedMs;
  }

  report(signal: Signal): Decision {
    const ports = this.#ports;
    const classification = ports.classify(signal);
    if (classification.verdict === "not_auth" || this.#isReleased) return { action: "continue" };
    const facts = ports.facts();
    const isCurrent = facts.generation === this.generation;
    const { source } = signal;
    ports.emit({
      type: "failure-report",
      operation: this.operation,
      source,
      ...classification,
      generation: this.generation,
      isCurrent,
    });
    const isFinal = !passing.has(source);
    // An assistant's message, the result and the exception tell of the same end.
    if (isFinal && this.#lastFinal !== undefined) return this.#lastFinal;
    const isGentle = signal.source === "api_retry" && signal.attempt <= 1 && facts.reading?.claudeRenews === true;
    this.#isGentle &&= isGentle;
    this.#beganAtMs = ports.nowMs();
    // What this very report leads to is its own answer.
    ports.inDoubt.delete(this);
    const decision = this.#judge(classification, { source, isFinal, isGentle, isCurrent });
    if (isFinal) this.#lastFinal = decision;
    // A proof under way is nobody's to revise: Claude's second attempt may be taking up the renewed credential.
    if (decision.action === "continue" && this.#ticket === undefined) ports.inDoubt.add(this);
    ports.emit({
      type: "retry-decision",
      operation: this.operation,
      decision: decision.action,
      carriedOver: this.carriedOver,
    });
    return decision;
  }

  #judge(
    classification: Classification,
    seen: {
      readonly source: string;
      readonly isFinal: boolean;
      readonly isGentle: boolean;
      readonly isCurrent: boolean;
    },
  ): Decision {
    const ports = this.#ports;
    const { source, isFinal, isGentle, isCurrent } = seen;
    if (this.#ticket !== undefined) {
      if (isGentle) return { action: "continue" };
      // The proof has failed; what follows from it is the refresh's to say.
      this.#settleTicket("rejected", classification);
      return mayCarryOver(this.#passage) ? { action: "wait" } : this.#fail();
    }
    if (isCurrent) {
      ports.sendSign({ operation: this.operation, generation: this.generation, isFinal, source, classification });
    } else if (isGentle) {
      return { action: "continue" };
    }
    const decision = this.#decide();
    if (decision.action !== "continue" || !isFinal) return decision;
    // The first sign, from an attempt that has no other: run again with the same credential, it confirms or refutes.
    const { generation } = ports.facts();
    return mayCarryOver(this.#passage, generation) ? { action: "carry-over", generation } : this.#fail();
  }

  /** What the present state means for this attempt. */
  #decide(): Decision {
    const facts = this.#ports.facts();
    const state = publicState(facts);
    if (passes(state)) {
      if (facts.generation === this.generation) return { action: "continue" };
      const { generation } = facts;
      return mayCarryOver(this.#passage, generation) ? { action: "carry-over", generation } : this.#fail();
    }
    return mayWait(state, facts) && mayCarryOver(this.#passage) ? { action: "wait" } : this.#fail();
  }

  /** Called when the state has moved: an attempt in doubt may have its answer. */
  revisit(): void {
    const decision = this.#decide();
    if (decision.action === "continue") return;
    // Claude's own second attempt takes up the renewed credential by itself.
    if (decision.action === "carry-over" && this.#isGentle) return;
    this.#ports.inDoubt.delete(this);
    this.#revised = decision;
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.(decision);
  }

  onDecision(listener: (decision: Decision) => void): () => void {
    if (this.#revised === undefined) this.#listener = listener;
    else listener(this.#revised);
    return () => {
      if (this.#listener === listener) this.#listener = undefined;
    };
  }

  recovered(
    options: { readonly signal?: AbortSignal | undefined; readonly method?: RetryMethod | undefined } = {},
  ): Promise<AuthAdmission> {
    this.release();
    this.#passage.method = options.method ?? "replay";
    return this.#ports.recover(this.#passage, options.signal);
  }

  succeeded(source: string): void {
    const ports = this.#ports;
    const { credential } = ports.facts();
    if (this.#isProven && credential.is === "valid") return;
    if (this.#isReleased) return;
    if (!this.#isProven && this.carriedOver > 0) this.#endRetry("succeeded");
    this.#isProven = true;
    this.#settleTicket("answered");
    // What an attempt begun before a change says tells nothing of the credential after it.
    if (this.generation >= ports.facts().materialGeneration) ports.noteProof(source);
    if (credential.is !== "valid") ports.sendSuccess(this.generation, source, this.#beganAtMs);
    ports.inDoubt.delete(this);
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#listener = undefined;
    this.#ports.inDoubt.delete(this);
    if (this.carriedOver > 0 && !this.#isProven) this.#endRetry("failed");
    this.#settleTicket("inconclusive");
  }

  #fail(): Decision {
    return { action: "fail", error: this.#ports.failure() };
  }

  #endRetry(outcome: "succeeded" | "failed"): void {
    const { operation, method } = this.#passage;
    this.#ports.emit({ type: "retry-end", operation, method, outcome });
  }

  #settleTicket(outcome: "answered" | "inconclusive"): void;
  #settleTicket(outcome: "rejected", classification: Classification): void;
  #settleTicket(outcome: "answered" | "rejected" | "inconclusive", classification?: Classification): void {
    const ticket = this.#ticket;
    this.#ticket = undefined;
    if (outcome === "rejected") {
      if (classification !== undefined) ticket?.tell({ outcome, classification });
    } else
      ticket?.tell(outcome === "answered" ? { outcome } : { outcome, reason: "the request ended without an answer" });
  }
}

/** For {@link AdmissionPorts.sendSign}: what the state machine is told of a sign. */
export function toSign({ generation, isFinal, source, classification }: SignReport, chance: number) {
  return {
    type: "sign",
    generation,
    isFinal,
    isPermanent: classification.verdict === "auth_permanent",
    needsPerson: needsPerson(classification),
    reason: classification.reason,
    source,
    chance,
  } as const;
}
