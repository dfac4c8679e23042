// Requests with an Idempotency-Key, known to every instance: who runs one has a lease, and leaves its answer for ten minutes.
// A run whose holder is gone is begun again only where nothing comes of it but its answer; else whoever asks is told.
import { randomUUID } from "node:crypto";
import { type RedisLink, script } from "../auth/store/redis-link.ts";
import type { Claim, KeyedRequest, OwnRun, SharedAnswer, SharedRuns } from "../http/run-claims.ts";
import type { Seal } from "./seal.ts";

const leaseMs = 15_000;
const heartbeatMs = 5_000;
const keepMs = 600_000;
/** Encrypted. Larger answers stay with their instance. */
const maxBytes = 4 * 1_048_576;

const readTime = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;
/** KEYS: run. ARGV: holder, body, lease, time to keep, whether a lost one is taken over. */
const claimScript = script(`${readTime}
local known = redis.call('HMGET', KEYS[1], 'holder', 'body', 'until', 'value')
local isLost = known[3] and now > tonumber(known[3])
if known[2] and known[2] ~= ARGV[2] then return {'reused', ''} end
if known[4] then return {'kept', known[4]} end
if known[2] and not isLost and known[1] ~= ARGV[1] then return {'running', ''} end
if isLost and ARGV[5] ~= '1' then return {'lost', ''} end
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'body', ARGV[2], 'until', now + ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {'mine', ''}
`);
/** KEYS: run. ARGV: holder, body, lease, time to keep. Also writes what was lost, or could not be written before. */
const beatScript = script(`${readTime}
local holder = redis.call('HGET', KEYS[1], 'holder')
if holder and holder ~= ARGV[1] then return 0 end
if redis.call('HEXISTS', KEYS[1], 'value') == 1 then return 0 end
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'body', ARGV[2], 'until', now + ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
`);
/** KEYS: run. ARGV: holder, body, value (empty: too large), time to keep. */
const keepScript = script(`
local holder = redis.call('HGET', KEYS[1], 'holder')
if holder and holder ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], 'until')
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'body', ARGV[2], 'value', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
`);
/** KEYS: run. ARGV: holder. */
const forgetScript = script(`
if redis.call('HGET', KEYS[1], 'holder') == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
`);

/** Opens what the instances know together. */
export function createSharedRuns({ link, seal }: { readonly link: RedisLink; readonly seal: Seal }): SharedRuns {
  /** Where there is no way everything is this instance's; the next beat makes it known. */
  async function ask(name: string, holder: string, body: string, isRepeatable: boolean): Promise<[string, string]> {
    if (!link.isUp) return ["mine", ""];
    const args = [holder, body, String(leaseMs), String(keepMs), isRepeatable ? "1" : "0"];
    const reply = await link.run(claimScript, [name], args).catch(() => undefined);
    return Array.isArray(reply) ? [String(reply[0]), String(reply[1])] : ["mine", ""];
  }

  function begin(name: string, holder: string, body: string): OwnRun {
    const tell = (each: typeof keepScript, ...args: string[]) => {
      if (link.isUp) void link.run(each, [name], [holder, ...args]).catch(() => undefined); // A beat, or time, mends it.
    };
    const beating = setInterval(() => tell(beatScript, body, String(leaseMs), String(keepMs)), heartbeatMs).unref();
    return {
      keep(answer) {
        clearInterval(beating);
        const value = answer === undefined ? "" : seal.close(name, JSON.stringify(answer));
        tell(keepScript, body, value.length > maxBytes ? "" : value, String(keepMs));
      },
      forget() {
        clearInterval(beating);
        tell(forgetScript);
      },
    };
  }

  return {
    askAgainMs: 250,
    async claim({ clientName, key, bodyHash, isRepeatable }: KeyedRequest): Promise<Claim> {
      const name = seal.name("run", clientName, key);
      const body = seal.name("body", bodyHash);
      const holder = randomUUID();
      const [is, value] = await ask(name, holder, body, isRepeatable);
      if (is === "running" || is === "lost" || is === "reused") return { is };
      if (is !== "kept") return { is: "mine", run: begin(name, holder, body) };
      const text = value === "" ? undefined : seal.open(name, value);
      // What has this seal was written by `keep`.
      return { is, answer: text === undefined ? undefined : (JSON.parse(text) as SharedAnswer) };
    },
  };
}
