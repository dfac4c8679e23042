// The folders and lines of Claude Code's transcripts, on the real CLI: where a newer one differs, these tests are the first to know.
import { randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { deleteTranscript, isInTranscript, transcriptDir, writeTranscript } from "../../src/claude/transcript.ts";
import { type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { openClaudeHouse, words } from "../helpers/claude.ts";
import { lastConversation, upstreamBodies } from "../helpers/upstream.ts";

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator();
});
afterAll(() => simulator.close());
beforeEach(() => {
  simulator.clearRequests();
  simulator.setRules([]);
});

const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** Files below a folder that hold this text. */
async function filesWith(dir: string, text: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && (await readFile(path, "utf8")).includes(text)) found.push(path);
  }
  return found;
}

describe("the folder of a workspace's transcripts", () => {
  it.each(["plain", "dots.and_under scores", "ünïcödé 漢字 😀", "a".repeat(120)])(
    "is named by our rule as by the CLI's: %s (B3)",
    async (name) => {
      await using claude = await openClaudeHouse(simulator.url);
      const workspace = await claude.workspace(name);
      const sessionId = randomUUID();
      const events = await claude.run("Hello", { workspace, conversation: { kind: "new", sessionId } });
      expect(await readdir(join(claude.configDir, "projects"))).toHaveLength(1);
      expect(await readdir(transcriptDir(claude.configDir, workspace))).toContain(`${sessionId}.jsonl`);
      const checkpoint = events.findLast((event) => event.type === "checkpoint");
      const place = { configDir: claude.configDir, workspace, sessionId };
      expect(await isInTranscript(place, checkpoint?.uuid ?? "none")).toBe(true);
    },
  );
});

describe("a history that was handed over", () => {
  it("reaches the model as real turns in their order: texts, an image, a tool's call and result (B3)", async () => {
    await using claude = await openClaudeHouse(simulator.url);
    const workspace = await claude.workspace("work");
    const place = { configDir: claude.configDir, workspace, sessionId: randomUUID() };
    const image = { type: "image", source: { type: "base64", media_type: "image/png", data: pixel } } as const;
    const resumeAt = await writeTranscript(place, [
      { role: "user", content: [{ type: "text", text: "One" }, image] },
      { role: "assistant", content: [{ type: "text", text: "Two" }] },
      { role: "user", content: [{ type: "text", text: "Three" }] },
      { role: "assistant", content: [{ type: "tool_use", id: "toolu_1", name: "look", input: { at: "x" } }] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "seen" }] },
      { role: "assistant", content: [{ type: "text", text: "Four" }] },
    ]);
    const events = await claude.run("Five", {
      workspace,
      conversation: { kind: "resume", sessionId: place.sessionId, resumeAt },
      turn: { system: "Be brief." },
    });
    expect(words(events)).not.toBe("");
    expect(lastConversation(simulator).map((line) => line.split(": ")[0])).toEqual([
      ...Array.from({ length: 3 }, () => ["user", "assistant"]).flat(),
      "user",
    ]);
    const body = upstreamBodies(simulator).at(-1);
    const blocks = (body?.messages ?? []).flatMap(({ content }) => (typeof content === "string" ? [] : content));
    expect(blocks).toContainEqual(expect.objectContaining({ type: "image" }));
    expect(blocks).toContainEqual(
      expect.objectContaining({ type: "tool_use", id: "toolu_1", name: "look", input: { at: "x" } }),
    );
    expect(blocks).toContainEqual(expect.objectContaining({ type: "tool_result", tool_use_id: "toolu_1" }));
    expect(body?.system?.map((part) => part.text)).toContain("Be brief.");
  });
});

describe("deleting a transcript", () => {
  it("leaves no file that holds a word of the conversation, a stateless agent's tools included (B3)", async () => {
    const allow = JSON.stringify({ permissions: { allow: ["Bash", "Write"] } });
    await using claude = await openClaudeHouse(simulator.url, { ".claude/settings.json": allow });
    const workspace = await claude.workspace("work");
    simulator.setRules([
      {
        when: ({ toolResults }: { toolResults: readonly unknown[] }) => toolResults.length === 0,
        answer: [
          { type: "text", text: "marked-answer" },
          {
            type: "tool_use",
            name: "Bash",
            input: { command: "yes marked-tool | head -c 200000", description: "marked" },
          },
        ],
      },
    ]);
    const place = { configDir: claude.configDir, workspace, sessionId: randomUUID() };
    await claude.run("marked-prompt", {
      workspace,
      conversation: { kind: "new", sessionId: place.sessionId },
      turn: { profile: "agent" },
    });
    expect(JSON.stringify(upstreamBodies(simulator).at(-1))).toContain("marked-tool");
    expect(await filesWith(claude.home, "marked-prompt")).not.toEqual([]);
    await deleteTranscript(place);
    expect(await filesWith(claude.home, "marked-")).toEqual([]);
  });
});
