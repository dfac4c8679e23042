// Agents' conversations without a session that wait for the client's tools: kept until the results come, or not for ever. In memory:
// a server that starts anew deletes their transcripts, and goes on from what the client sends.
import { randomBytes } from "node:crypto";
import type { Handed } from "../claude/hand-over.ts";
import type { Pool } from "../claude/pool-contract.ts";
import { conversationKey } from "../claude/pool-keys.ts";
import { splitConversation, type TranscriptPlace } from "../claude/transcript.ts";
import type { Ledger } from "./ledger.ts";
import type { Client, Message, Turn } from "./turn.ts";

/** How long a client's tools may take, and how many conversations may wait; the oldest goes first. */
const waitMs = 60 * 60_000;
const maxWaiting = 1_000;

/** A conversation that waits. */
export interface Waiting {
  readonly place: TranscriptPlace;
  readonly resumeAt: string;
  readonly handed: Handed;
  /** Resolves when whoever handed it over holds nothing of it any more. */
  readonly released: Promise<void>;
}

/** The conversations that wait. */
export interface HandOvers {
  /** @param turn that ended with the message `answer`. */
  put(turn: Turn, client: Client, answer: Message, waiting: Waiting): void;
  /** The conversation that the turn brings the results for. It is the caller's then. */
  take(turn: Turn, client: Client): Waiting | undefined;
  /** It waits again as it did: the turn that took it was broken off. */
  giveBack(turn: Turn, client: Client, waiting: Waiting): void;
  /** Turns of one such key bring the results of one conversation: one after the other. `undefined`: it brings none. */
  lockKey(turn: Turn, client: Client): string | undefined;
  /** Deletes all of them. */
  close(): Promise<void>;
}

/** Makes an empty set. */
export function createHandOvers({
  ledger,
  pool,
}: {
  readonly ledger: Pick<Ledger, "delete">;
  readonly pool: Pick<Pool, "endSession"> | undefined;
}): HandOvers {
  const secret = randomBytes(32);
  const all = new Map<string, { readonly waiting: Waiting; readonly timer: NodeJS.Timeout }>();

  const keyBefore = (turn: Turn, client: Client) => keyOf(splitConversation(turn.messages).history, turn, client);
  const keyOf = (messages: readonly Message[], turn: Turn, client: Client) =>
    JSON.stringify([client.name, turn.endUser, conversationKey(messages, secret)]);

  function remove(key: string): Waiting | undefined {
    const entry = all.get(key);
    clearTimeout(entry?.timer);
    all.delete(key);
    return entry?.waiting;
  }

  async function drop(key: string): Promise<void> {
    const waiting = remove(key);
    if (waiting === undefined) return;
    await waiting.released;
    await pool?.endSession(waiting.place.sessionId);
    await ledger.delete(waiting.place);
  }

  function keep(key: string, waiting: Waiting): void {
    forget(key);
    all.set(key, { waiting, timer: setTimeout(forget, waitMs, key).unref() });
    const [oldest] = all.keys();
    if (all.size > maxWaiting && oldest !== undefined) forget(oldest);
  }

  // What can't be deleted now is on the ledger: the next start does it.
  const forget = (key: string) => void drop(key).catch(() => undefined);

  return {
    put(turn, client, answer, waiting) {
      const { history, prompt } = splitConversation(turn.messages);
      keep(keyOf([...history, { role: "user", content: prompt }, answer], turn, client), waiting);
    },
    take: (turn, client) => remove(keyBefore(turn, client)),
    giveBack(turn, client, waiting) {
      keep(keyBefore(turn, client), waiting);
    },
    lockKey(turn, client) {
      if (turn.profile !== "agent" || turn.sessionId !== undefined) return undefined;
      const { prompt } = splitConversation(turn.messages);
      return prompt.some(({ type }) => type === "tool_result") ? keyBefore(turn, client) : undefined;
    },
    async close() {
      await Promise.allSettled([...all.keys()].map(drop));
    },
  };
}
