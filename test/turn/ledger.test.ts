import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeTranscript } from "../../src/claude/transcript.ts";
import { createLedger } from "../../src/turn/ledger.ts";
import { user } from "../helpers/turns.ts";

let base: string;
let dir: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "ccapi-ledger-"));
  dir = join(base, "ledger");
});
afterEach(() => rm(base, { recursive: true }));

const id = (last: number) => `0b0e7a52-9a55-4a0e-8a54-${String(last).padStart(12, "0")}`;
const place = (last: number) => ({ configDir: join(base, "claude"), workspace: "/w", sessionId: id(last) });
const transcripts = () => readdir(join(base, "claude", "projects", "-w"));
const nobodyRuns = async () => false;

async function begin(ledger: ReturnType<typeof createLedger>, ...numbers: readonly number[]): Promise<void> {
  for (const number of numbers) {
    await ledger.add(place(number));
    await writeTranscript(place(number), [user("marked-prompt")]);
  }
}

describe("the list of transcripts that must not stay", () => {
  it("deletes a transcript when its run is over, and leaves no entry (B3)", async () => {
    const ledger = createLedger(dir, "1", nobodyRuns);
    await begin(ledger, 1, 2);
    await ledger.delete(place(1));
    expect(await transcripts()).toEqual([`${id(2)}.jsonl`]);
    expect(await readdir(join(dir, "1"))).toEqual([`${id(2)}.json`]);
  });

  it("deletes at the next start what a killed server left, and nothing else (B3)", async () => {
    const killed = createLedger(dir, "1", nobodyRuns);
    await begin(killed, 1, 2, 3);
    await killed.keep(place(3));
    expect(await createLedger(dir, "2", nobodyRuns).sweep()).toBe(2);
    expect(await transcripts()).toEqual([`${id(3)}.jsonl`]);
    expect(await readdir(dir)).toEqual([]);
  });

  it("deletes what an earlier process of the same number left, as in a container (B3)", async () => {
    await begin(createLedger(dir, "7", nobodyRuns), 1);
    expect(await createLedger(dir, "7", async (owner) => owner === "7").sweep()).toBe(1);
    expect(await transcripts()).toEqual([]);
  });

  it("leaves the transcripts of another server that runs alone (C4)", async () => {
    await begin(createLedger(dir, "1", nobodyRuns), 1);
    await begin(createLedger(dir, "2", nobodyRuns), 2);
    expect(await createLedger(dir, "3", async (owner) => owner === "1").sweep()).toBe(1);
    expect(await transcripts()).toEqual([`${id(1)}.jsonl`]);
    expect(await readdir(dir)).toEqual(["1"]);
  });

  it("finds nothing to do where there is nothing, and a transcript that never came into being is no trouble (B3)", async () => {
    const ledger = createLedger(dir, "1", nobodyRuns);
    expect(await ledger.sweep()).toBe(0);
    await ledger.add(place(1));
    await expect(ledger.delete(place(1))).resolves.toBeUndefined();
  });

  it("follows no entry that it did not write: broken ones, and ids that lead elsewhere (C3)", async () => {
    await mkdir(join(dir, "5"), { recursive: true });
    await mkdir(join(dir, "not-a-process"));
    await mkdir(join(base, "claude"));
    for (const [name, text] of [
      ["a", "{"],
      ["b", JSON.stringify({ ...place(1), sessionId: ".." })],
      ["c", JSON.stringify({ workspace: "/w" })],
    ] as const) {
      await writeFile(join(dir, "5", name), text);
    }
    expect(await createLedger(dir, "1", nobodyRuns).sweep()).toBe(0);
    expect(await readdir(dir)).toEqual(["not-a-process"]);
    expect(await readdir(base)).toContain("claude");
  });

  it("holds where a transcript lies, never what it says (C2)", async () => {
    await begin(createLedger(dir, "1", nobodyRuns), 1);
    expect(JSON.parse(await readFile(join(dir, "1", `${id(1)}.json`), "utf8"))).toEqual(place(1));
  });
});
