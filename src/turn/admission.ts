// How many runs there may be at once, and how many may wait for their turn. A slot is held until its run's process is gone.
import { CcapiError } from "../auth/errors.ts";

/** Hands out slots, first come, first served. */
export interface Admission {
  /** Whether the next {@link Admission.acquire} has to wait. */
  readonly isFull: boolean;
  /** Requests that wait now. */
  readonly waiting: number;
  /** Slots taken now. */
  readonly running: number;
  /**
   * Takes a slot; waits for one where none is free.
   *
   * @param options.isReturning it had a slot before: it goes first, and is never turned away.
   * @returns the slot's release; calling it again does nothing.
   * @throws CcapiError `queue_full` where too many wait already; the signal's reason where it is aborted.
   */
  acquire(signal: AbortSignal, options?: { readonly isReturning?: boolean }): Promise<() => void>;
}

/** Makes an admission for `maxRunning` slots and at most `maxWaiting` requests that wait. */
export function createAdmission(limits: { readonly maxRunning: number; readonly maxWaiting: number }): Admission {
  let running = 0;
  const queue = new Set<() => void>();
  /** Those who had a slot before: their number is bounded by that. */
  const returning = new Set<() => void>();

  function take(): () => void {
    running += 1;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      running -= 1;
      for (const line of [returning, queue]) {
        for (const next of line) {
          line.delete(next);
          next();
          return;
        }
      }
    };
  }

  return {
    get isFull() {
      return running >= limits.maxRunning;
    },
    get waiting() {
      return returning.size + queue.size;
    },
    get running() {
      return running;
    },
    async acquire(signal, { isReturning = false } = {}) {
      signal.throwIfAborted();
      if (running < limits.maxRunning) return take();
      const line = isReturning ? returning : queue;
      if (!isReturning && queue.size >= limits.maxWaiting) {
        throw new CcapiError(
          "queue_full",
          `${limits.maxRunning} requests are running and ${limits.maxWaiting} are waiting; try again later.`,
          { retryAfterMs: 5_000 },
        );
      }
      return new Promise((resolve, reject) => {
        const onAbort = () => {
          line.delete(onTurn);
          reject(signal.reason as Error); // An AbortSignal's reason is what its owner aborted with.
        };
        const onTurn = () => {
          signal.removeEventListener("abort", onAbort);
          resolve(take());
        };
        signal.addEventListener("abort", onAbort, { once: true });
        line.add(onTurn);
      });
    },
  };
}
