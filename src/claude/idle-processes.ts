// The processes that wait for a run, within their limits: how many, how much memory, how long. The one that has waited longest goes
// first, and one that dies or speaks out of turn at once.
import { speaks } from "./hearing.ts";
import { memoryOf } from "./process-memory.ts";
import type { ClaudeProcess } from "./sdk-process.ts";

/** What may wait. */
export interface IdleLimits {
  /** Processes. 0: none is ever kept. */
  readonly maxIdle: number;
  /** Memory of those, in bytes. */
  readonly maxIdleBytes: number;
  /** How long one waits, in milliseconds. */
  readonly idleMs: number;
}

/** A set of what waits, each with its process; the longest first. */
export interface IdleProcesses<T extends { readonly process: ClaudeProcess }> extends Iterable<T> {
  readonly size: number;
  /** Takes one in; the oldest is ended where that makes too many. */
  add(entry: T): void;
  has(entry: T): boolean;
  /** Takes one out: it is the caller's now. */
  remove(entry: T): void;
  /** Takes one out and ends it. */
  end(entry: T): void;
  /** Resolves when every process ended here is gone. */
  ended(): Promise<void>;
}

interface Wait {
  readonly timer: NodeJS.Timeout;
  bytes: number;
}

/** How long an idle process may take to end by itself. */
const ownEndMs = 2_000;

/** @param onEnd told of each that ended without having served anybody here. */
export function createIdleProcesses<T extends { readonly process: ClaudeProcess }>(
  limits: IdleLimits,
  onEnd: (entry: T) => void,
): IdleProcesses<T> {
  const waits = new Map<T, Wait>();
  const ending = new Set<Promise<void>>();

  function remove(entry: T): void {
    clearTimeout(waits.get(entry)?.timer);
    waits.delete(entry);
  }

  function end(entry: T): void {
    remove(entry);
    const ended = entry.process.end({ closeFirstMs: ownEndMs }).finally(() => ending.delete(ended));
    ending.add(ended);
    onEnd(entry);
  }

  /** Between two runs it has nothing to say: one that speaks out of turn, or dies, is of no further use. */
  async function watch(entry: T): Promise<void> {
    for (;;) {
      const step = await entry.process.peek().catch(() => undefined);
      if (!waits.has(entry)) return; // Taken: the message is its run's.
      if (step === undefined || step.done === true || speaks(step.value)) return end(entry);
      await entry.process.next();
    }
  }

  async function weigh(entry: T): Promise<void> {
    await entry.process.ready; // One that starts has less than it will have.
    const wait = waits.get(entry);
    if (wait === undefined) return;
    wait.bytes = await memoryOf(entry.process.pid);
    let sum = [...waits.values()].reduce((bytes, each) => bytes + each.bytes, 0);
    for (const [each, { bytes }] of waits) {
      if (sum <= limits.maxIdleBytes) break;
      sum -= bytes;
      end(each);
    }
  }

  return {
    [Symbol.iterator]: () => waits.keys(),
    get size() {
      return waits.size;
    },
    add(entry) {
      waits.set(entry, { timer: setTimeout(() => end(entry), limits.idleMs).unref(), bytes: 0 });
      void watch(entry);
      void weigh(entry);
      const [oldest] = waits.keys();
      if (waits.size > limits.maxIdle && oldest !== undefined) end(oldest);
    },
    has: (entry) => waits.has(entry),
    remove,
    end,
    async ended() {
      await Promise.all(ending);
    },
  };
}
