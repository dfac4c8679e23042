// The sessions that clients named: which of Claude's conversations each stands for, and up to which message.
// One small file for each below the state folder, so that a session outlives the server. Conversations themselves are Claude's.
import { createHash, randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import type { ToolResult } from "../claude/tool-server.ts";

/** Calls of the client's tools, as the last turn ended with them. A result is Claude Code's own. */
const handed = z.object({
  messageId: z.string(),
  calls: z
    .array(
      z.object({
        id: z.string(),
        name: z.string(),
        isClients: z.boolean(),
        result: z.custom<ToolResult>((value) => typeof value === "object" && value !== null).optional(),
      }),
    )
    .readonly(),
});

const sessionRecord = z.object({
  version: z.literal(1),
  id: z.string(),
  clientName: z.string(),
  profile: z.enum(["agent", "chat"]),
  /** As the client last asked for it. */
  model: z.string(),
  /** The client's last system message: it holds for turns that come without one. */
  system: z.string().optional(),
  /** Claude's own id of the conversation. */
  claudeSessionId: z.uuid(),
  /** The last message of the last turn that ended well: the next one goes on from there. */
  resumeAt: z.string(),
  /** What that turn waits for. */
  waiting: handed.optional(),
  workspace: z.string(),
  configDir: z.string(),
  turns: z.number().int(),
  /** Claude's running total for the conversation, US dollars. */
  costUsd: z.number(),
  createdAtMs: z.number(),
  lastUsedAtMs: z.number(),
});

/** One session, as it is kept. */
export type SessionRecord = Readonly<z.infer<typeof sessionRecord>>;

/** The store of sessions. One client's are out of every other's reach. */
export interface SessionStore {
  /** `undefined` where there is none, or it has expired. */
  get(clientName: string, id: string): Promise<SessionRecord | undefined>;
  /** A session that has expired and still is on disk: for who begins another one of its id, and has to clear it away. */
  getExpired(clientName: string, id: string): Promise<SessionRecord | undefined>;
  /** Whether there is one, expired or not. */
  has(clientName: string, id: string): Promise<boolean>;
  /** Newest use first. */
  list(clientName: string): Promise<SessionRecord[]>;
  put(record: SessionRecord): Promise<void>;
  /**
   * Brings the transcript of a session here where another host has it. Afterwards it is on disk up to the record's last message,
   * or it is gone.
   *
   * @throws CcapiError `session_not_found` where only another host can go on with it.
   */
  bring(record: SessionRecord): Promise<void>;
  delete(clientName: string, id: string): Promise<void>;
  /** All that have expired, of every client; they are out of reach already. */
  expired(): Promise<SessionRecord[]>;
  /** Names of the clients that have sessions. */
  clients(): Promise<string[]>;
}

/** What a store needs. */
export interface SessionStoreOptions {
  readonly dir: string;
  readonly timeToLiveMs: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Opens the store in a folder; makes the folder with the first session. */
export function createSessionStore({ dir, timeToLiveMs, now }: SessionStoreOptions): SessionStore {
  const clientDir = (clientName: string) => join(dir, fileName(clientName));
  const path = (clientName: string, id: string) => join(clientDir(clientName), `${fileName(id)}.json`);
  const isExpired = (record: SessionRecord) => record.lastUsedAtMs + timeToLiveMs <= now();

  async function readAll(folder: string): Promise<SessionRecord[]> {
    const names = await readdir(folder).catch(() => []); // No session yet.
    const records = await Promise.all(
      names.filter((name) => name.endsWith(".json")).map((name) => readRecord(join(folder, name))),
    );
    return records.filter((record) => record !== undefined);
  }

  async function readEverything(): Promise<SessionRecord[]> {
    const folders = await readdir(dir).catch(() => []); // No session yet.
    const records = await Promise.all(folders.map((folder) => readAll(join(dir, folder))));
    return records.flat();
  }

  async function read(clientName: string, id: string): Promise<SessionRecord | undefined> {
    const record = await readRecord(path(clientName, id));
    return record?.id === id && record.clientName === clientName ? record : undefined;
  }

  return {
    async get(clientName, id) {
      const record = await read(clientName, id);
      return record === undefined || isExpired(record) ? undefined : record;
    },
    async getExpired(clientName, id) {
      const record = await read(clientName, id);
      return record !== undefined && isExpired(record) ? record : undefined;
    },
    async has(clientName, id) {
      const record = await readRecord(path(clientName, id));
      return record !== undefined && record.id === id && record.clientName === clientName;
    },
    async list(clientName) {
      const records = await readAll(clientDir(clientName));
      return records.filter((record) => !isExpired(record)).toSorted((a, b) => b.lastUsedAtMs - a.lastUsedAtMs);
    },
    async put(record) {
      const target = path(record.clientName, record.id);
      await mkdir(clientDir(record.clientName), { recursive: true, mode: 0o700 });
      // Renamed into place: a reader, and a crash, meets the old record or the new one.
      const draft = `${target}.${randomUUID()}.draft`;
      await writeFile(draft, JSON.stringify(record), { mode: 0o600 });
      await rename(draft, target);
    },
    bring: () => Promise.resolve(), // No other host has any.
    async delete(clientName, id) {
      await rm(path(clientName, id), { force: true });
    },
    async expired() {
      return (await readEverything()).filter(isExpired);
    },
    async clients() {
      return [...new Set((await readEverything()).map(({ clientName }) => clientName))];
    },
  };
}

async function readRecord(path: string): Promise<SessionRecord | undefined> {
  const text = await readFile(path, "utf8").catch(() => undefined); // Not there.
  return text === undefined ? undefined : toSessionRecord(text);
}

/** Reads a record's JSON; `undefined` where it is none of ours. */
export function toSessionRecord(text: string): SessionRecord | undefined {
  try {
    return sessionRecord.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** A client chooses ids such as `..`: no id is ever a file's name. */
function fileName(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}
