// Stored responses that every instance can go on from. Each instance keeps its own files as well, and lives on them without Redis.
// A deletion leaves a mark for as long as a response would be kept: no instance's file brings it back.
import { type RedisLink, script } from "../auth/store/redis-link.ts";
import type { ResponseStore, StoredResponse } from "../turn/responses.ts";
import type { Seal } from "./seal.ts";

/** How much is shared of one client's. */
export interface SharedResponseLimits {
  readonly timeToLiveMs: number;
  /** Those unused for longest go first. 10,000 by default. */
  readonly maxPerClient?: number;
  /** Larger ones stay with their instance. 4 MiB by default, encrypted. */
  readonly maxBytes?: number;
}

/** KEYS: response, the client's index. ARGV: value (empty: deleted), time to live, most. */
const putScript = script(`
local time = redis.call('TIME')
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('ZADD', KEYS[2], time[1] * 1000 + math.floor(time[2] / 1000), KEYS[1])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
local surplus = redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[3])
if surplus > 0 then
  for _, each in ipairs(redis.call('ZPOPMIN', KEYS[2], surplus)) do
    if string.sub(each, 1, 6) == 'ccapi:' then redis.call('DEL', each) end
  end
end
return 1
`);
const getScript = script(`return redis.call('GET', KEYS[1])`);
/** KEYS: responses. ARGV: time to live. */
const touchScript = script(`
for _, each in ipairs(KEYS) do redis.call('PEXPIRE', each, ARGV[1]) end
return 1
`);

/** Joins an instance's store with those of the others. */
export function shareResponses(
  local: ResponseStore,
  { link, seal }: { readonly link: RedisLink; readonly seal: Seal },
  { timeToLiveMs, maxPerClient = 10_000, maxBytes = 4 * 1_048_576 }: SharedResponseLimits,
): ResponseStore {
  const nameOf = (clientName: string, id: string) => seal.name("response", clientName, id);

  async function write(clientName: string, id: string, value: string): Promise<void> {
    const keys = [nameOf(clientName, id), seal.name("responses", clientName)];
    if (link.isUp) await link.run(putScript, keys, [value, String(timeToLiveMs), String(maxPerClient)]).catch(noWay);
  }

  return {
    async get(clientName, id) {
      const name = nameOf(clientName, id);
      const value = link.isUp ? await link.run(getScript, [name], []).catch(noWay) : undefined;
      if (value === "") {
        await local.delete(clientName, id);
        return undefined;
      }
      const text = typeof value === "string" ? seal.open(name, value) : undefined;
      // What has this seal was written by `put`.
      if (text !== undefined) return JSON.parse(text) as StoredResponse;
      return local.get(clientName, id);
    },
    async put(record) {
      await local.put(record);
      const { clientName, id } = record;
      const value = seal.close(nameOf(clientName, id), JSON.stringify(record));
      if (value.length <= maxBytes) await write(clientName, id, value);
    },
    async touch(clientName, ids) {
      await local.touch(clientName, ids);
      const names = ids.map((id) => nameOf(clientName, id));
      if (link.isUp && names.length > 0) await link.run(touchScript, names, [String(timeToLiveMs)]).catch(noWay);
    },
    async delete(clientName, id) {
      const isThere = (await this.get(clientName, id)) !== undefined;
      await local.delete(clientName, id);
      if (isThere) await write(clientName, id, "");
      return isThere;
    },
    sweep: () => local.sweep(),
  };
}

/** The instance goes on with what it has itself; the link tells of the way. */
function noWay(): undefined {
  return undefined;
}
