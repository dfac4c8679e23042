// Remembers on disk which transcripts are to be deleted when their run is over, so that a killed server's next start
// deletes what that one left. Holds places of transcripts, never their content.
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { deleteTranscript, type TranscriptPlace } from "../claude/transcript.ts";

const entrySchema = z.object({ configDir: z.string(), workspace: z.string(), sessionId: z.uuid() });

/** The list of transcripts that must not stay. */
export interface Ledger {
  /** Call before the transcript comes into being. */
  add(place: TranscriptPlace): Promise<void>;
  /** The transcript may stay after all: it has become a session's. */
  keep(place: TranscriptPlace): Promise<void>;
  /** Deletes the transcript, then the entry. */
  delete(place: TranscriptPlace): Promise<void>;
  /** Deletes all that an earlier server left. Call at start, before the first `add`. */
  sweep(): Promise<number>;
}

/**
 * Opens the ledger in a folder, which several servers of one host may share: each keeps its own part.
 *
 * @param owner this process, told from every other there was: a safe folder's name.
 * @param isRunning whether the process of that name lives; its part is left alone.
 */
export function createLedger(dir: string, owner: string, isRunning: (owner: string) => Promise<boolean>): Ledger {
  const ownDir = join(dir, owner);
  const path = ({ sessionId }: TranscriptPlace) => join(ownDir, `${sessionId}.json`);
  const keep = (place: TranscriptPlace) => rm(path(place), { force: true });
  const remove = async (place: TranscriptPlace) => {
    await deleteTranscript(place);
    await keep(place);
  };
  return {
    async add(place) {
      await mkdir(ownDir, { recursive: true, mode: 0o700 });
      await writeFile(path(place), JSON.stringify(place), { mode: 0o600 });
    },
    keep,
    delete: remove,
    async sweep() {
      let count = 0;
      for (const part of (await readdir(dir).catch(() => [])).filter((name) => /^\d+(?:-\w+)?$/.test(name))) {
        // A part of our own name can only be an earlier call's: call this before the first `add`.
        if (part !== owner && (await isRunning(part))) continue;
        for (const name of await readdir(join(dir, part)).catch(() => [])) {
          const entry = await readEntry(join(dir, part, name));
          if (entry === undefined) continue;
          await deleteTranscript(entry);
          count += 1;
        }
        await rm(join(dir, part), { recursive: true, force: true });
      }
      return count;
    },
  };
}

async function readEntry(path: string): Promise<TranscriptPlace | undefined> {
  try {
    return entrySchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return undefined; // Half-written when the server was killed: its transcript did not exist yet.
  }
}
