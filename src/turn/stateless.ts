// Conversations without a session: what the client sends is all of it. In a process's memory, or in a transcript that is deleted; an
// agent's stays while it waits for the client's tools.
import { randomUUID } from "node:crypto";
import { toModelPrompt } from "../claude/tool-server.ts";
import { isInTranscript, splitConversation, untilInTranscript } from "../claude/transcript.ts";
import { beginTranscript, newId } from "./begin-transcript.ts";
import type { ConversationPorts, OpenConversation, TurnPlace } from "./conversation.ts";
import type { Waiting } from "./hand-overs.ts";
import type { Ledger } from "./ledger.ts";
import { completeResults } from "./tool-messages.ts";
import type { Client, ContentBlock, Turn } from "./turn.ts";

/** A conversation that is in a process's memory alone. */
export function memoryConversation({ system }: Turn, prompt: readonly ContentBlock[]): OpenConversation {
  return { conversation: { kind: "none" }, prompt, system, costBeforeUsd: 0, commit: nothing, close: nothing };
}

/** A chat. */
export async function openChat(
  turn: Turn,
  turnPlace: TurnPlace,
  { ledger }: ConversationPorts,
): Promise<OpenConversation> {
  const { history, prompt } = splitConversation(turn.messages);
  if (history.length === 0) return memoryConversation(turn, prompt);
  const place = { ...turnPlace, sessionId: randomUUID() };
  return {
    conversation: await beginTranscript(place, history, turn, ledger),
    prompt: toModelPrompt(prompt),
    system: turn.system,
    costBeforeUsd: 0,
    commit: nothing,
    close: () => ledger.delete(place),
  };
}

/** An agent: its transcript stays while it waits for the client's tools, and no longer. */
export async function openAgent(
  turn: Turn,
  client: Client,
  turnPlace: TurnPlace,
  { ledger, pool, handOvers, idOfSpare }: ConversationPorts,
): Promise<OpenConversation> {
  const { history, prompt } = splitConversation(turn.messages);
  const waiting = await reachable(handOvers.take(turn, client), pool, ledger);
  const place = waiting?.place ?? { ...turnPlace, sessionId: await newId(history, idOfSpare) };
  const released = Promise.withResolvers<void>();
  let isOver = false;
  let isWaiting = false;
  return {
    conversation:
      waiting === undefined
        ? await beginTranscript(place, history, turn, ledger)
        : { kind: "resume", sessionId: place.sessionId, resumeAt: waiting.resumeAt },
    prompt: waiting === undefined ? toModelPrompt(prompt) : completeResults(waiting.handed, toModelPrompt(prompt)),
    system: turn.system,
    costBeforeUsd: 0,
    async commit({ checkpoint, answer, waiting: handed }) {
      isOver = true;
      if (handed === undefined) return;
      await untilInTranscript(place, checkpoint);
      isWaiting = true;
      handOvers.put(turn, client, answer, { place, resumeAt: checkpoint, handed, released: released.promise });
    },
    async close() {
      released.resolve();
      if (isWaiting) return;
      // A turn that failed or was cancelled never was: the same results may be brought again.
      if (waiting !== undefined && !isOver) handOvers.giveBack(turn, client, waiting);
      else await ledger.delete(place);
    },
  };
}

/** A conversation that can be gone on with: where its message never reached the disk, what the client sends is all there is. */
async function reachable(
  waiting: Waiting | undefined,
  pool: ConversationPorts["pool"],
  ledger: Ledger,
): Promise<Waiting | undefined> {
  if (waiting === undefined) return undefined;
  const { place, resumeAt, released } = waiting;
  await released;
  if (pool?.hasSession(place.sessionId, resumeAt) === true || (await isInTranscript(place, resumeAt))) return waiting;
  await ledger.delete(place);
  return undefined;
}

async function nothing(): Promise<void> {
  // A conversation that nobody can ask for again.
}
