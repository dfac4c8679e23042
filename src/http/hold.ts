// Holds a stream's headers back until its answer begins, so that a failure before it is an error with its own status
// and not a broken 200. Not for ever: proxies give up on a server that sends nothing while a model works.
import type { TurnEvent } from "../turn/turn.ts";

/** A turn whose headers may go out. */
export interface ReleasedTurn {
  /** What came while it was held. */
  readonly events: readonly TurnEvent[];
  /** The call to `next` that is still under way, where time was up first. */
  readonly pending: Promise<IteratorResult<TurnEvent, void>> | undefined;
}

/** How long headers are held back, in milliseconds. */
export interface HoldTimes {
  /** While the model works, in one go. */
  readonly workingMs: number;
  /** In all. Longer than a request waits for the credential, shorter than proxies wait for a server (nginx: 60 s). */
  readonly totalMs: number;
}

/**
 * Waits for the first block or the end; in all `totalMs` at most, while the model works `workingMs`. A request that waits longer for
 * something of ours (`queued`, `starting`, `refreshing`) goes on as a stream of heartbeats, and may fail in it.
 *
 * @throws what the turn throws.
 */
export async function holdBack(
  iterator: AsyncIterator<TurnEvent, void>,
  { workingMs, totalMs }: HoldTimes,
): Promise<ReleasedTurn> {
  const events: TurnEvent[] = [];
  const endsAtMs = performance.now() + totalMs;
  let releasedAtMs = endsAtMs;
  for (;;) {
    const pending = iterator.next();
    const result = await withDeadline(pending, releasedAtMs);
    if (result === undefined) return { events, pending };
    if (result.done === true) return { events, pending: undefined };
    events.push(result.value);
    if (result.value.type !== "phase") return { events, pending: undefined };
    if (result.value.phase !== "working") releasedAtMs = endsAtMs;
    else if (releasedAtMs === endsAtMs) releasedAtMs = Math.min(endsAtMs, performance.now() + workingMs);
  }
}

async function withDeadline<T>(wait: Promise<T>, atMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), Math.max(0, atMs - performance.now()));
  });
  try {
    return await Promise.race([wait, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
