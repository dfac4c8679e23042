// One turn of a session at a time, whichever instance runs it: the instance's own lock first, then a lease in Redis.
// While there is no way to Redis the own lock alone holds: then instances can run turns of one session at once.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type RedisLink, script } from "../auth/store/redis-link.ts";
import type { KeyedLock } from "../turn/lock.ts";
import type { Seal } from "./seal.ts";

/** A holder that is gone is waited for no longer than this. */
const leaseMs = 15_000;
const heartbeatMs = 5_000;
const pollMs = 150;

/** KEYS: lock. ARGV: holder, lease. Takes the lease, or keeps it; 0 where it is another's. */
const holdScript = script(`
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`);

/** KEYS: lock. ARGV: holder. */
const freeScript = script(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
`);

/** Joins an instance's locks with those of the others. `isHeld` tells of this instance alone. */
export function shareLock(local: KeyedLock, { link, seal }: { link: RedisLink; seal: Seal }): KeyedLock {
  const hold = (name: string, holder: string) => link.run(holdScript, [name], [holder, String(leaseMs)]);

  /** Waits for the lease. Who comes first is for chance to say: instances keep no common line. */
  async function take(name: string, holder: string, signal: AbortSignal): Promise<void> {
    while (link.isUp) {
      try {
        if ((await hold(name, holder)) === 1) return;
      } catch {
        return; // No way any more: alone, as everything is then.
      }
      await sleep(pollMs * (0.75 + Math.random() / 2), undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }

  return {
    isHeld: (key) => local.isHeld(key),
    async acquire(key, signal) {
      const releaseLocal = await local.acquire(key, signal);
      const name = seal.name("lock", key);
      const holder = randomUUID();
      const free = () => void link.run(freeScript, [name], [holder]).catch(() => undefined); // It runs out by itself.
      try {
        await take(name, holder, signal);
      } catch (error) {
        free();
        releaseLocal();
        throw error;
      }
      // Also takes it where it was not to be had before, or was lost with Redis's data.
      const beating = setInterval(() => {
        if (link.isUp) hold(name, holder).catch(() => undefined); // The next beat follows.
      }, heartbeatMs).unref();
      return () => {
        clearInterval(beating);
        free();
        releaseLocal();
      };
    },
  };
}
