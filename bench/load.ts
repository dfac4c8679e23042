// Asks many times, by several clients at once, and takes the time and the memory of all that answers.
import { watchMemory } from "./process-tree.ts";
import type { Streamed } from "./streamed.ts";

/** What a load took. */
export interface Loaded {
  /** For all requests together, milliseconds. */
  readonly wallMs: number;
  /** Of each request that was answered. */
  readonly firstMs: readonly number[];
  /** The most that the processes had at a time. */
  readonly memoryBytes: number;
  readonly failed: number;
}

/** Sends so many requests, each client one after another. A request that fails is counted, and said on stderr. */
export async function runLoad(
  clients: readonly (() => Promise<Streamed>)[],
  requests: number,
  pids: () => Promise<readonly number[]>,
): Promise<Loaded> {
  const memory = watchMemory(pids);
  const firstMs: number[] = [];
  let begun = 0;
  let failed = 0;
  const startedAt = performance.now();
  await Promise.all(
    clients.map(async (ask) => {
      while (begun < requests) {
        begun += 1;
        try {
          firstMs.push((await ask()).firstMs);
        } catch (error) {
          failed += 1;
          console.error(`A request failed: ${String(error)}`);
        }
      }
    }),
  );
  const wallMs = performance.now() - startedAt;
  return { wallMs, firstMs, failed, memoryBytes: await memory.stop() };
}
