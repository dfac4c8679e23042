import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { transcriptDir, writeTranscript } from "../../src/claude/transcript.ts";
import { createLedger, type Ledger } from "../../src/turn/ledger.ts";
import { createKeyedLock, type KeyedLock } from "../../src/turn/lock.ts";
import { createSessionCare, type SessionCare, sessionKey } from "../../src/turn/session-care.ts";
import { createSessionStore, type SessionStore } from "../../src/turn/sessions.ts";
import { makeSession, user } from "../helpers/turns.ts";

let base: string;
let nowMs: number;
let sessions: SessionStore;
let lock: KeyedLock;
let ledger: Ledger;
let care: SessionCare;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "ccapi-care-"));
  nowMs = 1_000;
  sessions = createSessionStore({ dir: join(base, "sessions"), timeToLiveMs: 1_000, now: () => nowMs });
  lock = createKeyedLock();
  ledger = createLedger(join(base, "ledger"), "1", async () => false);
  care = createSessionCare({ pool: undefined, sessions, lock, ledger, maxPerClient: 2 });
});
afterEach(() => rm(base, { recursive: true }));

const client = (name = "client") => ({ name, isAdmin: false });
const claudeId = (last: number) => `0b0e7a52-9a55-4a0e-8a54-${String(last).padStart(12, "0")}`;

async function put(last: number, more: Parameters<typeof makeSession>[0] = {}): Promise<void> {
  const place = { configDir: join(base, "claude"), workspace: "/w", claudeSessionId: claudeId(last) };
  await sessions.put(makeSession({ id: `s${last}`, lastUsedAtMs: nowMs, ...place, ...more }));
  await writeTranscript({ ...place, sessionId: place.claudeSessionId }, [user("x")]);
}
const transcripts = async () => (await readdir(transcriptDir(join(base, "claude"), "/w"))).toSorted();
const file = (last: number) => `${claudeId(last)}.jsonl`;

describe("sessions in their owner's hands", () => {
  it("are listed and looked at by their owner alone, also not by an admin (B3)", async () => {
    await put(1);
    expect(await care.list(client())).toMatchObject([{ id: "s1" }]);
    expect(await care.get(client(), "s1")).toMatchObject({ id: "s1" });
    expect(await care.list({ name: "other", isAdmin: true })).toEqual([]);
    await expect(care.get({ name: "other", isAdmin: true }, "s1")).rejects.toMatchObject({ code: "session_not_found" });
    await expect(care.delete({ name: "other", isAdmin: true }, "s1")).rejects.toMatchObject({ status: 404 });
    expect(await transcripts()).toEqual([file(1)]);
  });

  it("are deleted with their transcript, once (B3)", async () => {
    await put(1);
    await put(2);
    await care.delete(client(), "s1");
    expect(await transcripts()).toEqual([file(2)]);
    await expect(care.delete(client(), "s1")).rejects.toMatchObject({ code: "session_not_found" });
  });

  it("are out of reach at once while a turn runs, and off the disk when it is over (B3)", async () => {
    await put(1);
    const release = await lock.acquire(sessionKey("client", "s1"), new AbortController().signal);
    await care.delete(client(), "s1");
    expect(await care.list(client())).toEqual([]);
    expect(await transcripts()).toEqual([file(1)]);
    release();
    await vi.waitFor(async () => expect(await transcripts()).toEqual([]));
    await vi.waitFor(() => expect(lock.isHeld(sessionKey("client", "s1"))).toBe(false));
  });

  it("are deleted by the next start where the server dies before the turn is over (B3)", async () => {
    await put(1);
    await lock.acquire(sessionKey("client", "s1"), new AbortController().signal);
    await care.delete(client(), "s1");
    expect(await createLedger(join(base, "ledger"), "2", async () => false).sweep()).toBe(1);
    expect(await transcripts()).toEqual([]);
  });

  it("that can't be deleted in the background bring nothing down (C4)", async () => {
    await put(1);
    const broken = { ...ledger, delete: vi.fn<() => Promise<void>>(() => Promise.reject(new Error("EACCES"))) };
    const release = await lock.acquire(sessionKey("client", "s1"), new AbortController().signal);
    await createSessionCare({ pool: undefined, sessions, lock, ledger: broken, maxPerClient: 2 }).delete(
      client(),
      "s1",
    );
    release();
    // An unhandled rejection would fail this test.
    await vi.waitFor(() => expect(broken.delete).toHaveBeenCalled());
    await vi.waitFor(() => expect(lock.isHeld(sessionKey("client", "s1"))).toBe(false));
  });
});

describe("the sweep", () => {
  it("deletes what has expired, of every client, with its transcripts, and tells how many (B3)", async () => {
    await put(1);
    await put(2, { clientName: "other" });
    nowMs = 1_900;
    await put(3);
    expect(await care.sweep()).toBe(0);
    nowMs = 2_000;
    expect(await care.sweep()).toBe(2);
    expect(await transcripts()).toEqual([file(3)]);
    expect(await care.sweep()).toBe(0);
  });

  it("leaves a session alone that was used while others were swept (B3)", async () => {
    await put(1);
    await put(2);
    nowMs = 2_001;
    const others = { ...ledger, add: vi.fn<Ledger["add"]>(ledger.add) };
    others.add.mockImplementationOnce(async (place) => {
      await put(2, { lastUsedAtMs: nowMs }); // A turn that came meanwhile.
      await ledger.add(place);
    });
    care = createSessionCare({ pool: undefined, sessions, lock, ledger: others, maxPerClient: 2 });
    expect(await care.sweep()).toBe(1);
    expect(await transcripts()).toEqual([file(2)]);
    expect(await care.list(client())).toMatchObject([{ id: "s2" }]);
  });

  it("deletes what a client has beyond its limit, the longest unused first, and nothing of another's (C4)", async () => {
    for (const last of [1, 2, 3]) await put(last, { lastUsedAtMs: 1_000 + last });
    await put(4, { clientName: "other", lastUsedAtMs: 1_000 });
    expect(await care.sweep()).toBe(1);
    expect(await transcripts()).toEqual([file(2), file(3), file(4)]);
  });
});

describe("sessions as the operator sees them", () => {
  it("are every client's, newest use first, with what their processes do, and not more than are asked for", async () => {
    const kept = new Set([claudeId(2)]);
    const pool = { endSession: async () => undefined, hasSession: (id: string) => kept.has(id) };
    care = createSessionCare({ pool, sessions, lock, ledger, maxPerClient: 2 });
    await put(1, { lastUsedAtMs: nowMs - 2 });
    await put(2, { lastUsedAtMs: nowMs - 1, clientName: "other" });
    await put(3);
    const release = await lock.acquire(sessionKey("client", "s3"), new AbortController().signal);
    const seen = async (limit: number) =>
      (await care.overview(limit)).map(({ record, process }) => [record.clientName, record.id, process]);
    expect(await seen(10)).toEqual([
      ["client", "s3", "working"],
      ["other", "s2", "kept"],
      ["client", "s1", "none"],
    ]);
    expect(await seen(1)).toHaveLength(1);
    release();
  });
});
