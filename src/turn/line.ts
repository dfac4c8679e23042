// Who waits, by client key: the keys take turns, within a key it is first come, first served. Knows nothing of what is waited for.

/** One who waits. */
export interface Waiter {
  /** It is its turn. */
  enter(): void;
  /** It waits in vain. */
  refuse(reason: unknown): void;
}

/** A line. */
export interface Line {
  /** All who wait. */
  readonly size: number;
  add(key: string, waiter: Waiter): void;
  remove(key: string, waiter: Waiter): void;
  /** Takes out who is next. */
  next(): Waiter | undefined;
  /** How many would start before another one of this key. */
  before(key: string): number;
  /** The newest of the key of which the most wait, where they are more than this one's would be with another. Stays in the line. */
  lastOfLongest(key: string): Waiter | undefined;
}

/** Makes an empty line. */
export function createLine(): Line {
  /** In the order of their turns. */
  const byKey = new Map<string, Set<Waiter>>();
  let size = 0;

  const countOf = (key: string) => byKey.get(key)?.size ?? 0;

  function remove(key: string, waiter: Waiter): void {
    const own = byKey.get(key);
    if (own?.delete(waiter) !== true) return;
    size -= 1;
    if (own.size === 0) byKey.delete(key);
  }

  return {
    get size() {
      return size;
    },
    add(key, waiter) {
      const own = byKey.get(key) ?? new Set();
      byKey.set(key, own.add(waiter));
      size += 1;
    },
    remove,
    next() {
      for (const [key, own] of byKey) {
        for (const waiter of own) {
          remove(key, waiter);
          // Its key's next turn comes after all others'.
          if (byKey.delete(key)) byKey.set(key, own);
          return waiter;
        }
      }
      return undefined;
    },
    before(key) {
      // By then each other key has had as many turns.
      const turns = countOf(key) + 1;
      return [...byKey].reduce(
        (sum, [each, { size: count }]) => sum + (each === key ? count : Math.min(count, turns)),
        0,
      );
    },
    lastOfLongest(key) {
      const [longest] = [...byKey.values()].toSorted((a, b) => b.size - a.size);
      return longest !== undefined && longest.size > countOf(key) + 1 ? [...longest].at(-1) : undefined;
    },
  };
}
