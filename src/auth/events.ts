// What the auth core tells of itself while it works. Listeners make logs and metrics of it; nothing waits for them.
// No event holds a secret or a text that came from outside.
import type { PublicState, RefreshTrigger } from "./contract.ts";
import type { Verdict } from "./signal.ts";

/** How one strategy of a refresh ended. */
export type StrategyOutcome = "changed" | "unchanged" | "failed" | "timed-out" | "proved" | "rejected";

/** How a whole refresh ended. */
export type RefreshOutcome =
  /** A real answer proved the credential. */
  | "success"
  /** A real call was rejected. */
  | "rejected"
  /** Nothing could be renewed, or nobody could be asked. */
  | "failed"
  /** It was replaced; the next real request is its proof. */
  | "unproven"
  /** Its time was up. */
  | "timed-out"
  /** Ended with this process, or taken over by another. */
  | "abandoned";

/** One event. Durations are in milliseconds by a clock that no step moves. */
export type AuthEvent =
  /** An attempt reported a failure of authentication. One for each report. */
  | {
      readonly type: "failure-report";
      readonly operation: string;
      readonly source: string;
      readonly verdict: Verdict;
      readonly rule: string;
      readonly reason: string;
      readonly generation: number;
      /** False where the credential was replaced since: the report starts nothing. */
      readonly isCurrent: boolean;
    }
  /** A failure is confirmed, and a refresh is wanted. Once for each time it is. */
  | { readonly type: "error-detected"; readonly operation: string; readonly generation: number }
  /** What an attempt is told after a report. */
  | {
      readonly type: "retry-decision";
      readonly operation: string;
      readonly decision: "continue" | "carry-over" | "wait" | "fail";
      readonly carriedOver: number;
    }
  | {
      readonly type: "refresh-start";
      readonly trigger: RefreshTrigger;
      readonly refreshCount: number;
      readonly generation: number;
    }
  | {
      readonly type: "strategy-end";
      readonly trigger: RefreshTrigger;
      readonly strategy: string;
      readonly outcome: StrategyOutcome;
      readonly durationMs: number;
      /** In the strategy's own words; holds no secret. */
      readonly detail: string | undefined;
    }
  | {
      readonly type: "refresh-end";
      readonly trigger: RefreshTrigger;
      readonly outcome: RefreshOutcome;
      readonly durationMs: number;
      readonly refreshCount: number;
      readonly consecutiveFailures: number;
      readonly message: string;
    }
  /** The refresh is held back until the cooldown is over. */
  | {
      readonly type: "cooldown-start";
      readonly untilMs: number;
      readonly delayMs: number;
      readonly consecutiveFailures: number;
    }
  | {
      readonly type: "test-query";
      readonly outcome: "answered" | "rejected" | "inconclusive" | "withheld";
      readonly durationMs: number;
      readonly reason: string | undefined;
    }
  | { readonly type: "wait-start"; readonly operation: string; readonly waiting: number }
  | {
      readonly type: "wait-end";
      readonly operation: string;
      readonly outcome: "released" | "canary" | "timed-out" | "cancelled" | "failed";
      readonly durationMs: number;
      readonly waiting: number;
    }
  /** Waiting requests are let go, a batch at a time. */
  | { readonly type: "release"; readonly count: number; readonly waiting: number }
  /** A request goes on with the mended credential. */
  | {
      readonly type: "retry";
      readonly operation: string;
      readonly method: RetryMethod;
      readonly carriedOver: number;
      readonly generation: number;
      /** False where it only confirms a first sign, with the credential that it had. */
      readonly isRenewed: boolean;
    }
  | {
      readonly type: "retry-end";
      readonly operation: string;
      readonly method: RetryMethod;
      readonly outcome: "succeeded" | "failed";
    }
  | {
      readonly type: "state-change";
      readonly from: PublicState;
      readonly to: PublicState;
      readonly generation: number;
      readonly action: string | null;
    }
  | { readonly type: "too-many-failures"; readonly consecutiveFailures: number; readonly maxAllowed: number }
  | {
      readonly type: "lock-out";
      readonly consecutiveFailures: number;
      readonly nextProbeAtMs: number;
      readonly action: string | null;
    }
  | {
      readonly type: "credential-change";
      readonly generation: number;
      readonly kind: string | null;
      /** Since the epoch. */
      readonly expiresAtMs: number | null;
    }
  /** The credential works again. `durationMs`: since the first sign that it didn't. */
  | { readonly type: "recovery-end"; readonly durationMs: number };

/** How a request is carried over: run again, or resumed where it stopped. */
export type RetryMethod = "replay" | "resume";

/** Listens. What it throws is dropped. */
export type AuthListener = (event: AuthEvent) => void;
