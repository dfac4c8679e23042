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

/**
 * Waits for the first block or the end. While the request waits for something of ours (`queued`, `starting`,
 * `refreshing`) it waits without bound; while the model works, `holdMs` in one go at most.
 *
 * @throws what the turn throws.
 */
export async function holdBack(iterator: AsyncIterator<TurnEvent, void>, holdMs: number): Promise<ReleasedTurn> {
  const events: TurnEvent[] = [];
  let releasedAtMs = Infinity;
  for (;;) {
    const pending = iterator.next();
    const result = await withDeadline(pending, releasedAtMs);
    if (result === undefined) return { events, pending };
    if (result.done === true) return { events, pending: undefined };
    events.push(result.value);
    if (result.value.type !== "phase") return { events, pending: undefined };
    if (result.value.phase !== "working") releasedAtMs = Infinity;
    else if (releasedAtMs === Infinity) releasedAtMs = performance.now() + holdMs;
  }
}

async function withDeadline<T>(wait: Promise<T>, atMs: number): Promise<T | undefined> {
  if (atMs === Infinity) return wait;
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
