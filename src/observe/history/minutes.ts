// What happened in each minute of the last day, in numbers alone. Bounded whatever comes: 1,440 minutes, and of each the same few numbers.

const minuteMs = 60_000;
const keptMinutes = 24 * 60;
/** First-token times of the minute under way; beyond it the oldest give way. */
const maxTimes = 1_000;

/** The numbers of a minute. */
const counted = ["answered", "refused", "failed", "authFailures", "refreshes", "tokens", "costUsd"] as const;
/** The greatest value that was seen in a minute. */
const peaks = ["running", "queued", "parked", "processes", "serverBytes", "claudeBytes"] as const;

/** A number that adds up. */
export type Counted = (typeof counted)[number];
/** Numbers as they are at one moment. */
export type Sample = Readonly<Record<(typeof peaks)[number], number>>;
type Column = Counted | keyof Sample | "firstTokenP50Ms" | "firstTokenP95Ms";
type Minute = { readonly atMs: number } & Partial<Record<Column, number>>;

/** The minutes as columns, oldest first; `null` where nothing is known. A minute in which the server did not run is not there. */
export type Columns = Readonly<Record<"atMs", readonly number[]> & Record<Column, readonly (number | null)[]>>;

/** The minutes of a day. */
export interface Minutes {
  add(what: Counted, amount: number): void;
  addFirstToken(durationMs: number): void;
  addSample(sample: Sample): void;
  columns(): Columns;
}

/** Begins with none. `now`: milliseconds since the epoch. */
export function createMinutes(now: () => number): Minutes {
  const minutes: Minute[] = [];
  let times: number[] = [];
  let timesSeen = 0;

  /** The minute under way. A clock that is set back goes on in the minute that it had reached. */
  function current(): Minute {
    const atMs = Math.floor(now() / minuteMs) * minuteMs;
    const last = minutes.at(-1);
    if (last !== undefined && last.atMs >= atMs && last.atMs - atMs < keptMinutes * minuteMs) return last;
    close();
    if (last !== undefined && last.atMs >= atMs) minutes.length = 0; // Set back by more than is kept: its order would be none.
    const begun: Minute = { atMs };
    minutes.push(begun);
    while ((minutes[0]?.atMs ?? atMs) <= atMs - keptMinutes * minuteMs) minutes.shift();
    return begun;
  }

  function close(): void {
    const last = minutes.at(-1);
    if (last !== undefined && times.length > 0) Object.assign(last, percentiles());
    times = [];
    timesSeen = 0;
  }

  function percentiles() {
    const sorted = times.toSorted((a, b) => a - b);
    const at = (share: number) =>
      Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
    return { firstTokenP50Ms: at(0.5), firstTokenP95Ms: at(0.95) };
  }

  return {
    add(what, amount) {
      const minute = current();
      minute[what] = (minute[what] ?? 0) + amount;
    },
    addFirstToken(durationMs) {
      current();
      times[timesSeen % maxTimes] = durationMs;
      timesSeen += 1;
    },
    addSample(sample) {
      const minute = current();
      for (const name of peaks) minute[name] = Math.max(minute[name] ?? 0, sample[name]);
    },
    columns() {
      const last = minutes.at(-1);
      if (last !== undefined && times.length > 0) Object.assign(last, percentiles());
      const column = (name: Column, missing: number | null) => minutes.map((minute) => minute[name] ?? missing);
      // `as`: built of the very lists that the type is made of.
      return {
        atMs: minutes.map(({ atMs }) => atMs),
        ...Object.fromEntries(counted.map((name) => [name, column(name, 0)])),
        ...Object.fromEntries(peaks.map((name) => [name, column(name, null)])),
        firstTokenP50Ms: column("firstTokenP50Ms", null),
        firstTokenP95Ms: column("firstTokenP95Ms", null),
      } as unknown as Columns;
    },
  };
}
