// Where the conversation of a process stands between two runs, and so which run may follow there.
import type { Message } from "../turn/turn.ts";
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
    }
  | { readonly is: "session"; readonly sessionId: string; readonly resumeAt: string };

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
): Stands | undefined {
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
    };
  }
  // What has a transcript that is deleted would write it anew.
  if (reuse?.isSession !== true || left.checkpoint === undefined) return undefined;
  return { is: "session", sessionId: conversation.sessionId, resumeAt: left.checkpoint };
}
