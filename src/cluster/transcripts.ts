// Transcripts on their way between hosts: each line is kept once in Redis, under a keyed hash of its uuid, and encrypted.
// Reads and writes this host's files through claude/transcript.ts. Decides nothing about sessions.
import { isAbsolute, join, relative } from "node:path";
import { type RedisLink, script } from "../auth/store/redis-link.ts";
import { isInTranscript, readTranscript, replaceTranscript, type TranscriptPlace } from "../claude/transcript.ts";
import type { Seal } from "./seal.ts";

/** Longer ones stay with their instance. */
const maxBytes = 16 * 1_048_576;
/** No command carries much more, so that each is answered in time. */
const batchBytes = 256 * 1_024;
const batchLines = 64;
const tooLargeField = "too-large";

const fieldsScript = script(`return redis.call('HKEYS', KEYS[1])`);
const readScript = script(`return redis.call('HMGET', KEYS[1], unpack(ARGV))`);
/** KEYS: transcript. ARGV: time to live, then fields and values. */
const addScript = script(`
for each = 2, #ARGV, 2 do redis.call('HSETNX', KEYS[1], ARGV[each], ARGV[each + 1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
`);
/** KEYS: transcript. ARGV: time to live, field. */
const tooLargeScript = script(`
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], ARGV[2], '')
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
`);

/** What became of a transcript that was wanted. `too-large`: it is to be had on the host that wrote it alone. */
export type Brought = "here" | "too-large" | "missing";

/** Carries transcripts. Every call rejects where there is no way to Redis. */
export interface TranscriptCarrier {
  /** The key that a transcript has in Redis. */
  nameOf(sessionId: string): string;
  /** Adds the lines of this host's file that the others don't have yet. */
  push(place: TranscriptPlace): Promise<void>;
  /** Puts this host's file in order, up to a message. */
  bring(place: TranscriptPlace, uuid: string): Promise<Brought>;
}

/** Makes the carrier. */
export function createTranscriptCarrier(
  { link, seal }: { readonly link: RedisLink; readonly seal: Seal },
  timeToLiveMs: number,
): TranscriptCarrier {
  const nameOf = (sessionId: string) => seal.name("transcript", sessionId);

  async function fieldsOf(name: string): Promise<string[]> {
    const fields = await link.run(fieldsScript, [name], []);
    return Array.isArray(fields) ? fields.map(String) : [];
  }

  async function read(name: string, fields: readonly string[]): Promise<string[]> {
    const found: { index: number; line: string }[] = [];
    for (let at = 0; at < fields.length; at += batchLines) {
      const some = fields.slice(at, at + batchLines);
      const values = await link.run(readScript, [name], some);
      for (const [index, value] of (Array.isArray(values) ? values : []).entries()) {
        const text = typeof value === "string" ? seal.open(`${name}/${some[index]}`, value) : undefined;
        const end = text?.indexOf("\n") ?? -1;
        if (text !== undefined && end > 0) found.push({ index: Number(text.slice(0, end)), line: text.slice(end + 1) });
      }
    }
    return found.toSorted((a, b) => a.index - b.index).map(({ line }) => line);
  }

  return {
    nameOf,
    async push(place) {
      const name = nameOf(place.sessionId);
      const text = await readTranscript(place);
      if (text === undefined) return;
      if (Buffer.byteLength(text) > maxBytes) {
        await link.run(tooLargeScript, [name], [String(timeToLiveMs), tooLargeField]);
        return;
      }
      const known = new Set(await fieldsOf(name));
      let batch: string[] = [];
      let bytes = 0;
      const flush = async () => {
        await link.run(addScript, [name], [String(timeToLiveMs), ...batch]);
        batch = [];
        bytes = 0;
      };
      for (const [index, line] of text.split("\n").entries()) {
        const entry = parse(line);
        if (entry === undefined) continue; // The last one, which is still being written.
        const field = seal.name("line", typeof entry["uuid"] === "string" ? entry["uuid"] : line);
        if (known.has(field)) continue;
        const value = seal.close(`${name}/${field}`, `${index}\n${JSON.stringify(withoutPlace(entry, place))}`);
        batch.push(field, value);
        bytes += value.length;
        if (bytes > batchBytes) await flush();
      }
      await flush();
    },
    async bring(place, uuid) {
      if (await isInTranscript(place, uuid)) return "here";
      const name = nameOf(place.sessionId);
      const fields = await fieldsOf(name);
      if (fields.includes(tooLargeField)) return "too-large";
      const lines = (await read(name, fields)).map((line) => withPlace(line, place));
      if (!lines.some((line) => line.includes(`"uuid":"${uuid}"`))) return "missing";
      await replaceTranscript(place, lines);
      return "here";
    },
  };
}

type Entry = Readonly<Record<string, unknown>>;

function parse(line: string): Entry | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Entry) : undefined; // Its fields stay unknown.
  } catch {
    return undefined;
  }
}

/** Folders differ from host to host: the working folder is kept by its way from the workspace. */
function withoutPlace(entry: Entry, { workspace }: TranscriptPlace): Entry {
  const { cwd } = entry;
  if (typeof cwd !== "string") return entry;
  const way = relative(workspace, cwd);
  return { ...entry, cwd: way.startsWith("..") || isAbsolute(way) ? "." : way || "." };
}

function withPlace(line: string, { workspace }: TranscriptPlace): string {
  const entry = parse(line);
  const cwd = entry?.["cwd"];
  return typeof cwd === "string" ? JSON.stringify({ ...entry, cwd: join(workspace, cwd) }) : line;
}
