// What a run says to its process: the prompt, the results for which it waits, and what comes in between. Reads nothing of its answer.
import type { ContentBlock } from "../turn/turn.ts";
import { type Handed, liveResults, type ToolTalk } from "./hand-over.ts";
import type { Taken } from "./pool-contract.ts";
import type { Conversation } from "./profile.ts";
import type { RunEvent, RunSpec } from "./run.ts";
import type { ClaudeProcess } from "./sdk-process.ts";
import type { ToolResult } from "./tool-server.ts";

/** What is said to the process in between, and whether anything was. */
export function createTalk(claude: ClaudeProcess): ToolTalk & { readonly hasSpoken: boolean } {
  let hasSpoken = false;
  return {
    get hasSpoken() {
      return hasSpoken;
    },
    answer(results: readonly ToolResult[]) {
      hasSpoken = true;
      claude.answer(results);
    },
    send(prompt: readonly ContentBlock[]) {
      hasSpoken = true;
      claude.send(prompt);
    },
  };
}

/** Says what the run was asked: a prompt, or the results for which its process waits. @returns the id of its last prompt. */
export function goOn(claude: ClaudeProcess, { waiting, lastPrompt }: Taken, { prompt }: RunSpec): string {
  const results = waiting === undefined ? undefined : liveResults(waiting, prompt);
  if (results === undefined) return claude.send(prompt);
  claude.answer(results);
  return lastPrompt ?? "";
}

/** Own tools that begin only now belong to a message of the run before: who follows this one has to know of it. */
export function* replay({ messageId, calls }: Handed, conversation: Conversation): Generator<RunEvent> {
  const isDone = calls.every(({ isClients, result }) => isClients || result !== undefined);
  if (isDone || conversation.kind !== "resume") return;
  yield { type: "tool-use", messageId, tools: calls };
  yield { type: "checkpoint", uuid: conversation.resumeAt, messageId };
  const results = calls.flatMap(({ id, result }) => (result === undefined ? [] : [{ id, block: result }]));
  if (results.length > 0) yield { type: "tool-result", results };
}
