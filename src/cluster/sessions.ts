// Sessions that every instance can go on with: the record and the transcript go to Redis with each turn that ends well.
// Each instance keeps its own files as well, and lives on them while there is no way to Redis. Of two records the one with more
// turns holds. A deletion leaves a mark for as long as a session would be kept: no instance's file brings it back.
import { type RedisLink, script } from "../auth/store/redis-link.ts";
import { CcapiError } from "../auth/errors.ts";
import { isInTranscript, type TranscriptPlace, untilInTranscript } from "../claude/transcript.ts";
import { type SessionRecord, type SessionStore, toSessionRecord } from "../turn/sessions.ts";
import type { Seal } from "./seal.ts";
import type { TranscriptCarrier } from "./transcripts.ts";

type Place = Omit<TranscriptPlace, "sessionId">;

/** What sharing needs. */
export interface SharedSessionPorts {
  readonly link: RedisLink;
  readonly seal: Seal;
  readonly transcripts: TranscriptCarrier;
  readonly timeToLiveMs: number;
  /** Where transcripts of such a session lie on this host. */
  readonly placeOf: (clientName: string, profile: SessionRecord["profile"]) => Promise<Place>;
  /** Ends the process that was kept for another state of the conversation. */
  readonly endSession: (claudeSessionId: string) => Promise<void>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** KEYS: the client's sessions, marks of deletion. ARGV: session. Gives its value and which marks there are. */
const getScript = script(`
local gone = {}
for each = 2, #KEYS do gone[each - 1] = redis.call('EXISTS', KEYS[each]) end
local values = ARGV[1] == '' and redis.call('HVALS', KEYS[1]) or {redis.call('HGET', KEYS[1], ARGV[1]) or ''}
return {values, gone}
`);
/** KEYS: the client's sessions, mark of deletion, transcript. ARGV: session, turns, line, value, time to live. */
const putScript = script(`
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
local turns, line = string.match(redis.call('HGET', KEYS[1], ARGV[1]) or '', '^(%d+)|([^|]*)|')
if line == ARGV[3] and tonumber(turns) >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. '|' .. ARGV[3] .. '|' .. ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('PEXPIRE', KEYS[3], ARGV[5])
return 1
`);
/** KEYS: the client's sessions, mark of deletion, transcript. ARGV: session, line, time to live. */
const deleteScript = script(`
redis.call('SET', KEYS[2], '', 'PX', ARGV[3])
redis.call('DEL', KEYS[3])
local line = string.match(redis.call('HGET', KEYS[1], ARGV[1]) or '', '^%d+|([^|]*)|')
if line == ARGV[2] then redis.call('HDEL', KEYS[1], ARGV[1]) end
return 1
`);

/** Joins an instance's store with those of the others. */
export function shareSessions(local: SessionStore, ports: SharedSessionPorts): SessionStore {
  const { link, seal, transcripts, timeToLiveMs, placeOf, endSession, now } = ports;
  const clientKey = (clientName: string) => seal.name("sessions", clientName);
  const fieldOf = (clientName: string, id: string) => seal.name("session", clientName, id);
  const goneKey = ({ claudeSessionId }: SessionRecord) => seal.name("gone", claudeSessionId);
  const isExpired = (record: SessionRecord) => record.lastUsedAtMs + timeToLiveMs <= now();

  /** What the others know: records of a client, and which of this instance's were deleted. `undefined`: no way. */
  async function ask(clientName: string, id: string | undefined, own: readonly SessionRecord[]) {
    if (!link.isUp) return undefined;
    try {
      const field = id === undefined ? "" : fieldOf(clientName, id);
      const reply = await link.run(getScript, [clientKey(clientName), ...own.map(goneKey)], [field]);
      const [values, marks] = reply as [unknown[], unknown[]]; // As the script makes it.
      const records = values.map((value) => open(clientName, String(value))).filter((each) => each !== undefined);
      return { records, gone: new Set(own.filter((_, index) => Number(marks[index]) === 1)) };
    } catch {
      return undefined; // The way has just been lost.
    }
  }

  function open(clientName: string, value: string): SessionRecord | undefined {
    const text = seal.open(clientKey(clientName), value.split("|")[2] ?? "");
    return text === undefined ? undefined : toSessionRecord(text);
  }

  /** The newer of the two, with the folders of this host. */
  async function merge(own: SessionRecord | undefined, shared: SessionRecord | undefined) {
    if (own === undefined || shared === undefined) {
      if (own !== undefined || shared === undefined) return own;
      return { ...shared, ...(await placeOf(shared.clientName, shared.profile)) };
    }
    if (own.claudeSessionId !== shared.claudeSessionId) {
      return { ...shared, ...(await placeOf(shared.clientName, shared.profile)) };
    }
    return own.turns > shared.turns ? own : { ...shared, workspace: own.workspace, configDir: own.configDir };
  }

  async function find(clientName: string, id: string): Promise<{ record?: SessionRecord; isGone: boolean }> {
    const own = (await local.get(clientName, id)) ?? (await local.getExpired(clientName, id));
    const known = await ask(clientName, id, own === undefined ? [] : [own]);
    const isGone = own !== undefined && known?.gone.has(own) === true;
    const shared = known?.records[0];
    // A session that was deleted and begun anew elsewhere is another one.
    const record = await merge(isGone && shared !== undefined ? undefined : own, shared);
    return { ...(record !== undefined && { record }), isGone: isGone && shared === undefined };
  }

  return {
    async get(clientName, id) {
      const { record, isGone } = await find(clientName, id);
      return record === undefined || isGone || isExpired(record) ? undefined : record;
    },
    async getExpired(clientName, id) {
      const { record, isGone } = await find(clientName, id);
      return record !== undefined && (isGone || isExpired(record)) ? record : undefined;
    },
    async has(clientName, id) {
      const { record, isGone } = await find(clientName, id);
      return record !== undefined && !isGone;
    },
    async list(clientName) {
      const own = await local.list(clientName);
      const known = await ask(clientName, undefined, own);
      if (known === undefined) return own;
      const byId = new Map(own.filter((record) => !known.gone.has(record)).map((record) => [record.id, record]));
      for (const shared of known.records) {
        const record = await merge(byId.get(shared.id), shared);
        if (record !== undefined) byId.set(shared.id, record);
      }
      const present = [...byId.values()].filter((record) => !isExpired(record));
      return present.toSorted((a, b) => b.lastUsedAtMs - a.lastUsedAtMs);
    },
    async put(record) {
      await local.put(record);
      const place = { ...record, sessionId: record.claudeSessionId };
      if (!link.isUp) return;
      await untilInTranscript(place, record.resumeAt);
      // Where a disk is that slow the others go on from the turn before, as they do when this instance dies.
      if (!(await isInTranscript(place, record.resumeAt))) return;
      try {
        await transcripts.push(place);
        const { clientName, id, claudeSessionId } = record;
        const text = JSON.stringify({ ...record, workspace: "", configDir: "" });
        await link.run(
          putScript,
          [clientKey(clientName), goneKey(record), transcripts.nameOf(claudeSessionId)],
          [
            fieldOf(clientName, id),
            String(record.turns),
            seal.name("line", claudeSessionId),
            seal.close(clientKey(clientName), text),
            String(timeToLiveMs),
          ],
        );
      } catch {
        // The way has just been lost: the next turn's put makes up for it.
      }
    },
    async bring(record) {
      const place = { ...record, sessionId: record.claudeSessionId };
      if (!link.isUp) return;
      await endSession(record.claudeSessionId);
      const brought = await transcripts.bring(place, record.resumeAt).catch(() => "missing" as const); // No way.
      if (brought === "here") await local.put(record);
      if (brought !== "too-large") return;
      throw new CcapiError(
        "session_not_found",
        "This session is too long to be carried on by another instance of the server than the one that it began on. Use another session id.",
      );
    },
    async delete(clientName, id) {
      const { record } = await find(clientName, id);
      await local.delete(clientName, id);
      if (record === undefined || !link.isUp) return;
      const { claudeSessionId } = record;
      const keys = [clientKey(clientName), goneKey(record), transcripts.nameOf(claudeSessionId)];
      const args = [fieldOf(clientName, id), seal.name("line", claudeSessionId), String(timeToLiveMs)];
      await link.run(deleteScript, keys, args).catch(() => undefined); // No way: the others keep it until it expires.
    },
    async expired() {
      const doomed = await local.expired();
      for (const clientName of await local.clients()) {
        const own = await local.list(clientName);
        doomed.push(...((await ask(clientName, "", own))?.gone ?? []));
      }
      return doomed;
    },
    clients: () => local.clients(),
  };
}
