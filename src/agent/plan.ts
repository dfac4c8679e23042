// Where the next process of a conversation begins, after the one before was broken off; or that none can go on.
// The recipe is that of turn/recover.ts: resume at the last assistant message, with all its tools' answers as one user message.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Options, SDKUserMessage } from "@anthropic-ai/claude-agent-sdk";
import { deleteTranscript } from "../claude/transcript.ts";
import type { Standing } from "../turn/progress.ts";

/** How a process is started. */
export type Plan =
  /** As the caller asked. */
  | { readonly is: "begin" }
  /** As the caller asked, once more: nothing has happened yet. */
  | { readonly is: "again"; readonly sessionId: string | undefined }
  /** In the conversation that was begun, after the message `at`; `undefined`: after the last turn that the transcript holds. */
  | {
      readonly is: "resume";
      readonly sessionId: string;
      readonly at: string | undefined;
      readonly first: SDKUserMessage | undefined;
    };

/** What is known of the conversation when a process is gone. */
export interface Situation {
  readonly standing: Standing;
  /** How the process began that is gone. */
  readonly plan: Plan;
  readonly options: Options;
  /** `undefined`: the process told none. */
  readonly sessionId: string | undefined;
  /** The last assistant message of the turns before; `undefined`: this is the first. */
  readonly checkpoint: string | undefined;
}

/** The next process's beginning; `undefined` where none can go on so that nothing runs twice and nothing is lost. */
export function planNext(situation: Situation): Plan | undefined {
  const { standing, plan, options, sessionId, checkpoint } = situation;
  const isKept = options.persistSession !== false && options.sessionStore === undefined;
  if (standing.is === "between-calls") {
    if (!isKept || sessionId === undefined) return undefined;
    return { is: "resume", sessionId, at: standing.resumeAt, first: toMessage(standing.results) };
  }
  if (standing.is !== "untouched") return undefined;
  // Of a process that took over and got nowhere the next one does the same again.
  if (plan.is === "resume" && plan.first !== undefined) return plan;
  const beganElsewhere = options.resume !== undefined || options.continue === true;
  if (checkpoint === undefined && !beganElsewhere) return { is: "again", sessionId };
  if (isKept) {
    return sessionId === undefined ? plan : { is: "resume", sessionId, at: checkpoint, first: undefined };
  }
  // Nothing is kept of this turn: the transcript with which the caller began is as it was.
  return checkpoint === undefined && options.persistSession === false
    ? { is: "again", sessionId: undefined }
    : undefined;
}

function toMessage(results: readonly object[]): SDKUserMessage {
  return {
    type: "user",
    // The very blocks that Claude Code told of; the SDK's type wants a mutable array.
    message: { role: "user", content: [...results] as SDKUserMessage["message"]["content"] & object },
    parent_tool_use_id: null,
  };
}

/** The SDK's options for a process that begins so. Clears away what the one before left, where that would be in the way. */
export async function toPlannedOptions(plan: Plan, options: Options, configDir: string): Promise<Options> {
  switch (plan.is) {
    case "begin":
      return options;
    case "again": {
      const { sessionId } = plan;
      if (sessionId === undefined || options.resume !== undefined || options.continue === true) return options;
      const folder = await findProject(configDir, sessionId);
      if (folder !== undefined) await deleteTranscript({ configDir, workspace: folder, sessionId });
      return { ...options, sessionId };
    }
    case "resume": {
      const { forkSession: _fork, continue: _continue, resumeSessionAt: _at, ...rest } = options;
      const { sessionId: _id, resumeDropsTurn: _drops, ...kept } = rest;
      const at = plan.first === undefined ? await endOfTurn(configDir, plan.sessionId, plan.at) : plan.at;
      return { ...kept, resume: plan.sessionId, ...(at === undefined ? {} : { resumeSessionAt: at }) };
    }
  }
}

interface Entry {
  readonly uuid?: string;
  readonly parentUuid?: string | null;
  readonly type?: string;
  readonly isSidechain?: boolean;
  readonly isApiErrorMessage?: boolean;
  readonly message?: { readonly model?: string; readonly content?: unknown };
  readonly attachment?: { readonly type?: string };
}

/**
 * The last entry of the turn that ends with this assistant message, or with the transcript's last one. A turn may end on a tool's
 * answer, where that tool ends turns (structured output): without it the answer would be missing.
 */
async function endOfTurn(configDir: string, sessionId: string, at: string | undefined): Promise<string | undefined> {
  const entries = await readEntries(configDir, sessionId);
  let end = at ?? entries.findLast(isAnswer)?.uuid;
  for (const { uuid, parentUuid, type, message, attachment } of entries) {
    if (uuid === undefined || parentUuid !== end) continue;
    const isResult = type === "user" && Array.isArray(message?.content) && message.content.every(isToolResult);
    if (isResult || attachment?.type === "structured_output") end = uuid;
  }
  return end;
}

function isAnswer({ type, isSidechain, isApiErrorMessage, message }: Entry): boolean {
  return type === "assistant" && isSidechain !== true && isApiErrorMessage !== true && message?.model !== "<synthetic>";
}

function isToolResult(block: unknown): boolean {
  return typeof block === "object" && block !== null && "type" in block && block.type === "tool_result";
}

async function readEntries(configDir: string, sessionId: string): Promise<Entry[]> {
  const folder = await findProject(configDir, sessionId);
  if (folder === undefined) return [];
  const text = await readFile(join(configDir, "projects", folder, `${sessionId}.jsonl`), "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => {
    try {
      return line === "" ? [] : [JSON.parse(line) as Entry]; // Claude Code's own file; every field is looked at with care.
    } catch {
      return []; // Half-written.
    }
  });
}

/** The folder of a transcript, by its name: Claude Code cuts long ones, and where it works may be another path than was said. */
async function findProject(configDir: string, sessionId: string): Promise<string | undefined> {
  const namesIn = async (folder: string): Promise<string[]> => readdir(folder).catch(() => []);
  for (const folder of await namesIn(join(configDir, "projects"))) {
    const names = await namesIn(join(configDir, "projects", folder));
    if (names.includes(`${sessionId}.jsonl`)) return folder;
  }
  return undefined;
}
