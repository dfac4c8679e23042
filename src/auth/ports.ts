// Everything that the auth core needs from the world, as ports that the caller hands in: time, chance, the credential, a proof.
// Types, and the two ports that every process has. Nothing here holds, copies or logs a credential's material.
import type { Classification } from "./signal.ts";

/**
 * Time, in two kinds that must not be mixed: `monotonicMs` for durations and deadlines (no clock step moves it),
 * `wallMs` for what people read and for expiry times that others wrote.
 */
export interface Clock {
  /** Milliseconds since some fixed point; never goes back. */
  monotonicMs(): number;
  /** Milliseconds since the epoch; may step either way. */
  wallMs(): number;
  /** Calls `callback` once after `delayMs`; the returned function cancels. It keeps no process alive unless it is told to. */
  setTimer(callback: () => void, delayMs: number, options?: { readonly keepsAlive: boolean }): () => void;
}

/** A number in [0, 1). */
export type Random = () => number;

/**
 * How a credential can be watched.
 * - `cheap`: looking costs next to nothing (a file): looked at all the time.
 * - `costly`: looking runs a program (a helper): looked at only while something waits for a change; never while the credential is valid.
 * - `fixed`: it cannot change while this process lives.
 */
export type WatchMode = "cheap" | "costly" | "fixed";

/** What a look at the credential showed. Never its material. */
export interface CredentialReading {
  /** Where it comes from, e.g. `stored_login`, `api_key_helper`. */
  readonly kind: string;
  /** Opaque keyed hash of the material: equal where the material is equal, of no use to anybody else. */
  readonly fingerprint: string;
  /**
   * Opaque keyed hash of the material alone, where the fingerprint says more: instances that share their state meet where it is the
   * same. Default: the fingerprint.
   */
  readonly identity?: string;
  /** False where there is no credential (no login, a blanked or missing file). */
  readonly present: boolean;
  /** Whether it can change without a restart: by a person, a program, or Claude itself. */
  readonly renewable: boolean;
  /** True where Claude itself renews it on the way of a request (stored login, helper): its second attempt may still succeed. */
  readonly claudeRenews?: boolean;
  readonly watchMode: WatchMode;
  /** What a person does to mend it, in words: "run `claude` and log in on this host". */
  readonly action: string;
  /** Milliseconds since the epoch, where known. */
  readonly expiresAtMs?: number;
  /** Its whole life in milliseconds, where known; else reckoned from when it was first seen. */
  readonly lifeMs?: number;
}

/** Looks at the credential that Claude will use. */
export interface CredentialPort {
  /** Reads it now. Called one at a time, but for a read that went on after its signal was aborted. A rejection means "can't tell now", never "gone". */
  read(signal: AbortSignal): Promise<CredentialReading>;
  /** Calls `onChange` when something may have changed; false alarms are fine. Returns what ends the watch. */
  watch?(onChange: () => void): () => void;
}

/** How a test query ended. Only `answered`, a real model answer, proves the credential. */
export type ProofOutcome =
  | { readonly outcome: "answered" }
  /** The credential was rejected. */
  | { readonly outcome: "rejected"; readonly classification: Classification }
  /** Nothing was learned of the credential: network, 429, 5xx, time-out. `reason` goes to the log. */
  | { readonly outcome: "inconclusive"; readonly reason: string };

/** Asks the model one minimal question with the present credential, in a fresh process. */
export type Prove = (signal: AbortSignal) => Promise<ProofOutcome>;

/** This process's clock. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  setTimer(callback, delayMs, { keepsAlive } = { keepsAlive: false }) {
    const timer = setTimeout(callback, delayMs);
    if (!keepsAlive) timer.unref();
    return () => clearTimeout(timer);
  },
};
