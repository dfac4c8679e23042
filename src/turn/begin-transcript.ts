// Begins the transcript of a turn's conversation, on the list of those that must not stay until somebody says otherwise.
import type { Conversation } from "../claude/profile.ts";
import { toModelMessages, type ToolSettings } from "../claude/toolbox.ts";
import { type TranscriptPlace, writeTranscript } from "../claude/transcript.ts";
import type { Ledger } from "./ledger.ts";
import type { Message } from "./turn.ts";

/** Puts the transcript on the list of those that must not stay, then begins it. */
export async function beginTranscript(
  place: TranscriptPlace,
  history: readonly Message[],
  tools: ToolSettings,
  ledger: Ledger,
): Promise<Conversation> {
  const { sessionId } = place;
  await ledger.add(place);
  if (history.length === 0) return { kind: "new", sessionId };
  try {
    return { kind: "resume", sessionId, resumeAt: await writeTranscript(place, toModelMessages(history, tools)) };
  } catch (error) {
    await ledger.delete(place).catch(() => undefined); // Then the next start does it.
    throw error;
  }
}
