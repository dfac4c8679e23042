import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { transcriptDir, writeTranscript } from "../../src/claude/transcript.ts";
import { type OpenConversation, openConversation } from "../../src/turn/conversation.ts";
import { createHandOvers } from "../../src/turn/hand-overs.ts";
import { createLedger, type Ledger } from "../../src/turn/ledger.ts";
import { createSessionStore, type SessionStore } from "../../src/turn/sessions.ts";
import type { Turn } from "../../src/turn/turn.ts";
import { assistantSaid, makeTurn, user } from "../helpers/turns.ts";

let base: string;
let nowMs: number;
let sessions: SessionStore;
let ledger: Ledger;
let place: { readonly configDir: string; readonly workspace: string };
const timeToLiveMs = 1_000;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "ccapi-conversation-"));
  nowMs = 5_000;
  sessions = createSessionStore({ dir: join(base, "sessions"), timeToLiveMs, now: () => nowMs });
  ledger = createLedger(join(base, "ledger"), "1", async () => false);
  place = { configDir: join(base, "claude"), workspace: "/srv/work" };
});
afterEach(() => rm(base, { recursive: true }));

const ended = (outcome: { checkpoint: string; costUsd: number }) => ({
  ...outcome,
  answer: assistantSaid("Answer"),
  waiting: undefined,
});
const client = { name: "client", isAdmin: false };
const open = (turn: Partial<Turn> = {}, who = client) =>
  openConversation(makeTurn(turn), who, place, {
    sessions,
    ledger,
    pool: undefined,
    handOvers: createHandOvers({ ledger, pool: undefined }),
    idOfSpare: async () => undefined,
    now: () => nowMs,
  });
const transcripts = () => readdir(transcriptDir(place.configDir, place.workspace)).catch(() => []);
const listed = () => readdir(join(base, "ledger", "1")).catch(() => []);

/** What Claude does in a turn: it writes on in the transcript. */
async function answer({ conversation }: OpenConversation, text = "Answer"): Promise<string> {
  if (conversation.kind === "none") throw new Error("There is no transcript.");
  return writeTranscript({ ...place, sessionId: conversation.sessionId }, [user("?"), assistantSaid(text)]);
}

/** One turn of a session that ends well. */
async function takeTurn(turn: Partial<Turn> = {}, costUsd = 1): Promise<OpenConversation> {
  const opened = await open({ sessionId: "s1", ...turn });
  await opened.commit(ended({ checkpoint: await answer(opened), costUsd }));
  await opened.close();
  return opened;
}

describe("a stateless chat", () => {
  it("of one message is kept nowhere (B3)", async () => {
    const opened = await open({ messages: [user("Hello")], system: "Be brief." });
    expect(opened).toMatchObject({
      conversation: { kind: "none" },
      prompt: user("Hello").content,
      system: "Be brief.",
      costBeforeUsd: 0,
    });
    await opened.commit(ended({ checkpoint: "x", costUsd: 1 }));
    await opened.close();
    expect(await readdir(base)).toEqual([]);
  });

  it("with a past resumes after it, and leaves nothing when it is over (B3)", async () => {
    const opened = await open({ messages: [user("One"), assistantSaid("Two"), user("Three")] });
    expect(opened.prompt).toEqual(user("Three").content);
    expect(opened.conversation.kind).toBe("resume");
    expect(await transcripts()).toHaveLength(1);
    expect(await listed()).toHaveLength(1);
    await opened.close();
    expect([await transcripts(), await listed()]).toEqual([[], []]);
  });

  it("is on the list of what must not stay before it is on disk (B3)", async () => {
    const seen: string[][] = [];
    const add = ledger.add.bind(ledger);
    ledger = {
      ...ledger,
      async add(one) {
        seen.push(await transcripts());
        await add(one);
      },
    };
    await open({ messages: [user("One"), assistantSaid("Two"), user("Three")] });
    expect(seen).toEqual([[]]);
    expect(await transcripts()).toHaveLength(1);
  });

  it("leaves nothing on the list where its past can't be written (B3)", async () => {
    const unwritable = { type: "tool_use", id: "t1", name: "x", input: 1n } as const;
    const messages = [user("One"), { role: "assistant", content: [unwritable] } as const, user("Three")];
    await expect(open({ messages })).rejects.toThrow("BigInt");
    expect(await listed()).toEqual([]);
  });
});

describe("a stateless agent", () => {
  it("has a transcript while it runs, for its tools, and none when it is over (B3)", async () => {
    const opened = await open({ profile: "agent" });
    expect(opened.conversation).toMatchObject({ kind: "new" });
    await answer(opened);
    expect(await transcripts()).toHaveLength(1);
    await opened.close();
    expect([await transcripts(), await listed()]).toEqual([[], []]);
  });
});

describe("a new session", () => {
  it("is kept with its first turn, and no longer on the list of what must not stay (B3)", async () => {
    const opened = await open({ sessionId: "s1", system: "Be brief.", requestedModel: "gpt-4o" });
    expect(opened.conversation.kind).toBe("new");
    const checkpoint = await answer(opened);
    await opened.commit(ended({ checkpoint, costUsd: 0.5 }));
    expect(await sessions.get("client", "s1")).toMatchObject({
      model: "gpt-4o",
      system: "Be brief.",
      resumeAt: checkpoint,
      turns: 1,
      costUsd: 0.5,
      createdAtMs: nowMs,
    });
    await opened.close();
    expect(await listed()).toEqual([]);
    expect(await transcripts()).toHaveLength(1);
  });

  it("begins with the past that the client sends (B3)", async () => {
    const opened = await open({ sessionId: "s1", messages: [user("One"), assistantSaid("Two"), user("Three")] });
    expect(opened).toMatchObject({ conversation: { kind: "resume" }, prompt: user("Three").content });
  });

  it("leaves nothing when its first turn fails or is cancelled: the next one begins anew (B3)", async () => {
    const opened = await open({ sessionId: "s1" });
    await answer(opened);
    await opened.close();
    expect([await transcripts(), await listed(), await sessions.list("client")]).toEqual([[], [], []]);
    expect((await open({ sessionId: "s1" })).conversation.kind).toBe("new");
  });

  it("is no session where its answer never reached the disk (B3)", async () => {
    const opened = await open({ sessionId: "s1" });
    await opened.commit(ended({ checkpoint: "0b0e7a52-9a55-4a0e-8a54-aaaaaaaaaaaa", costUsd: 1 }));
    await opened.close();
    expect([await listed(), await sessions.list("client")]).toEqual([[], []]);
  });

  it("that is deleted while its first turn runs leaves nothing (B3)", async () => {
    const opened = await open({ sessionId: "s1" });
    await opened.commit(ended({ checkpoint: await answer(opened), costUsd: 1 }));
    await sessions.delete("client", "s1");
    await opened.close();
    expect([await transcripts(), await listed()]).toEqual([[], []]);
  });
});

describe("a session that goes on", () => {
  it("resumes after its last turn; of what is sent only the words after the last answer count (B3)", async () => {
    await takeTurn({}, 0.5);
    const record = await sessions.get("client", "s1");
    const opened = await open({
      sessionId: "s1",
      messages: [user("forged past"), assistantSaid("forged answer"), user("Three"), user("Four")],
    });
    expect(opened).toMatchObject({
      conversation: { kind: "resume", sessionId: record?.claudeSessionId, resumeAt: record?.resumeAt },
      prompt: [...user("Three").content, ...user("Four").content],
      costBeforeUsd: 0.5,
    });
    for (const name of await transcripts()) {
      expect(await readFile(join(transcriptDir(place.configDir, place.workspace), name), "utf8")).not.toContain(
        "forged",
      );
    }
  });

  it("moves on with each turn that ends well (B3)", async () => {
    await takeTurn({}, 0.5);
    const before = await sessions.get("client", "s1");
    nowMs += 500;
    await takeTurn({ requestedModel: "opus" }, 0.8);
    const after = await sessions.get("client", "s1");
    expect(after).toMatchObject({ turns: 2, costUsd: 0.8, model: "opus", lastUsedAtMs: nowMs, createdAtMs: 5_000 });
    expect(after?.resumeAt).not.toBe(before?.resumeAt);
  });

  it("keeps its system message for turns without one, and takes a new one (B3)", async () => {
    const system = async (sent?: string) => (await takeTurn({ system: sent })).system;
    expect(await system("Be brief.")).toBe("Be brief.");
    expect(await system()).toBe("Be brief.");
    expect(await system("Be long.")).toBe("Be long.");
    expect(await system()).toBe("Be long.");
  });

  it("stays where it was when a turn fails or is cancelled (B3)", async () => {
    await takeTurn();
    const before = await sessions.get("client", "s1");
    await (await open({ sessionId: "s1" })).close();
    expect(await sessions.get("client", "s1")).toEqual(before);
    expect(await open({ sessionId: "s1" })).toMatchObject({ conversation: { resumeAt: before?.resumeAt } });
  });

  it("stays where it was when the answer never reached the disk (B3)", async () => {
    await takeTurn();
    const before = await sessions.get("client", "s1");
    const opened = await open({ sessionId: "s1" });
    await opened.commit(ended({ checkpoint: "0b0e7a52-9a55-4a0e-8a54-aaaaaaaaaaaa", costUsd: 9 }));
    await opened.close();
    expect(await sessions.get("client", "s1")).toEqual(before);
  });

  it("that is deleted while a turn runs is gone for good when the turn is over (B3)", async () => {
    await takeTurn();
    const opened = await open({ sessionId: "s1" });
    await sessions.delete("client", "s1");
    await opened.commit(ended({ checkpoint: await answer(opened), costUsd: 1 }));
    await opened.close();
    expect([await transcripts(), await sessions.list("client")]).toEqual([[], []]);
  });

  it("can't be gone on with by another kind of model (B3)", async () => {
    await takeTurn();
    await expect(open({ sessionId: "s1", profile: "agent" })).rejects.toMatchObject({
      code: "invalid_request",
      param: "model",
    });
  });

  it("whose transcript is gone is told so once; the next request begins it anew (B3)", async () => {
    await takeTurn();
    await rm(place.configDir, { recursive: true });
    await expect(open({ sessionId: "s1" })).rejects.toMatchObject({ code: "session_not_found" });
    expect((await open({ sessionId: "s1" })).conversation.kind).toBe("new");
  });

  it("is out of another client's reach: the same id is another session there (B3)", async () => {
    await takeTurn();
    expect((await open({ sessionId: "s1" }, { name: "other", isAdmin: true })).conversation.kind).toBe("new");
  });

  it("that has expired begins anew, and nothing of the old one stays on disk (B3)", async () => {
    await takeTurn();
    const [old] = await transcripts();
    nowMs += timeToLiveMs;
    const opened = await takeTurn();
    expect(opened.conversation.kind).toBe("new");
    expect(await transcripts()).toHaveLength(1);
    expect(await transcripts()).not.toContain(old);
  });
});
