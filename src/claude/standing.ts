// Where the conversation of a process stands between two runs, and so which run may follow there.
import type { ContentBlock, Message } from "../turn/turn.ts";
import { type Handed, liveResults } from "./hand-over.ts";
import { conversationKey } from "./pool-keys.ts";
import type { RunSpec } from "./run.ts";
import type { Left } from "./trace.ts";

/** Where its conversation stands. */
export type Stands =
  /** In its memory alone, after the messages of this key. It can be taken back from its first prompt on. */
  | {
      readonly is: "chat";
      readonly conversation: string;
      readonly history: readonly Message[];
      readonly first: string;
      readonly last: string;
      /** In the middle of a turn, until the client's tools have answered. */
      readonly waiting: Handed | undefined;
    }
  | {
      readonly is: "session";
      readonly sessionId: string;
      readonly resumeAt: string;
      readonly waiting: Handed | undefined;
    }
  /** At its start: it has not been asked for anything. */
  | {
      readonly is: "spare";
      readonly kind: string;
      /** Under which its transcript will be; `undefined`: it has none. */
      readonly sessionId: string | undefined;
      /** What it read as it started. */
      readonly surroundings: string;
      readonly waiting: undefined;
    };

/** The chat that a process went on with in its last run; empty where it began one. */
export interface ChatBefore {
  readonly history: readonly Message[];
  /** Its first prompt, as the process knows it. */
  readonly first: string | undefined;
}

/** Where a process stands after its run; `undefined`: nothing can follow there. */
export function standsAt(
  spec: RunSpec,
  left: Left,
  { history, first }: ChatBefore,
  secret: Buffer,
): Exclude<Stands, { is: "spare" }> | undefined {
  const { conversation, reuse, limits } = spec;
  // Claude Code counts these over all of a process's runs.
  if (limits.maxBudgetUsd !== undefined || limits.maxTurns !== undefined) return undefined;
  if (conversation.kind === "none") {
    const messages = [...history, { role: "user" as const, content: spec.prompt }, left.answer];
    return {
      is: "chat",
      conversation: conversationKey(messages, secret),
      history: messages,
      first: first ?? left.promptId,
      last: left.promptId,
      waiting: left.waiting,
    };
  }
  // What has a transcript that is deleted would write it anew; while the client's tools are at work, an agent's stays.
  const isKept = reuse?.isSession === true || (left.waiting !== undefined && spec.turn.profile === "agent");
  if (!isKept || left.checkpoint === undefined) return undefined;
  return { is: "session", sessionId: conversation.sessionId, resumeAt: left.checkpoint, waiting: left.waiting };
}

/** Whether its conversation can be taken back for another one. */
export function isFree(stands: Stands): boolean {
  return stands.is === "chat" && stands.waiting === undefined;
}

/** One that waits for results can be given these alone. */
export function mayFollow({ waiting }: Stands, prompt: readonly ContentBlock[]): boolean {
  return waiting === undefined || liveResults(waiting, prompt) !== undefined;
}
