// Counts what became of the requests of a soak, and tells what was to be expected from what was not. Pure.

/** How one request ended. */
export type Ending = {
  /** Which kind of traffic it was. */
  readonly traffic: string;
  /** `ok`, or what it was instead: a status and a code, or a wrong answer in words. */
  readonly end: string;
};

/** How often requests of one kind ended in one way. */
export type Counted = Ending & { readonly count: number };

/** The count, as it grows. */
export interface Tally {
  add(ending: Ending): void;
  /** A trouble was made that may end so many requests with such an error. */
  allow(code: string, count: number): void;
  /** All, the most frequent kind first. */
  readonly counted: readonly Counted[];
  /** Errors that no trouble of ours explains, with how many are too many. `ok` is none. */
  readonly unexplained: readonly Counted[];
}

/** Makes one. */
export function createTally(): Tally {
  const counts = new Map<string, Counted>();
  const allowed = new Map<string, number>();
  const all = () => [...counts.values()].toSorted((a, b) => b.count - a.count);
  return {
    add({ traffic, end }) {
      const key = `${traffic}\n${end}`;
      counts.set(key, { traffic, end, count: (counts.get(key)?.count ?? 0) + 1 });
    },
    allow: (code, count) => void allowed.set(code, (allowed.get(code) ?? 0) + count),
    get counted() {
      return all();
    },
    get unexplained() {
      const left = new Map(allowed);
      return all().flatMap((one) => {
        if (one.end === "ok") return [];
        const code = [...left.keys()].find((name) => one.end.split(/\W+/).includes(name));
        const explained = Math.min(one.count, code === undefined ? 0 : (left.get(code) ?? 0));
        if (code !== undefined) left.set(code, (left.get(code) ?? 0) - explained);
        return explained === one.count ? [] : [{ ...one, count: one.count - explained }];
      });
    },
  };
}
