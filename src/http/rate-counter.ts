// The port by which requests of a key are counted, and the counter of a server of its own. What is too many is for others to say.
import { RateLimiterMemory } from "rate-limiter-flexible";

/** Requests in the present minute. */
export interface RateCount {
  /** With this one. */
  readonly count: number;
  /** Milliseconds until the minute is over. */
  readonly resetsInMs: number;
}

/** Counts requests. */
export interface RateCounter {
  /** Counts one more for a client key's name. */
  count(name: string): Promise<RateCount>;
}

/** Counts in memory. */
export function createRateCounter(): RateCounter {
  const limiter = new RateLimiterMemory({ points: Number.MAX_SAFE_INTEGER, duration: 60 });
  return {
    async count(name) {
      const { consumedPoints, msBeforeNext } = await limiter.consume(name);
      return { count: consumedPoints, resetsInMs: msBeforeNext };
    },
  };
}
