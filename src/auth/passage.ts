// One request's history with the credential, over all its attempts: how often it was carried over, to what, how long it waited.
import type { RetryMethod } from "./events.ts";

/** How often one request is carried over in all. */
const maxCarriedOver = 2;

/** The history. Changed by the gate, and by each attempt at its beginning. */
export interface Passage {
  readonly operation: string;
  carriedOver: number;
  /** The generations that it was carried to: to each once. */
  readonly carriedTo: number[];
  waitedMs: number;
  /** What its last attempt used; 0 before the first. */
  lastGeneration: number;
  /** How it was carried over the last time. */
  method: RetryMethod;
}

/** A request that has only just come. */
export function newPassage(operation: string): Passage {
  return { operation, carriedOver: 0, carriedTo: [], waitedMs: 0, lastGeneration: 0, method: "replay" };
}

/** Whether the next time is its last. */
export function isLastCarry({ carriedOver }: Passage): boolean {
  return carriedOver === maxCarriedOver - 1;
}

/** Whether it may be carried over once more; with a generation: to that one. */
export function mayCarryOver(passage: Passage, generation?: number): boolean {
  return passage.carriedOver < maxCarriedOver && (generation === undefined || !passage.carriedTo.includes(generation));
}
