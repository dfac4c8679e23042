// Another machine's time, followed by this process's monotonic clock: no step of this machine's clock moves it.
import type { Clock } from "../ports.ts";

/** The time of all. */
export interface RemoteClock {
  /** Never goes back, but at the first contact. */
  nowMs(): number;
  /** Takes in an answer that said what time it was. Returns by how much a first contact has moved the time. */
  note(saidMs: number, sentAtMs: number): number;
}

/** Until the first contact it is this machine's own time. */
export function createRemoteClock(clock: Pick<Clock, "monotonicMs" | "wallMs">): RemoteClock {
  let offsetMs = clock.wallMs() - clock.monotonicMs();
  let hasContact = false;
  let lastMs = Number.NEGATIVE_INFINITY;

  function nowMs(): number {
    lastMs = Math.max(lastMs, Math.round(clock.monotonicMs() + offsetMs));
    return lastMs;
  }

  return {
    nowMs,
    note(saidMs, sentAtMs) {
      // It was said after the question was sent and before the answer came.
      const least = saidMs - clock.monotonicMs();
      const most = saidMs - sentAtMs;
      const before = offsetMs;
      offsetMs = Math.min(most, Math.max(least, offsetMs));
      if (hasContact) return 0;
      hasContact = true;
      lastMs = Number.NEGATIVE_INFINITY;
      return Math.round(offsetMs - before);
    },
  };
}
