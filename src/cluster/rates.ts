// The rate of each client key, counted for all instances at once: windows of a minute on Redis's clock.
// While there is no way to Redis each instance counts for itself.
import type { RedisLink } from "../auth/store/redis-link.ts";
import { script } from "../auth/store/redis-link.ts";
import type { RateCounter } from "../http/rate-counter.ts";
import type { Seal } from "./seal.ts";

const windowMs = 60_000;

/** KEYS: counter. ARGV: window. Gives the count and how long it still counts. */
const countScript = script(`
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {count, redis.call('PTTL', KEYS[1])}
`);

/** Counts in Redis, and with the instance's own counter where that can't be had. */
export function shareRates(local: RateCounter, { link, seal }: { link: RedisLink; seal: Seal }): RateCounter {
  return {
    async count(name) {
      // Counted here, too: who loses the way must not begin from zero.
      const own = await local.count(name);
      if (!link.isUp) return own;
      try {
        const reply = await link.run(countScript, [seal.name("rate", name)], [String(windowMs)]);
        if (!Array.isArray(reply)) return own;
        return { count: Number(reply[0]), resetsInMs: Math.max(0, Number(reply[1])) };
      } catch {
        return own; // The way has just been lost; the link tells of it.
      }
    },
  };
}
