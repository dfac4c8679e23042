// Sessions as their owners manage them: list, look, delete; and the sweep of those that nobody used for long.
// Runs no turn. A session whose turn is running is deleted at once and its transcript when the turn is over.
import { CcapiError } from "../auth/errors.ts";
import type { Pool } from "../claude/pool-contract.ts";
import { toPlace } from "./conversation.ts";
import type { Ledger } from "./ledger.ts";
import type { KeyedLock } from "./lock.ts";
import type { SessionRecord, SessionStore } from "./sessions.ts";
import type { Client } from "./turn.ts";

/** No turn lasts longer. */
const maxTurnMs = 24 * 60 * 60_000;

/** A sweep waits no longer for whoever uses a session elsewhere. */
const sweepWaitMs = 500;

/** The lock's key of one client's session. */
export function sessionKey(clientName: string, id: string): string {
  return JSON.stringify([clientName, id]);
}

/** A session as the operator sees it. `process`: at work on a turn, kept for the next one, or none. */
export interface SessionView {
  readonly record: SessionRecord;
  readonly process: "working" | "kept" | "none";
}

/** What can be done with sessions beside taking turns. */
export interface SessionCare {
  /** Newest use first. */
  list(client: Client): Promise<SessionRecord[]>;
  /** @throws CcapiError `session_not_found` */
  get(client: Client, id: string): Promise<SessionRecord>;
  /** @throws CcapiError `session_not_found` */
  delete(client: Client, id: string): Promise<void>;
  /** Every client's, newest use first, at most so many; for the operator. */
  overview(limit: number): Promise<SessionView[]>;
  /** Deletes what has expired, and what a client has beyond its limit. Resolves to how many went. */
  sweep(): Promise<number>;
}

/** Makes the care of a store. */
export function createSessionCare(ports: {
  readonly sessions: SessionStore;
  readonly lock: KeyedLock;
  readonly ledger: Pick<Ledger, "add" | "delete">;
  /** Its process may have been kept for the next turn. */
  readonly pool: Pick<Pool, "endSession" | "hasSession"> | undefined;
  /** Sessions kept for one client. */
  readonly maxPerClient: number;
}): SessionCare {
  const { sessions, lock, ledger, pool, maxPerClient } = ports;

  async function remove(record: SessionRecord): Promise<void> {
    const key = sessionKey(record.clientName, record.id);
    const place = toPlace(record);
    // Should this process end before the transcript is deleted, the next one's start deletes it.
    await ledger.add(place);
    await sessions.delete(record.clientName, record.id);
    await pool?.endSession(record.claudeSessionId);
    if (!lock.isHeld(key)) return ledger.delete(place);
    // A turn still runs, or is just being tidied up: it may yet write to the transcript.
    lock
      .acquire(key, AbortSignal.timeout(maxTurnMs))
      .then(async (release) => {
        await pool?.endSession(record.claudeSessionId);
        await ledger.delete(place).finally(release);
      })
      .catch(() => undefined); // The turn hangs, or the transcript can't be deleted now: the next start does it.
  }

  /** Removes a session unless somebody has used it since, or uses it now. */
  async function removeUnused(record: SessionRecord): Promise<boolean> {
    const { clientName, id } = record;
    const key = sessionKey(clientName, id);
    if (lock.isHeld(key)) return false;
    const release = await lock.acquire(key, AbortSignal.timeout(sweepWaitMs)).catch(() => undefined);
    if (release === undefined) return false; // Another instance uses it.
    try {
      const present = (await sessions.get(clientName, id)) ?? (await sessions.getExpired(clientName, id));
      if (present?.claudeSessionId !== record.claudeSessionId || present.lastUsedAtMs !== record.lastUsedAtMs)
        return false;
      await ledger.add(toPlace(record));
      await sessions.delete(clientName, id);
      await pool?.endSession(record.claudeSessionId);
      await ledger.delete(toPlace(record));
      return true;
    } finally {
      release();
    }
  }

  async function find(client: Client, id: string): Promise<SessionRecord> {
    const record = await sessions.get(client.name, id);
    if (record !== undefined) return record;
    throw new CcapiError("session_not_found", "There is no session of this id, or it has expired.");
  }

  function processOf({ clientName, id, claudeSessionId, resumeAt }: SessionRecord): SessionView["process"] {
    if (lock.isHeld(sessionKey(clientName, id))) return "working";
    return pool?.hasSession(claudeSessionId, resumeAt) === true ? "kept" : "none";
  }

  return {
    list: (client) => sessions.list(client.name),
    get: find,
    async delete(client, id) {
      await remove(await find(client, id));
    },
    async overview(limit) {
      const lists = await Promise.all((await sessions.clients()).map((clientName) => sessions.list(clientName)));
      const newest = lists.flat().toSorted((a, b) => b.lastUsedAtMs - a.lastUsedAtMs);
      return newest.slice(0, limit).map((record) => ({ record, process: processOf(record) }));
    },
    async sweep() {
      const expired = await sessions.expired();
      const surplus = (await sessions.clients()).map(async (clientName) =>
        (await sessions.list(clientName)).slice(maxPerClient),
      );
      const doomed = [...expired, ...(await Promise.all(surplus)).flat()];
      let count = 0;
      for (const record of doomed) count += (await removeUnused(record)) ? 1 : 0;
      return count;
    },
  };
}
