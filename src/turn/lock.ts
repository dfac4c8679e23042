// One after the other, for each key: the turns of one session never run at once.
import { CcapiError } from "../auth/errors.ts";
import { untilAborted } from "../auth/until-aborted.ts";

/** Locks by key. */
export interface KeyedLock {
  /** Whether somebody holds the key's lock now. */
  isHeld(key: string): boolean;
  /**
   * Waits for its turn, in the order of the calls.
   *
   * @returns the lock's release; calling it again does nothing.
   * @throws CcapiError `queue_full` where too many wait already; the signal's reason where it is aborted while waiting;
   * the others keep their order.
   */
  acquire(key: string, signal: AbortSignal): Promise<() => void>;
}

/**
 * Makes a set of locks that holds no key longer than somebody wants it.
 *
 * @param maxWaiting how many may wait at once for one key.
 */
export function createKeyedLock(maxWaiting = 64): KeyedLock {
  const waiting = new Map<string, number>();
  const tails = new Map<string, Promise<void>>();
  return {
    isHeld: (key) => tails.has(key),
    async acquire(key, signal) {
      signal.throwIfAborted();
      const before = tails.get(key);
      const ahead = waiting.get(key) ?? 0;
      if (before !== undefined && ahead >= maxWaiting) {
        throw new CcapiError("queue_full", `${maxWaiting} requests are waiting for this session; try again later.`, {
          retryAfterMs: 5_000,
        });
      }
      let release: () => void = () => undefined;
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      const tail = (before ?? Promise.resolve()).then(() => held);
      tails.set(key, tail);
      void tail.then(() => {
        if (tails.get(key) === tail) tails.delete(key);
      });
      if (before === undefined) return release;
      waiting.set(key, ahead + 1);
      try {
        await untilAborted(before, signal);
      } catch (error) {
        release();
        throw error;
      } finally {
        const left = (waiting.get(key) ?? 1) - 1;
        if (left > 0) waiting.set(key, left);
        else waiting.delete(key);
      }
      return release;
    },
  };
}
