// Holds requests back while the credential is being mended: bounded in number and time; lets them go paced; picks the canary.
// Decides nothing about the credential.
import { CcapiError } from "./errors.ts";
import type { AuthAdmission } from "./contract.ts";
import type { AuthListener } from "./events.ts";
import { isLastCarry, mayCarryOver, type Passage } from "./passage.ts";
import type { Policy } from "./policy.ts";
import type { Clock, ProofOutcome } from "./ports.ts";

/** A proof that a waiting request gives for all. Told once; later words are nothing. */
export interface Ticket {
  readonly tell: (outcome: ProofOutcome) => void;
}

/** What the gate needs. */
export interface GatePorts {
  readonly clock: Clock;
  readonly policy: Policy;
  readonly emit: AuthListener;
  readonly generation: () => number;
  /** Whether requests pass now. */
  readonly isOpen: () => boolean;
  readonly grant: (passage: Passage, ticket?: Ticket) => AuthAdmission;
  /** The error of a request that the credential fails now. */
  readonly failure: () => CcapiError;
}

/** How a request waits. */
interface WaitOptions {
  /** It has been let in before, and its next attempt carries it over. */
  readonly isRecovering: boolean;
  readonly signal: AbortSignal | undefined;
}

interface Waiter {
  readonly passage: Passage;
  readonly isRecovering: boolean;
  readonly resolve: (admission: AuthAdmission) => void;
  readonly end: (outcome: "released" | "canary" | "timed-out" | "cancelled" | "failed") => void;
  readonly reject: (error: unknown) => void;
}

/** The gate. */
export interface Gate {
  readonly waiting: number;
  /** Waits for the credential. Rejects with a CcapiError, or with the signal's reason. */
  wait(passage: Passage, options: WaitOptions): Promise<AuthAdmission>;
  /** A request that waits no longer, or need not: its next attempt. */
  enter(passage: Passage, isRecovering: boolean): AuthAdmission;
  /** Lets the waiting go, a batch at a time, as long as the gate is open. */
  release(): void;
  /** Lets one waiting request through as the proof; `undefined` where none can give it. */
  sendCanary(options: { readonly mayUseLastCarry: boolean }): Promise<ProofOutcome> | undefined;
  /** Ends all waiting. */
  failAll(error: () => CcapiError): void;
}

/** Makes a gate. */
export function createGate({ clock, policy, emit, generation, isOpen, grant, failure }: GatePorts): Gate {
  const waiters = new Set<Waiter>();
  let isReleasing = false;

  function enter(passage: Passage, isRecovering: boolean, ticket?: Ticket): AuthAdmission {
    if (isRecovering) {
      if (!mayCarryOver(passage, generation())) throw failure();
      passage.carriedOver += 1;
      passage.carriedTo.push(generation());
      const { operation, method, carriedOver } = passage;
      const isRenewed = passage.lastGeneration !== generation();
      emit({ type: "retry", operation, method, carriedOver, generation: generation(), isRenewed });
    }
    return grant(passage, ticket);
  }

  function letGo(waiter: Waiter, outcome: "released" | "canary", ticket?: Ticket): void {
    waiter.end(outcome);
    try {
      waiter.resolve(enter(waiter.passage, waiter.isRecovering, ticket));
    } catch (error) {
      waiter.reject(error);
    }
  }

  function releaseBatch(): void {
    isReleasing = false;
    if (!isOpen() || waiters.size === 0) return;
    isReleasing = true;
    const batch = [...waiters].slice(0, policy.releaseBatch);
    for (const waiter of batch) letGo(waiter, "released");
    emit({ type: "release", count: batch.length, waiting: waiters.size });
    clock.setTimer(releaseBatch, policy.releaseIntervalMs);
  }

  return {
    get waiting() {
      return waiters.size;
    },
    enter,
    wait(passage, { isRecovering, signal }) {
      // Who was let in before has its place already; the number of those is bounded where they run.
      if (!isRecovering && waiters.size >= policy.maxWaiting) {
        return Promise.reject(
          new CcapiError("queue_full", "Too many requests wait for the Claude credential.", { retryAfterMs: 5_000 }),
        );
      }
      const leftMs = policy.parkMs - passage.waitedMs;
      if (leftMs <= 0) return Promise.reject(failure());
      return new Promise((resolve, reject) => {
        const beganAtMs = clock.monotonicMs();
        const onAbort = () => {
          waiter.end("cancelled");
          reject(signal?.reason);
        };
        const onTimeout = () => {
          // It waited for its place in the line of those who go, and no longer for the credential.
          if (isOpen()) return letGo(waiter, "released");
          waiter.end("timed-out");
          reject(failure());
        };
        // Somebody waits for this: the process stays for it.
        const cancelTimer = clock.setTimer(onTimeout, leftMs, { keepsAlive: true });
        const waiter: Waiter = {
          passage,
          isRecovering,
          resolve,
          reject,
          end(outcome) {
            waiters.delete(waiter);
            cancelTimer();
            signal?.removeEventListener("abort", onAbort);
            const durationMs = clock.monotonicMs() - beganAtMs;
            passage.waitedMs += durationMs;
            emit({ type: "wait-end", operation: passage.operation, outcome, durationMs, waiting: waiters.size });
          },
        };
        waiters.add(waiter);
        signal?.addEventListener("abort", onAbort, { once: true });
        emit({ type: "wait-start", operation: passage.operation, waiting: waiters.size });
      });
    },
    release() {
      if (!isReleasing) releaseBatch();
    },
    sendCanary({ mayUseLastCarry }) {
      let canary: Waiter | undefined;
      for (const waiter of waiters) {
        const { passage, isRecovering } = waiter;
        if (isRecovering && !mayCarryOver(passage, generation())) continue;
        if (!mayUseLastCarry && isLastCarry(passage)) continue;
        if (canary === undefined || passage.carriedOver < canary.passage.carriedOver) canary = waiter;
      }
      if (canary === undefined) return undefined;
      const { promise, resolve } = Promise.withResolvers<ProofOutcome>();
      letGo(canary, "canary", { tell: resolve });
      return promise;
    },
    failAll(error) {
      for (const waiter of waiters) {
        waiter.end("failed");
        waiter.reject(error());
      }
    },
  };
}
