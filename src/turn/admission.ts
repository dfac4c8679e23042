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
   * @returns the slot's release; calling it again does nothing.
   * @throws CcapiError `queue_full` where too many wait already; the signal's reason where it is aborted.
   */
  acquire(signal: AbortSignal): Promise<() => void>;
}

/** Makes an admission for `maxRunning` slots and at most `maxWaiting` requests that wait. */
export function createAdmission(limits: { readonly maxRunning: number; readonly maxWaiting: number }): Admission {
  let running = 0;
  const queue = new Set<() => void>();

  function take(): () => void {
    running += 1;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      running -= 1;
      for (const next of queue) {
        queue.delete(next);
        next();
        return;
      }
    };
  }

  return {
    get isFull() {
      return running >= limits.maxRunning;
    },
    get waiting() {
      return queue.size;
    },
    get running() {
      return running;
    },
    async acquire(signal) {
      signal.throwIfAborted();
      if (running < limits.maxRunning) return take();
      if (queue.size >= limits.maxWaiting) {
        throw new CcapiError(
          "queue_full",
          `${limits.maxRunning} requests are running and ${limits.maxWaiting} are waiting; try again later.`,
          { retryAfterMs: 5_000 },
        );
      }
      return new Promise((resolve, reject) => {
        const onAbort = () => {
          queue.delete(onTurn);
          reject(signal.reason as Error); // An AbortSignal's reason is what its owner aborted with.
        };
        const onTurn = () => {
          signal.removeEventListener("abort", onAbort);
          resolve(take());
        };
        signal.addEventListener("abort", onAbort, { once: true });
        queue.add(onTurn);
      });
    },
  };
}
