// Responses that clients may go on from or look at again: one file for each below the state folder, so that they outlive the server.
// Knows nothing of what is in them. The port is async, for a store that several servers share.
import { createHash, randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";

const json = z.record(z.string(), z.unknown());

const storedResponse = z.object({
  version: z.literal(1),
  id: z.string(),
  clientName: z.string(),
  /** The response that this one goes on from. */
  previousId: z.string().optional(),
  /** The items of its request, and the response itself, as the API shows them. */
  input: z.array(json),
  response: json,
});

/** One response, as it is kept. */
export type StoredResponse = Readonly<z.infer<typeof storedResponse>>;

/** The store of responses. One client's are out of every other's reach. */
export interface ResponseStore {
  /** `undefined` where there is none, or it has expired. */
  get(clientName: string, id: string): Promise<StoredResponse | undefined>;
  put(record: StoredResponse): Promise<void>;
  /** They were used: their time begins anew. Those that are gone stay gone. */
  touch(clientName: string, ids: readonly string[]): Promise<void>;
  /** @returns whether there was one. */
  delete(clientName: string, id: string): Promise<boolean>;
  /** Deletes what has expired and what is beyond the limits, of every client. Resolves to how many went. */
  sweep(): Promise<number>;
}

/** How much is kept, and for how long. */
export interface ResponseStoreOptions {
  readonly dir: string;
  /** After the last use. */
  readonly timeToLiveMs: number;
  /** Of one client; those unused for longest go first. 10,000 by default. */
  readonly maxPerClient?: number;
  /** The same, 512 MiB by default. */
  readonly maxBytesPerClient?: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Opens the store in a folder; makes the folder with the first response. */
export function createResponseStore(options: ResponseStoreOptions): ResponseStore {
  const { dir, timeToLiveMs, maxPerClient = 10_000, maxBytesPerClient = 512 * 1_048_576, now } = options;
  const clientDir = (clientName: string) => join(dir, fileName(clientName));
  const path = (clientName: string, id: string) => join(clientDir(clientName), `${fileName(id)}.json`);
  /** Bytes written since a client's folder was looked through. */
  const written = new Map<string, { count: number; bytes: number }>();

  /** A file's time of change is that of its last use. */
  async function use(file: string): Promise<void> {
    const seconds = now() / 1_000;
    await utimes(file, seconds, seconds);
  }

  async function sweepFolder(folder: string): Promise<number> {
    const names = await readdir(folder).catch(() => []); // No response yet.
    const files = await Promise.all(names.map((name) => weigh(join(folder, name))));
    const newestFirst = files.filter((file) => file !== undefined).toSorted((a, b) => b.usedAtMs - a.usedAtMs);
    let bytes = 0;
    const doomed = newestFirst.filter((file, index) => {
      bytes += file.bytes;
      return index >= maxPerClient || bytes > maxBytesPerClient || file.usedAtMs + timeToLiveMs <= now();
    });
    await Promise.all(doomed.map((file) => rm(file.path, { force: true })));
    return doomed.length;
  }

  /** Looks a client's folder through now and then: its limits are never passed by more than a tenth. */
  async function bound(clientName: string, bytes: number): Promise<void> {
    const before = written.get(clientName) ?? { count: 0, bytes: 0 };
    const since = { count: before.count + 1, bytes: before.bytes + bytes };
    const isDue = since.count * 10 >= maxPerClient || since.bytes * 10 >= maxBytesPerClient;
    written.set(clientName, isDue ? { count: 0, bytes: 0 } : since);
    if (isDue) await sweepFolder(clientDir(clientName));
  }

  return {
    async get(clientName, id) {
      const file = path(clientName, id);
      const weighed = await weigh(file);
      if (weighed === undefined || weighed.usedAtMs + timeToLiveMs <= now()) return undefined;
      const record = await readRecord(file);
      return record?.id === id && record.clientName === clientName ? record : undefined;
    },
    async put(record) {
      const target = path(record.clientName, record.id);
      await mkdir(clientDir(record.clientName), { recursive: true, mode: 0o700 });
      const text = JSON.stringify(record);
      // Renamed into place: a reader, and a crash, meets the whole record or none.
      const draft = `${target}.${randomUUID()}.draft`;
      await writeFile(draft, text, { mode: 0o600 });
      await use(draft);
      await rename(draft, target);
      await bound(record.clientName, Buffer.byteLength(text));
    },
    async touch(clientName, ids) {
      await Promise.all(ids.map((id) => use(path(clientName, id)).catch(() => undefined))); // Gone meanwhile.
    },
    async delete(clientName, id) {
      const isThere = (await this.get(clientName, id)) !== undefined;
      await rm(path(clientName, id), { force: true });
      return isThere;
    },
    async sweep() {
      const folders = await readdir(dir).catch(() => []); // No response yet.
      let count = 0;
      for (const folder of folders) count += await sweepFolder(join(dir, folder));
      return count;
    },
  };
}

async function weigh(path: string): Promise<{ path: string; bytes: number; usedAtMs: number } | undefined> {
  try {
    const { size, mtimeMs } = await stat(path);
    return { path, bytes: size, usedAtMs: Math.round(mtimeMs) };
  } catch {
    return undefined; // Gone, or never there.
  }
}

async function readRecord(path: string): Promise<StoredResponse | undefined> {
  try {
    return storedResponse.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return undefined; // Not there, or not ours.
  }
}

/** A client chooses ids such as `..`: no id is ever a file's name. */
function fileName(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}
