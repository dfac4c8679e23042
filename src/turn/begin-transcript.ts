// Begins the transcript of a turn's conversation, on the list of those that must not stay until somebody says otherwise.
import { randomUUID } from "node:crypto";
import type { Conversation } from "../claude/profile.ts";
import { toModelMessages, type ToolSettings } from "../claude/toolbox.ts";
import { type TranscriptPlace, writeTranscript } from "../claude/transcript.ts";
import type { Ledger } from "./ledger.ts";
import type { Message, Turn } from "./turn.ts";

/** Puts the transcript on the list of those that must not stay, then begins it. */
export async function beginTranscript(
  place: TranscriptPlace,
  history: readonly Message[],
  turn: ToolSettings & Pick<Turn, "model">,
  ledger: Ledger,
): Promise<Conversation> {
  const { sessionId } = place;
  await ledger.add(place);
  if (history.length === 0) return { kind: "new", sessionId };
  try {
    const messages = toModelMessages(history, turn);
    // The mark of a long context is none of the model's own name.
    const resumeAt = await writeTranscript(place, messages, turn.model?.replace(/\[1m\]$/, ""));
    return { kind: "resume", sessionId, resumeAt };
  } catch (error) {
    await ledger.delete(place).catch(() => undefined); // Then the next start does it.
    throw error;
  }
}

/** The id of a new conversation. No process that runs can be given a history: one with words before the prompt needs its own. */
export async function newId(history: Turn["messages"], idOfSpare: () => Promise<string | undefined>): Promise<string> {
  return (history.length === 0 ? await idOfSpare() : undefined) ?? randomUUID();
}
