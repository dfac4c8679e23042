// A clock that goes only when told: every timer runs in order, and everything that a timer sets off is done before the next.
import type { Clock } from "../../src/auth/ports.ts";

/** The clock with its handles. */
export interface FakeClock extends Clock {
  /** Goes on by so many milliseconds, through all timers on the way. */
  advance(ms: number): Promise<void>;
  /** Sets the wall clock by so much, either way; durations don't notice. */
  stepWall(ms: number): void;
  /** Timers that are set. */
  readonly pending: number;
}

/** All that is set off in this turn of the event loop is done. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** Makes one. */
export function fakeClock({ wallMs = Date.UTC(2025, 7, 24, 3, 53, 28) } = {}): FakeClock {
  let nowMs = 1_000;
  let offsetMs = wallMs - nowMs;
  let count = 0;
  const timers = new Map<number, { readonly atMs: number; readonly callback: () => void }>();

  return {
    monotonicMs: () => nowMs,
    wallMs: () => nowMs + offsetMs,
    setTimer(callback, delayMs) {
      const id = (count += 1);
      timers.set(id, { atMs: nowMs + Math.max(0, delayMs), callback });
      return () => timers.delete(id);
    },
    async advance(ms) {
      const untilMs = nowMs + ms;
      await settle();
      for (;;) {
        let next: [number, { readonly atMs: number; readonly callback: () => void }] | undefined;
        for (const entry of timers)
          if (entry[1].atMs <= untilMs && (next === undefined || entry[1].atMs < next[1].atMs)) next = entry;
        if (next === undefined) break;
        timers.delete(next[0]);
        nowMs = Math.max(nowMs, next[1].atMs);
        next[1].callback();
        await settle();
      }
      nowMs = untilMs;
      await settle();
    },
    stepWall(ms) {
      offsetMs += ms;
    },
    get pending() {
      return timers.size;
    },
  };
}
