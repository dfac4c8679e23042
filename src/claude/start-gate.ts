// Bounds how many processes start at once, and gives who waits for that a process that comes back meanwhile instead.

/** A leave to start. */
export interface StartLeave<T> {
  /** Something was offered instead: nothing is to be started, unless it turns out to be of no use. */
  readonly offered: T | undefined;
  /** Call when what was started has begun to work. */
  readonly started: () => void;
}

/** The gate. */
export interface StartGate<T> {
  /** Nothing is starting, and nobody waits. */
  readonly isQuiet: boolean;
  /** Leave to start at once, whatever else is starting: only while the gate is quiet. */
  enterNow(): StartLeave<T>;
  /**
   * Waits for leave to start. Rejects with the signal's reason.
   *
   * @param key what it would take instead; `undefined`: nothing.
   * @param mayReturn something of that key may soon be free: worth a short wait.
   */
  enter(wish: {
    readonly key: string | undefined;
    readonly mayReturn: boolean;
    readonly signal: AbortSignal;
  }): Promise<StartLeave<T>>;
  /** Offers something that is free now. @returns whether somebody took it. */
  offer(key: string, thing: T): boolean;
}

interface Waiter<T> {
  readonly key: string | undefined;
  mayStart: boolean;
  readonly end: (leave: StartLeave<T>) => void;
}

/**
 * Makes a gate for so many starts at once.
 *
 * @param returnMs how long something that may come back is waited for before another is started.
 */
export function createStartGate<T>(maxStarting: number, returnMs: number): StartGate<T> {
  const waiters = new Set<Waiter<T>>();
  let starting = 0;

  function leaveToStart(): StartLeave<T> {
    starting += 1;
    let isOver = false;
    return {
      offered: undefined,
      started() {
        if (isOver) return;
        isOver = true;
        starting -= 1;
        letNext();
      },
    };
  }

  function letNext(): void {
    for (const waiter of waiters) {
      if (starting >= maxStarting) return;
      if (waiter.mayStart) waiter.end(leaveToStart());
    }
  }

  return {
    get isQuiet() {
      return starting === 0 && waiters.size === 0;
    },
    enterNow: leaveToStart,
    async enter({ key, mayReturn, signal }) {
      signal.throwIfAborted();
      if (!mayReturn && starting < maxStarting) return leaveToStart();
      return new Promise((resolve, reject) => {
        const done = () => {
          waiters.delete(waiter);
          clearTimeout(timer);
          signal.removeEventListener("abort", onAbort);
        };
        const onAbort = () => {
          done();
          reject(signal.reason as Error); // What its owner aborted with.
        };
        const waiter: Waiter<T> = {
          key,
          mayStart: !mayReturn,
          end(leave) {
            done();
            resolve(leave);
          },
        };
        const timer = setTimeout(() => {
          waiter.mayStart = true;
          letNext();
        }, returnMs);
        waiters.add(waiter);
        signal.addEventListener("abort", onAbort, { once: true });
      });
    },
    offer(key, thing) {
      for (const waiter of waiters) {
        if (waiter.key !== key) continue;
        waiter.end({ offered: thing, started: () => undefined });
        return true;
      }
      return false;
    },
  };
}
