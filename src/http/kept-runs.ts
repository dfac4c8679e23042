// Requests by their Idempotency-Key: those under way, and those answered a while ago. Each client has its own room, so that
// none can push another's out; a run under way is never forgotten.
import type { Recording } from "./recording.ts";

/** One request under its key. */
export interface KeptRun {
  readonly bodyHash: string;
  /** Its answer as soon as there is one; rejects with what the request failed with. */
  readonly recording: Promise<Recording>;
  /** What became of the answer. */
  state: "running" | "kept" | "too-large";
  /** In which order they ended, and until when they are kept; milliseconds since the epoch. */
  keptUntilMs: number;
  bytes: number;
}

/** How much is kept of each client's. */
export interface KeptLimits {
  readonly keepMs: number;
  readonly maxRuns: number;
  readonly maxBytes: number;
}

/** One client's runs. */
export interface KeptRuns {
  find(key: string): KeptRun | undefined;
  begin(key: string, bodyHash: string, recording: Promise<Recording>): KeptRun;
  /** It ended well: it is kept from now on. */
  keep(key: string, run: KeptRun, bytes: number): void;
  /** It failed: asking again may mend it. */
  forget(key: string, run: KeptRun): void;
}

/** Makes a client's room. */
export function createKeptRuns({ keepMs, maxRuns, maxBytes }: KeptLimits, now: () => number): KeptRuns {
  const runs = new Map<string, KeptRun>();

  function forget(key: string, run: KeptRun): void {
    if (runs.get(key) === run) runs.delete(key);
  }

  /** The oldest answers go first. */
  function makeRoom(): void {
    const ended = [...runs].filter(([, { state }]) => state !== "running");
    let count = ended.length;
    let bytes = ended.reduce((sum, [, run]) => sum + run.bytes, 0);
    for (const [key, run] of ended.toSorted(([, a], [, b]) => a.keptUntilMs - b.keptUntilMs)) {
      if (count <= maxRuns && bytes <= maxBytes && run.keptUntilMs > now()) break;
      runs.delete(key);
      count -= 1;
      bytes -= run.bytes;
    }
  }

  return {
    find(key) {
      const run = runs.get(key);
      if (run === undefined || run.state === "running" || run.keptUntilMs > now()) return run;
      runs.delete(key);
      return undefined;
    },
    begin(key, bodyHash, recording) {
      const run: KeptRun = { bodyHash, recording, state: "running", keptUntilMs: Infinity, bytes: 0 };
      runs.set(key, run);
      return run;
    },
    keep(key, run, bytes) {
      if (runs.get(key) !== run) return;
      const isTooLarge = bytes > maxBytes;
      // Another object, without the answer: that it was given is remembered.
      const recording = isTooLarge ? Promise.reject(new Error("too large to be kept")) : run.recording;
      recording.catch(() => undefined);
      runs.set(key, {
        ...run,
        recording,
        state: isTooLarge ? "too-large" : "kept",
        keptUntilMs: now() + keepMs,
        bytes: isTooLarge ? 0 : bytes,
      });
      makeRoom();
    },
    forget,
  };
}
