// The port of the auth core's shared memory: the facts of one credential, changed one atomic step at a time.
// A store holds no credential. What it keeps is plain data, with keyed fingerprints at most.
import type { AuthStatus } from "../contract.ts";
import type { Facts } from "../facts.ts";
import type { Effect, Transition } from "../state.ts";

/** The facts at one version. */
export interface Stored {
  readonly facts: Facts;
  /** Counts up with every change. */
  readonly version: number;
}

/** One credential's facts, shared by all managers that are given stores of the same place. */
export interface AuthStore {
  readonly coordination: AuthStatus["coordination"];
  /** The store's own time in milliseconds: the same for all that share it, and moved by no clock step of one host. */
  nowMs(): number;
  /** The newest facts known here; at once. */
  current(): Stored;
  /**
   * Takes one atomic step: `step` is given the newest facts and the time, and may be called again where another instance was
   * faster (compare and swap). Its result is kept once, or not at all. Where the shared place can't be reached in time the
   * store goes on alone (`coordination: "local"`) from the facts it knows: it does not reject.
   *
   * Fingerprints in the facts are compared between instances: where several share a store, their credential ports must use one key.
   */
  update(step: (facts: Facts, nowMs: number) => Transition): Promise<Stored & { readonly effects: readonly Effect[] }>;
  /** Tells of changes that others made, soon; the newest is enough. Returns what ends the telling. */
  subscribe(listener: (stored: Stored) => void): () => void;
  /** Lets go of what the store holds. */
  close(): Promise<void>;
}
