// Messages on their way to the caller, who takes them when it likes: the run does not wait for it.

/** The way out. */
export interface Outlet<T> {
  put(value: T): void;
  /** Nothing more comes, but for what was put already. */
  finish(): void;
  /** As `finish`; then the next one who asks is thrown this. */
  fail(error: unknown): void;
  next(): Promise<IteratorResult<T, void>>;
}

/** Makes one. */
export function createOutlet<T>(): Outlet<T> {
  const values: T[] = [];
  const waiting: PromiseWithResolvers<IteratorResult<T, void>>[] = [];
  let end: { readonly error?: unknown } | undefined;

  function settle(): void {
    for (const { resolve } of waiting.splice(0)) resolve({ done: true, value: undefined });
  }

  return {
    put(value) {
      if (end !== undefined) return;
      const first = waiting.shift();
      if (first === undefined) values.push(value);
      else first.resolve({ done: false, value });
    },
    finish() {
      end ??= {};
      settle();
    },
    fail(error) {
      if (end !== undefined) return;
      const first = waiting.shift();
      end = first === undefined ? { error } : {};
      first?.reject(error);
      settle();
    },
    async next() {
      const value = values.shift();
      if (value !== undefined) return { done: false, value };
      if (end === undefined) {
        const later = Promise.withResolvers<IteratorResult<T, void>>();
        waiting.push(later);
        return later.promise;
      }
      if (!("error" in end)) return { done: true, value: undefined };
      const { error } = end;
      end = {};
      throw error;
    },
  };
}
