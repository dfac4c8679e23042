// Waiting that an AbortSignal ends at once, without a trace of it in the signal or in what was waited for.

/** Resolves when the promise does or the signal is aborted, whichever is first. */
export function orAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      signal.removeEventListener("abort", end);
      resolve();
    };
    if (signal.aborted) return end();
    signal.addEventListener("abort", end);
    promise.then(end, (error: unknown) => {
      signal.removeEventListener("abort", end);
      reject(error);
    });
  });
}

/** The source's values until it ends or the signal is aborted. Nobody waits for a source that was left. */
export async function* interruptible<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  let isDone = false;
  try {
    while (!signal.aborted) {
      const next = iterator.next();
      next.catch(() => undefined); // It may fail after it was left.
      let step: IteratorResult<T, unknown> | undefined;
      // Not `Promise.race`: a signal that lives long would hold every value.
      await orAborted(
        next.then((value) => (step = value)),
        signal,
      );
      if (signal.aborted || step === undefined) return;
      if (step.done === true) {
        isDone = true;
        return;
      }
      yield step.value;
    }
  } finally {
    if (!isDone) void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}
