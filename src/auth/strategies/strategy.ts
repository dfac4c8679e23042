// The interface of a refresh strategy: one way to get a working credential. Strategies claim; only a real answer proves.

import type { RefreshTrigger } from "../contract.ts";
import type { CredentialReading, ProofOutcome } from "../ports.ts";

/** How one strategy ended. None of these is trusted as success but `proved`. */
export type StrategyResult =
  /** Something was renewed. The chain stops here and the proof decides. */
  | { readonly outcome: "changed"; readonly detail?: string }
  /** Nothing to be done here; the next strategy is tried. */
  | { readonly outcome: "unchanged"; readonly detail?: string }
  /** It could not do its work; the next strategy is tried. `reason` goes to logs: no secret, no output of a program. */
  | { readonly outcome: "failed"; readonly reason: string }
  /** A real model answer came back with the present credential. */
  | { readonly outcome: "proved" }
  /** A real model call was rejected; the next strategy is tried, and no second call is spent on the same credential. */
  | {
      readonly outcome: "rejected";
      readonly classification: Extract<ProofOutcome, { outcome: "rejected" }>["classification"];
    };

/** What a strategy is given. */
export interface StrategyContext {
  /** Aborted at the step's time limit, or when the whole refresh ends. */
  readonly signal: AbortSignal;
  readonly trigger: RefreshTrigger;
  /** Requests that wait for the outcome: while there are any, one of them will be the proof. */
  readonly waiting: () => number;
  /** Looks at the credential; `changed` says whether it differs from the one that failed. `undefined`: can't tell. */
  readonly look: () => Promise<{ readonly reading: CredentialReading; readonly changed: boolean } | undefined>;
  /** Spends one test query of the hour's budget; `undefined` where it is spent or there is no way to ask. */
  readonly testQuery: () => Promise<ProofOutcome | undefined>;
}

/** One way to get a working credential. */
export interface Strategy {
  /** Short stable name for logs and metrics: `[a-z0-9-]{1,40}`. */
  readonly name: string;
  /**
   * Tries it once. Must end soon after `context.signal` is aborted; a rejection counts as `failed`, and its message is not
   * logged, for it may hold a secret.
   */
  run(context: StrategyContext): Promise<StrategyResult>;
}
