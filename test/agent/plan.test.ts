// Where the next process of a conversation begins, and what of the transcript is kept for it.
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SDKUserMessage } from "@anthropic-ai/claude-agent-sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { planNext, type Situation, toPlannedOptions } from "../../src/agent/plan.ts";

const sessionId = "11111111-2222-4333-8444-555555555555";
const result = { type: "tool_result", tool_use_id: "toolu_1", content: "ok" } as const;
const betweenCalls = { is: "between-calls", resumeAt: "a", results: [result] } as const;
const first: Situation = {
  standing: { is: "untouched" },
  plan: { is: "begin" },
  options: {},
  sessionId,
  checkpoint: undefined,
};

describe("after a process that was broken off", () => {
  it("the next one begins anew where nothing has happened, under the same id (A5, F)", () => {
    expect(planNext(first)).toEqual({ is: "again", sessionId });
    expect(planNext({ ...first, options: { persistSession: false } })).toEqual({ is: "again", sessionId });
  });

  it("the next one goes on between two calls with all the tools' answers in one message (A5, F)", () => {
    const resumed = planNext({ ...first, standing: betweenCalls });
    expect(resumed).toMatchObject({ is: "resume", sessionId, at: "a", first: { message: { content: [result] } } });
    // Of one that took over and got nowhere the next one does the same again.
    expect(resumed && planNext({ ...first, plan: resumed })).toEqual(resumed);
  });

  it("the next one begins a later turn anew after the one before (A5, F)", () => {
    const at = { is: "resume", sessionId, first: undefined };
    expect(planNext({ ...first, checkpoint: "z" })).toEqual({ ...at, at: "z" });
    expect(planNext({ ...first, options: { resume: "x" } })).toEqual({ ...at, at: undefined });
    expect(planNext({ ...first, options: { continue: true } })).toEqual({ ...at, at: undefined });
  });

  it.each([
    ["in the middle of an answer", { standing: { is: "mid-answer" } }],
    ["while a tool is at work", { standing: { is: "mid-tool" } }],
    ["kept nowhere", { standing: betweenCalls, options: { persistSession: false } }],
    ["kept in a store of the caller's", { standing: betweenCalls, options: { sessionStore: {} as never } }],
    ["kept nowhere, in a later turn", { checkpoint: "z", options: { persistSession: false } }],
  ] satisfies [string, Partial<Situation>][])("none goes on: %s (A5, F)", (_what, more) => {
    expect(planNext({ ...first, ...more })).toBeUndefined();
  });
});

describe("the options of the next process", () => {
  let configDir: string;
  let project: string;
  beforeEach(async () => {
    configDir = await mkdtemp(join(tmpdir(), "ccapi-plan-"));
    project = join(configDir, "projects", "-a-folder");
    await mkdir(project, { recursive: true });
  });
  afterEach(() => rm(configDir, { recursive: true, force: true }));

  const write = (entries: readonly object[]) =>
    writeFile(join(project, `${sessionId}.jsonl`), entries.map((entry) => JSON.stringify(entry)).join("\n"));

  it("name the same session, whose transcript is cleared away first (A5, F)", async () => {
    await write([{ type: "user", uuid: "p" }]);
    const options = await toPlannedOptions({ is: "again", sessionId }, { model: "m" }, configDir);
    expect(options).toEqual({ model: "m", sessionId });
    expect(await readdir(project)).toEqual([]);
  });

  it("resume what was begun, not what the caller began with (A5, F)", async () => {
    const asked = { resume: "x", forkSession: true, continue: true, resumeSessionAt: "y", sessionId: "s", model: "m" };
    const prompt: SDKUserMessage = { type: "user", message: { role: "user", content: [] }, parent_tool_use_id: null };
    const plan = { is: "resume", sessionId, at: "a", first: prompt } as const;
    expect(await toPlannedOptions(plan, asked, configDir)).toEqual({
      model: "m",
      resume: sessionId,
      resumeSessionAt: "a",
    });
  });

  it("find the last answer of the turn before, whatever failed since, and a tool's answer that ends turns (A5, F)", async () => {
    const message = { model: "claude", content: [] };
    await write([
      { type: "user", uuid: "p", parentUuid: null },
      { type: "assistant", uuid: "a", parentUuid: "p", message },
      { type: "user", uuid: "r", parentUuid: "a", message: { content: [result] } },
      { type: "attachment", uuid: "s", parentUuid: "r", attachment: { type: "structured_output" } },
      { type: "assistant", uuid: "side", parentUuid: "r", isSidechain: true, message },
      { type: "user", uuid: "p2", parentUuid: "s", message: { content: "Second" } },
      { type: "assistant", uuid: "e", parentUuid: "p2", message: { ...message, model: "<synthetic>" } },
    ]);
    const plan = { is: "resume", sessionId, at: undefined, first: undefined } as const;
    expect(await toPlannedOptions(plan, {}, configDir)).toEqual({ resume: sessionId, resumeSessionAt: "s" });
  });
});
