// How many runs there may be at once, and how many may wait for their turn. A slot is held until its run's process is gone.
// The line is fair between client keys: they take turns, whoever sends the most. Who could not start in time is told at once.
import { CcapiError } from "../auth/errors.ts";
import { createLine, type Waiter } from "./line.ts";

/** Who asks for a slot, and how. */
export interface SlotWish {
  /** The client key's name. Default: one that all who give none share. */
  readonly key?: string;
  /** It had a slot before: it goes first, and is never turned away. */
  readonly isReturning?: boolean;
  /** When its time runs out, by {@link AdmissionOptions.now}. */
  readonly endsAtMs?: number;
}

/** Hands out slots. */
export interface Admission {
  /** Whether the next {@link Admission.acquire} has to wait. */
  readonly isFull: boolean;
  /** Requests that wait now. */
  readonly waiting: number;
  /** Slots taken now. */
  readonly running: number;
  /**
   * Takes a slot; waits for one where none is free: within a key first come, first served, among keys in turn.
   *
   * @returns the slot's release; calling it again does nothing.
   * @throws CcapiError `queue_full` where too many wait already, where its time would run out before it could start, or where it
   * was the last of the key with the longest line when a full line had to make room for another key; the signal's reason where it is aborted.
   */
  acquire(signal: AbortSignal, wish?: SlotWish): Promise<() => void>;
}

/** What it bounds. */
export interface AdmissionOptions {
  readonly maxRunning: number;
  readonly maxWaiting: number;
  /** Milliseconds of a clock that no step moves. */
  readonly now?: () => number;
}

/** Bounds of what a client is told to wait, and what it is told before any run has shown how long one takes. */
const retryAfter = { leastMs: 1_000, mostMs: 60_000, unknownMs: 5_000 };
/** How much the newest run counts in how long one takes. */
const newestShare = 0.2;

/** Makes an admission. */
export function createAdmission({
  maxRunning,
  maxWaiting,
  now = () => performance.now(),
}: AdmissionOptions): Admission {
  let running = 0;
  /** How long a slot is held, as runs have shown. */
  let typicalMs: number | undefined;
  const line = createLine();
  /** Those who had a slot before: their number is bounded by that. */
  const returning = createLine();

  function take(): () => void {
    running += 1;
    const startedAtMs = now();
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      running -= 1;
      const heldMs = now() - startedAtMs;
      typicalMs = typicalMs === undefined ? heldMs : typicalMs + newestShare * (heldMs - typicalMs);
      (returning.next() ?? line.next())?.enter();
    };
  }

  /** How long it takes until so many of those that wait have started. */
  const waitMs = (count: number) => (typicalMs === undefined ? undefined : (typicalMs * count) / maxRunning);

  function full(afterMs: number | undefined, what: string): CcapiError {
    const { leastMs, mostMs, unknownMs } = retryAfter;
    return new CcapiError("queue_full", what, {
      retryAfterMs: Math.min(mostMs, Math.max(leastMs, Math.ceil(afterMs ?? unknownMs))),
    });
  }

  /** @throws CcapiError `queue_full` where there is no use in waiting. */
  function assertRoom(key: string, endsAtMs: number): void {
    const startsInMs = waitMs(returning.size + line.before(key) + 1);
    const leftMs = endsAtMs - now();
    if (startsInMs !== undefined && startsInMs > leftMs) {
      throw full(
        startsInMs - leftMs,
        "So many requests wait that this one's time would run out before it could start.",
      );
    }
    if (line.size < maxWaiting) return;
    const crowded = `${maxRunning} requests are running and ${maxWaiting} are waiting; try again later.`;
    const last = line.lastOfLongest(key);
    if (last === undefined) throw full(waitMs(1), crowded);
    last.refuse(full(waitMs(line.before(key) + 1), crowded));
  }

  return {
    get isFull() {
      return running >= maxRunning;
    },
    get waiting() {
      return returning.size + line.size;
    },
    get running() {
      return running;
    },
    async acquire(signal, { key = "", isReturning = false, endsAtMs = Infinity } = {}) {
      signal.throwIfAborted();
      if (running < maxRunning) return take();
      if (!isReturning) assertRoom(key, endsAtMs);
      const own = isReturning ? returning : line;
      return new Promise((resolve, reject) => {
        const leave = () => {
          own.remove(key, waiter);
          signal.removeEventListener("abort", onAbort);
        };
        const refuse = (reason: unknown) => {
          leave();
          reject(reason); // A CcapiError, or what the signal was aborted with.
        };
        const onAbort = () => refuse(signal.reason);
        const waiter: Waiter = {
          enter() {
            leave();
            resolve(take());
          },
          refuse,
        };
        signal.addEventListener("abort", onAbort, { once: true });
        own.add(key, waiter);
      });
    },
  };
}
