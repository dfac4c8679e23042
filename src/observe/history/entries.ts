// The newest entries of the story that the log tells, and who listens to them. Keeps so many and no more; waits for no listener.

const maxEntries = 2_000;

/** How grave an entry is: as in the log. */
export type Level = "debug" | "info" | "warn" | "error";

/** One entry. */
export interface Entry {
  /** Counts up from 1. */
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly level: Level;
  /** The event's type, `request` for an HTTP request. */
  readonly type: string;
  readonly text: string;
}

/** Who listens. What it throws is dropped. */
export interface EntryListener {
  onEntry(entry: Entry): void;
  /** Nothing follows. */
  onClose(): void;
}

/** The entries. */
export interface Entries {
  add(entry: Omit<Entry, "id">): void;
  /** Those after this one, oldest first. */
  since(id: number): readonly Entry[];
  /** @returns what ends the listening */
  subscribe(listener: EntryListener): () => void;
  close(): void;
}

/** Begins with none. */
export function createEntries(): Entries {
  const entries: Entry[] = [];
  const listeners = new Set<EntryListener>();
  let lastId = 0;
  let isClosed = false;

  function tellAll(tell: (listener: EntryListener) => void): void {
    for (const listener of listeners) {
      try {
        tell(listener);
      } catch {
        listeners.delete(listener); // One that fails once is of no further use.
      }
    }
  }

  return {
    add(parts) {
      const entry = { id: (lastId += 1), ...parts };
      entries.push(entry);
      if (entries.length > maxEntries) entries.shift();
      tellAll((listener) => listener.onEntry(entry));
    },
    since: (id) => entries.filter((entry) => entry.id > id),
    subscribe(listener) {
      if (isClosed) listener.onClose();
      else listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close() {
      isClosed = true;
      tellAll((listener) => listener.onClose());
      listeners.clear();
    },
  };
}
