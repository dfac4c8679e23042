// A time limit that also ends with its parent: gives a signal, and a race that ends even if what it waits for does not.
import type { Clock } from "./ports.ts";

/** Thrown where the time is up or the parent ended. Never leaves this room. */
export class DeadlineError extends Error {
  readonly isTimeout: boolean;
  constructor(isTimeout: boolean) {
    super(isTimeout ? "time-out" : "aborted");
    this.name = "DeadlineError";
    this.isTimeout = isTimeout;
  }
}

/** A running time limit. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** The promise's own end, or a {@link DeadlineError}, whichever is first. */
  race<T>(promise: Promise<T>): Promise<T>;
  /** Ends it: the timer is gone, the signal stays as it is. */
  end(): void;
}

/** Starts a time limit. */
export function deadline(clock: Pick<Clock, "setTimer">, ms: number, parent: AbortSignal): Deadline {
  const controller = new AbortController();
  const abort = (isTimeout: boolean) => controller.abort(new DeadlineError(isTimeout));
  const onParent = () => abort(false);
  if (parent.aborted) abort(false);
  else parent.addEventListener("abort", onParent, { once: true });
  const cancel = clock.setTimer(() => abort(true), ms);
  const { signal } = controller;
  return {
    signal,
    race<T>(promise: Promise<T>) {
      promise.catch(() => undefined); // Its late end concerns nobody once the time is up.
      return new Promise<T>((resolve, reject) => {
        const onAbort = () => reject(signal.reason as DeadlineError); // Only `abort` above ends this signal.
        if (signal.aborted) return onAbort();
        signal.addEventListener("abort", onAbort, { once: true });
        promise
          .then(resolve, reject)
          .finally(() => signal.removeEventListener("abort", onAbort))
          .catch(() => undefined);
      });
    },
    end() {
      cancel();
      parent.removeEventListener("abort", onParent);
    },
  };
}
