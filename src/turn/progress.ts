// How far a run came, from its own events: what the client has, which tools the model asked for and what they answered.
// Says whether another run can go on from there so that nothing runs twice and nothing is missing.
import type { RunEvent } from "../claude/run.ts";
import { noUsage } from "../claude/usage.ts";
import type { ContentBlock, Delivery, Usage } from "./turn.ts";

/** Where a run stands. */
export type Standing =
  /** Nothing was sent and no tool was asked for: it can be run again. */
  | { readonly is: "untouched" }
  /** Every tool of the last call has answered, and the next call has said nothing yet: it can go on from the message `resumeAt`. */
  | { readonly is: "between-calls"; readonly resumeAt: string; readonly results: readonly ContentBlock[] }
  /** In the middle of a call's words. */
  | { readonly is: "mid-answer" }
  /** A tool has not answered, or a task in the background is not done: it may have done its work, or be doing it. */
  | { readonly is: "mid-tool" };

/** Follows one run. */
export interface Progress {
  /** Call with every event of the run, in order. */
  note(event: RunEvent): void;
  readonly standing: Standing;
  /** Names of the tools that were asked for, in order. */
  readonly tools: readonly string[];
  /** What the run's calls have used so far. */
  readonly usage: Usage;
}

/**
 * Makes a progress at a run's beginning. To a client that gets the answer as a whole, words of a call that was broken off were never
 * said: only what tools did can't be taken back.
 *
 * @param isHeldBack the words of a call are sent once all of it is there and has its form: of a message that is complete nothing need
 *   have been sent.
 */
export function createProgress(delivery: Delivery = "stream", isHeldBack = false): Progress {
  let hasSpoken = false;
  /** Words of a call that has not been completed by its message. */
  let isSpeaking = false;
  /** The last call that asked for tools. */
  let messageId: string | undefined;
  let resumeAt: string | undefined;
  /** The call of the message `resumeAt`. */
  let resumeAtId: string | undefined;
  const isHeard = delivery === "stream";
  const isMessageHeard = isHeard && !isHeldBack;
  let usage = noUsage;
  const tools: string[] = [];
  /** The last call's tools by their ids, with their answers. */
  const asked = new Map<string, ContentBlock | undefined>();
  /** Tasks that would end with the process. */
  const openTasks = new Set<string>();

  function note(event: RunEvent): void {
    switch (event.type) {
      case "block-start":
      case "delta":
      case "tool-start":
        hasSpoken = isHeard;
        isSpeaking = isHeard;
        break;
      case "tool-use":
        // Claude Code tells of a message block by block; another id is another call, made when all had answered.
        if (event.messageId !== messageId) asked.clear();
        messageId = event.messageId;
        for (const { id, name } of event.tools) {
          asked.set(id, undefined);
          tools.push(name);
        }
        break;
      case "tool-result":
        for (const { id, block } of event.results) if (asked.has(id)) asked.set(id, block);
        break;
      case "checkpoint":
        // What a later call said is no place to go on from where it can be said again.
        if (!isMessageHeard && messageId !== undefined && event.messageId !== messageId) break;
        resumeAt = event.uuid;
        resumeAtId = event.messageId;
        isSpeaking = false;
        break;
      case "task":
        if (event.isOpen) openTasks.add(event.id);
        else openTasks.delete(event.id);
        break;
      case "usage":
        usage = event.usage;
        break;
      default:
    }
  }

  return {
    note,
    get standing(): Standing {
      if (!hasSpoken && tools.length === 0) return { is: "untouched" };
      // A block of a later call is complete, and what that call asks for is not known yet.
      const isLater = isMessageHeard && resumeAtId !== messageId;
      if (isSpeaking || isLater || resumeAt === undefined || asked.size === 0) return { is: "mid-answer" };
      const results = [...asked.values()].filter((block) => block !== undefined);
      const isComplete = results.length === asked.size && openTasks.size === 0;
      return isComplete ? { is: "between-calls", resumeAt, results } : { is: "mid-tool" };
    },
    get tools() {
      return [...tools];
    },
    get usage() {
      return usage;
    },
  };
}
