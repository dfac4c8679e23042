// A conversation as Claude Code keeps it on disk: one JSON line for each message, each pointing at the one before.
// Writes the histories that clients hand over, finds and deletes transcripts. Holds no conversation in memory.
// The folder and line format are Claude Code's own (measured, 2.1.330): test/e2e/transcript.test.ts notices a change.
import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ContentBlock, Message } from "../turn/turn.ts";

/** Where the transcripts of one working folder lie. */
export function transcriptDir(configDir: string, workspace: string): string {
  return join(configDir, "projects", toFolderName(workspace));
}

/** How Claude Code names its folders for a working folder. */
export function toFolderName(workspace: string): string {
  return workspace.replaceAll(/[^a-zA-Z0-9]/g, "-");
}

/** Longer folder names are cut and hashed by Claude Code; such a workspace is refused at start instead. */
export const maxWorkspaceLength = 200;

/** Where one conversation lies. */
export interface TranscriptPlace {
  readonly configDir: string;
  readonly workspace: string;
  readonly sessionId: string;
}

/**
 * Writes a conversation so that `resume: sessionId` continues it, its roles as they are. The thinking in it reaches the model only if
 * `model` is the full id of the one that goes on: Claude Code leaves out what another model thought (measured, 2.1.330).
 *
 * @returns the uuid of the last message.
 */
export async function writeTranscript(
  place: TranscriptPlace,
  messages: readonly Message[],
  model = "claude",
): Promise<string> {
  const path = transcriptPath(place);
  const timestamp = new Date().toISOString();
  let parentUuid: string | null = null;
  let lastUuid = "";
  const lines = messages.map((message) => {
    lastUuid = randomUUID();
    const entry = {
      type: message.role,
      uuid: lastUuid,
      parentUuid,
      sessionId: place.sessionId,
      timestamp,
      cwd: place.workspace,
      version: "2.1.330",
      userType: "external",
      isSidechain: false,
      message: message.role === "user" ? toUserMessage(message) : toAssistantMessage(message, model),
    };
    parentUuid = lastUuid;
    return JSON.stringify(entry);
  });
  await mkdir(transcriptDir(place.configDir, place.workspace), { recursive: true, mode: 0o700 });
  await writeFile(path, `${lines.join("\n")}\n`, { mode: 0o600 });
  return lastUuid;
}

/** @throws TypeError where the id is no uuid: as a part of a path, anything else could lead elsewhere. */
function transcriptPath({ configDir, workspace, sessionId }: TranscriptPlace): string {
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(sessionId))
    throw new TypeError("sessionId must be a UUID.");
  return join(transcriptDir(configDir, workspace), `${sessionId}.jsonl`);
}

/** The transcript as it is on disk; `undefined`: there is none. */
export async function readTranscript(place: TranscriptPlace): Promise<string | undefined> {
  return readFile(transcriptPath(place), "utf8").catch(() => undefined);
}

/** Puts a transcript in the place of the one on disk, if there is one. */
export async function replaceTranscript(place: TranscriptPlace, lines: readonly string[]): Promise<void> {
  const path = transcriptPath(place);
  await mkdir(transcriptDir(place.configDir, place.workspace), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomUUID()}.draft`;
  await writeFile(draft, `${lines.join("\n")}\n`, { mode: 0o600 });
  await rename(draft, path);
}

/** Whether a message stands in the transcript on disk. */
export async function isInTranscript(place: TranscriptPlace, uuid: string): Promise<boolean> {
  const path = transcriptPath(place);
  try {
    return (await readFile(path, "utf8")).includes(`"uuid":"${uuid}"`);
  } catch {
    return false;
  }
}

/** Claude Code writes within about 100 ms (measured, 2.1.330). Where a disk is that slow, its process goes on all the same. */
const writtenWithinMs = 1_000;

/** Waits until a message stands in the transcript, so that it outlives its process. */
export async function untilInTranscript(place: TranscriptPlace, uuid: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < writtenWithinMs && !(await isInTranscript(place, uuid)); waitedMs += 20)
    await sleep(20);
}

/** Deletes a conversation with all that Claude Code keeps beside it. Deleting what is not there is fine. */
export async function deleteTranscript(place: TranscriptPlace): Promise<void> {
  const path = transcriptPath(place);
  await Promise.all([
    rm(path, { force: true }),
    rm(path.slice(0, -".jsonl".length), { force: true, recursive: true }),
    rm(join(place.configDir, "session-env", place.sessionId), { force: true, recursive: true }),
    rm(join(place.configDir, "file-history", place.sessionId), { force: true, recursive: true }),
    rm(join(place.configDir, "todos", `${place.sessionId}-agent-${place.sessionId}.json`), { force: true }),
  ]);
}

/**
 * Splits a conversation into what is past and the prompt: the user messages after the last assistant message, as one.
 * Neighbours of the same role become one message, and a conversation that an assistant begins gets a first user
 * message, because the Messages API wants roles to alternate from a user on.
 */
export function splitConversation(messages: readonly Message[]): {
  history: Message[];
  prompt: readonly ContentBlock[];
} {
  const merged: { role: Message["role"]; content: ContentBlock[] }[] = [];
  for (const { role, content } of messages) {
    const last = merged.at(-1);
    if (last?.role === role) last.content.push(...content);
    else merged.push({ role, content: [...content] });
  }
  if (merged[0]?.role === "assistant") {
    merged.unshift({ role: "user", content: [{ type: "text", text: "(The assistant begins.)" }] });
  }
  for (const message of merged) if (message.role === "user") message.content = resultsFirst(message.content);
  const prompt = merged.pop();
  if (prompt?.role !== "user") throw new TypeError("The last message of a turn must be the user's.");
  return { history: merged, prompt: prompt.content };
}

/** The Messages API wants the results of tools before all else that a message says. */
function resultsFirst(content: readonly ContentBlock[]): ContentBlock[] {
  const isResult = ({ type }: ContentBlock) => type === "tool_result";
  return [...content.filter(isResult), ...content.filter((block) => !isResult(block))];
}

function toUserMessage({ content }: Message) {
  return { role: "user", content };
}

function toAssistantMessage({ content }: Message, model: string) {
  return {
    role: "assistant",
    content,
    id: `msg_${randomUUID().replaceAll("-", "")}`,
    type: "message",
    model,
    stop_reason: content.some((block) => block.type === "tool_use") ? "tool_use" : "end_turn",
    stop_sequence: null,
    usage: { input_tokens: 0, output_tokens: 0 },
  };
}
