// The two scripts of the shared facts. A room is one hash: the facts of one credential at one version.
// They decide nothing about credentials: what is written was reckoned by the state machine from the version it names.
import { type Script, script } from "./redis-link.ts";

/**
 * Redis's `TIME` is the only clock. A room's time never goes back: where the clock does (a step, a failover to another machine),
 * the difference is kept beside the facts and added from then on.
 */
const readRoom = `
local kept = redis.call('HMGET', KEYS[1], 'epoch', 'version', 'facts', 'from', 'last', 'skew', 'seen')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local skew = tonumber(kept[6] or '0')
local floor = math.max(tonumber(kept[5] or '0'), tonumber(ARGV[1]))
if now + skew < floor then skew = floor - now end
now = now + skew
local function found(status, facts)
  return {status, now, kept[1] or '', kept[2] or '', facts or '', kept[4] or ''}
end
`;

/**
 * Looks. KEYS: room. ARGV: least time, known epoch, known version, how long a room is kept.
 * Facts that are known are not sent again.
 */
export const lookScript: Script = script(`${readRoom}
if not kept[1] then return found('missing') end
redis.call('HSET', KEYS[1], 'seen', now, 'last', now, 'skew', skew)
redis.call('PEXPIRE', KEYS[1], ARGV[4])
if kept[1] == ARGV[2] and kept[2] == ARGV[3] then return found('same') end
return found('moved', kept[3])
`);

/**
 * Writes, if the room is as expected. KEYS: room. ARGV: least time, expected epoch (empty: nobody there), expected version, time
 * that the facts were reckoned with, how far that may be off, since when unseen a room counts as left (0: never),
 * epoch, version, facts, where they were rebuilt from, how long a room is kept, who writes.
 */
export const writeScript: Script = script(`${readRoom}
local isLeft = tonumber(ARGV[6]) > 0 and now - tonumber(kept[7] or '0') > tonumber(ARGV[6])
if ARGV[2] == '' then
  if kept[1] and not isLeft then return found('moved', kept[3]) end
elseif not kept[1] then return found('missing')
elseif kept[1] ~= ARGV[2] or kept[2] ~= ARGV[3] then return found('moved', kept[3]) end
if math.abs(now - tonumber(ARGV[4])) > tonumber(ARGV[5]) then return found('late') end
redis.call('HSET', KEYS[1], 'epoch', ARGV[7], 'version', ARGV[8], 'facts', ARGV[9], 'from', ARGV[10],
  'last', now, 'skew', skew, 'seen', now)
redis.call('PEXPIRE', KEYS[1], ARGV[11])
redis.call('PUBLISH', KEYS[1], ARGV[12])
return {'done', now, ARGV[7], ARGV[8], '', ARGV[10]}
`);

/** Asks for the time alone. */
export const timeScript: Script = script(`
local time = redis.call('TIME')
return {'time', time[1] * 1000 + math.floor(time[2] / 1000), '', '', '', ''}
`);
