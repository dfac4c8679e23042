// Which kinds of new conversations are in use, and for which of them a process is started before its prompt is known.
// Decides when; starting and keeping are the pool's. No spare is started while a run is on its way to its first words.

/** What spares need of the pool. */
export interface SparePorts<S> {
  /** Spares at once, of all kinds. 0: none. */
  readonly maxSpares: number;
  /** How long a kind that nobody asks for is remembered, in milliseconds. */
  readonly idleMs: number;
  /** Whether nothing is under way that a start would slow down. */
  readonly mayStart: () => boolean;
  /** How many new conversations of a kind could begin at once without a start. */
  readonly ready: (kind: string) => number;
  /** Starts one. @returns whether it did; a kind for which it can't is not asked for again until it is missed once more. */
  readonly begin: (kind: string, start: S) => Promise<boolean>;
  /** Milliseconds of a clock that no step moves. */
  readonly now: () => number;
}

/** The kinds in use. */
export interface Spares<S> {
  /** A conversation of this kind began in a process that waited. */
  noteHit(kind: string): void;
  /** One began that had to start its own. @param start how another of the kind is started. */
  noteMiss(kind: string, start: S): void;
  /** A spare of this kind ended unused. */
  noteUnused(kind: string): void;
  /** Starts what is wanted, if now is the time. Call whenever that may have become so. */
  consider(): void;
  /** Forgets every kind: what they were started with has changed. */
  forget(): void;
}

interface Kind<S> {
  start: S;
  /** Spares that it is worth: grows with each miss, shrinks with each that waited in vain. */
  wanted: number;
  lastUsedMs: number;
}

/** Kinds remembered. */
const maxKinds = 64;

/** Makes the memory of kinds, empty. */
export function createSpares<S>(ports: SparePorts<S>): Spares<S> {
  /** The one used last is the last. */
  const kinds = new Map<string, Kind<S>>();
  let isBeginning = false;

  function use(name: string, kind: Kind<S>): void {
    kinds.delete(name);
    kinds.set(name, { ...kind, lastUsedMs: ports.now() });
    const [oldest] = kinds.keys();
    if (kinds.size > maxKinds && oldest !== undefined) kinds.delete(oldest);
  }

  /** Of the kinds that lack one, the one used last. */
  function lacking(): { readonly name: string; readonly kind: Kind<S> } | undefined {
    for (const [name, kind] of [...kinds].toReversed()) {
      if (ports.now() - kind.lastUsedMs > ports.idleMs) kinds.delete(name);
      else if (kind.wanted > ports.ready(name)) return { name, kind };
    }
    return undefined;
  }

  async function beginNext(): Promise<void> {
    const next = lacking();
    if (next === undefined) return;
    const { name, kind } = next;
    if (!(await ports.begin(name, kind.start).catch(() => false))) kind.wanted = 0;
  }

  const spares: Spares<S> = {
    noteHit(name) {
      const kind = kinds.get(name);
      if (kind !== undefined) use(name, kind);
    },
    noteMiss(name, start) {
      if (ports.maxSpares === 0) return;
      const kind = kinds.get(name);
      // What came once may never come again: a spare is for what came twice.
      const wanted = kind === undefined ? 0 : Math.min(kind.wanted + 1, ports.maxSpares);
      use(name, { start, wanted, lastUsedMs: 0 });
    },
    noteUnused(name) {
      const kind = kinds.get(name);
      if (kind !== undefined) kind.wanted = Math.max(0, kind.wanted - 1);
    },
    consider() {
      if (isBeginning || kinds.size === 0 || !ports.mayStart()) return;
      isBeginning = true;
      void beginNext().finally(() => {
        isBeginning = false;
      });
    },
    forget: () => kinds.clear(),
  };
  return spares;
}
