import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  deleteTranscript,
  isInTranscript,
  maxWorkspaceLength,
  splitConversation,
  transcriptDir,
  writeTranscript,
} from "../../src/claude/transcript.ts";
import type { Message } from "../../src/turn/turn.ts";

const sessionId = "0b0e7a52-9a55-4a0e-8a54-111111111111";
const otherId = "0b0e7a52-9a55-4a0e-8a54-222222222222";
const workspace = "/srv/state/workspaces/team.a_b";
let base: string;
let configDir: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "ccapi-transcript-"));
  // Deep inside of a folder of this test's own: code that is broken deletes what an id leads to, and must find only that.
  configDir = join(base, "1", "2", "3", "4", "claude");
  await mkdir(configDir, { recursive: true });
});
afterEach(() => rm(base, { recursive: true }));

const place = (id = sessionId) => ({ configDir, workspace, sessionId: id });
const file = (id = sessionId) => join(configDir, "projects", "-srv-state-workspaces-team-a-b", `${id}.jsonl`);
const user = (...texts: string[]): Message => ({
  role: "user",
  content: texts.map((text) => ({ type: "text", text })),
});
const assistant = (...texts: string[]): Message => ({ ...user(...texts), role: "assistant" });

async function entries(): Promise<Record<string, unknown>[]> {
  const lines = (await readFile(file(), "utf8")).trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe("the folder of a workspace's transcripts", () => {
  it.each([
    ["/srv/a b/ü_1", "-srv-a-b---1"],
    ["/home/x/.local/state", "-home-x--local-state"],
    ["/😀", "---"],
  ])("is %s as %s (B3)", (path, name) => {
    expect(transcriptDir("/c", path)).toBe(`/c/projects/${name}`);
  });

  it("has the longest name that Claude Code leaves uncut (B3)", () => {
    expect(maxWorkspaceLength).toBe(200);
  });
});

describe("writing a history", () => {
  const tool = { type: "tool_use", id: "toolu_1", name: "look", input: { at: 1 } } as const;
  const found = { type: "tool_result", tool_use_id: "toolu_1", content: "seen", is_error: false } as const;
  const image = { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } } as const;
  const history: readonly Message[] = [
    { role: "user", content: [{ type: "text", text: "One\nline" }, image] },
    { role: "assistant", content: [{ type: "text", text: "Two" }, tool] },
    { role: "user", content: [found] },
    assistant("Four"),
  ];

  it("keeps roles, order and blocks as they are, each message pointing at the one before (B3)", async () => {
    const last = await writeTranscript(place(), history);
    const lines = await entries();
    expect(lines.map(({ type }) => type)).toEqual(["user", "assistant", "user", "assistant"]);
    expect(lines.map(({ message }) => (message as Message).content)).toEqual(history.map(({ content }) => content));
    expect(lines.map(({ parentUuid }) => parentUuid)).toEqual([null, ...lines.slice(0, -1).map(({ uuid }) => uuid)]);
    expect(new Set(lines.map(({ uuid }) => uuid)).size).toBe(4);
    expect(lines.at(-1)?.["uuid"]).toBe(last);
    expect(lines[0]).toMatchObject({ sessionId, cwd: workspace, userType: "external", isSidechain: false });
  });

  it("says why each answer ended: for its tools, or at its end (B3)", async () => {
    await writeTranscript(place(), history);
    const reasons = (await entries()).map(({ message }) => (message as { stop_reason?: string }).stop_reason);
    expect(reasons).toEqual([undefined, "tool_use", undefined, "end_turn"]);
  });

  it("says whose the answers are, where that is known (B7)", async () => {
    await writeTranscript(place(), history, "claude-sonnet-5-5");
    const models = (await entries()).map(({ message }) => (message as { model?: string }).model);
    expect(models).toEqual([undefined, "claude-sonnet-5-5", undefined, "claude-sonnet-5-5"]);
  });

  it("lets nobody else on the host read it (C2)", async () => {
    await writeTranscript(place(), history);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    expect((await stat(join(configDir, "projects"))).mode & 0o777).toBe(0o700);
  });

  it("is found by its messages' ids, and by nothing else that it holds (B3)", async () => {
    const last = await writeTranscript(place(), [user("One"), assistant('"uuid":"in the text"')]);
    const [first] = await entries();
    expect(await isInTranscript(place(), last)).toBe(true);
    expect(await isInTranscript(place(), String(first?.["uuid"]))).toBe(true);
    for (const uuid of [sessionId, "in the text", "", otherId]) expect(await isInTranscript(place(), uuid)).toBe(false);
    expect(await isInTranscript(place(otherId), last)).toBe(false);
  });
});

describe("deleting a transcript", () => {
  it("takes all that Claude Code keeps beside it, and nothing of another's (B3)", async () => {
    for (const id of [sessionId, otherId]) {
      await writeTranscript(place(id), [user("One")]);
      for (const path of [
        join(transcriptDir(configDir, workspace), id, "tool-results"),
        join(configDir, "session-env", id),
        join(configDir, "file-history", id),
      ]) {
        await mkdir(path, { recursive: true });
        await writeFile(join(path, "x"), "x");
      }
      await mkdir(join(configDir, "todos"), { recursive: true });
      await writeFile(join(configDir, "todos", `${id}-agent-${id}.json`), "[]");
    }
    const before = await readdir(configDir, { recursive: true });
    await deleteTranscript(place());
    const after = await readdir(configDir, { recursive: true });
    expect(after.filter((name) => name.includes(sessionId))).toEqual([]);
    expect(after.filter((name) => name.includes(otherId))).toEqual(before.filter((name) => name.includes(otherId)));
  });

  it("is fine with what is not there (B3)", async () => {
    await expect(deleteTranscript(place())).resolves.toBeUndefined();
  });
});

describe("an id that would lead elsewhere", () => {
  it.each(["", ".", "..", "../..", "/", `../${sessionId}`, `${sessionId}/..`, `${sessionId}\n`, "%2e%2e"])(
    "is refused, and nothing is touched: %j (C3)",
    async (id) => {
      await writeTranscript(place(otherId), [user("One")]);
      const before = await readdir(base, { recursive: true });
      await expect(deleteTranscript(place(id))).rejects.toThrow(TypeError);
      await expect(writeTranscript(place(id), [user("One")])).rejects.toThrow(TypeError);
      await expect(isInTranscript(place(id), "x")).rejects.toThrow(TypeError);
      expect(await readdir(base, { recursive: true })).toEqual(before);
    },
  );
});

describe("splitting a conversation", () => {
  it("makes the last user message the prompt, and the rest its history (B3)", () => {
    const split = splitConversation([user("One"), assistant("Two"), user("Three")]);
    expect(split).toEqual({ history: [user("One"), assistant("Two")], prompt: user("Three").content });
  });

  it("joins neighbours of one role, in their order, so that roles alternate (B3)", () => {
    const split = splitConversation([user("1"), user("2"), assistant("3"), assistant("4"), user("5"), user("6", "7")]);
    expect(split).toEqual({ history: [user("1", "2"), assistant("3", "4")], prompt: user("5", "6", "7").content });
  });

  it("puts a user's message before a conversation that the assistant begins (B3)", () => {
    const { history } = splitConversation([assistant("Hi"), user("Hello")]);
    expect(history).toEqual([user("(The assistant begins.)"), assistant("Hi")]);
  });

  it("refuses a conversation whose last word is the assistant's, and an empty one (B3)", () => {
    expect(() => splitConversation([user("One"), assistant("Two")])).toThrow(TypeError);
    expect(() => splitConversation([])).toThrow(TypeError);
  });

  it("loses no block, changes none and leaves what it was given alone, whatever the order of roles (B3)", () => {
    const message = fc.record({
      role: fc.constantFrom("user" as const, "assistant" as const),
      content: fc.array(
        fc.string().map((text) => ({ type: "text" as const, text })),
        { minLength: 1, maxLength: 3 },
      ),
    });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 8 }), (messages) => {
        const all = [user("first"), ...messages, user("last")];
        const before = structuredClone(all);
        const { history, prompt } = splitConversation(all);
        expect([...history.flatMap(({ content }) => content), ...prompt]).toEqual(
          all.flatMap(({ content }) => content),
        );
        expect(history.map(({ role }) => role)).toEqual(history.map((_, index) => (index % 2 ? "assistant" : "user")));
        expect(history.length % 2).toBe(0);
        expect(all).toEqual(before);
      }),
    );
  });
});
