// What the pool knows of each process: between two runs, and at work. Does nothing.
import type { ClaudeProcess } from "./sdk-process.ts";
import type { ChatBefore, Stands } from "./standing.ts";

/** What stays the same for as long as a process lives. */
export interface Origin {
  readonly key: string;
  /** It looks at its login anew before each call (measured, 2.1.330; a helper's key is asked for anew when it was rejected). */
  readonly readsLogin: boolean;
  /** The local date when it started: its new conversations would still tell it to the model. */
  readonly day: string;
  readonly runs: number;
}

/** A process between two runs. */
export interface Kept extends Origin {
  readonly process: ClaudeProcess;
  readonly costUsd: number;
  readonly stands: Stands;
}

/** A process at work. */
export interface AtWork extends Origin, ChatBefore {
  isHeard: boolean;
  /** It is not to be kept. */
  isRetired: boolean;
}

/** Whether a process between two runs stands so. */
export function stands<Is extends Stands["is"]>(
  kept: Kept,
  is: Is,
): kept is Kept & { readonly stands: Extract<Stands, { is: Is }> } {
  return kept.stands.is === is;
}
