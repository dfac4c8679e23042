// Where a run stops because the client has to act: the model has called its tools. Judges the calls, has the model called once more
// where they miss a strict schema or are missing altogether, and says when nothing of Claude Code's own is at work any more.
// Claude Code runs the calls of one message in order, and one of the client's alone (measured, 2.1.330): while the first of those
// waits, every own tool before it has answered and none after it has begun.
import { CcapiError } from "../auth/errors.ts";
import type { ContentBlock } from "../turn/turn.ts";
import { mustCall, type ToolSettings } from "./toolbox.ts";
import type { CallReader, ToolCall } from "./tool-calls.ts";
import { isPlainResult, type ToolResult } from "./tool-server.ts";

/** A call of the message with which a run was handed over. */
export interface HandedCall {
  readonly id: string;
  /** Its name for the model. */
  readonly name: string;
  /** The client brings its result; else Claude Code has, or we have. */
  readonly isClients: boolean;
  /** What is known of it: `undefined` for the client's, and for own tools after the client's first, which have not begun. */
  readonly result?: ToolResult | undefined;
}

/** The calls that a run was handed over with, in the model's order. */
export interface Handed {
  readonly messageId: string;
  readonly calls: readonly HandedCall[];
}

/** What a run says to its process in between. */
export interface ToolTalk {
  /** Hands over results of calls. */
  answer(results: readonly ToolResult[]): void;
  /** Another prompt. */
  send(prompt: readonly ContentBlock[]): unknown;
}

/** Follows one run. */
export interface HandOver {
  /** Tools have answered. */
  noteResults(results: readonly { readonly id: string; readonly block: ContentBlock }[]): void;
  /** The model's message is complete but for its end. @throws CcapiError `tool_call_missing` where it was asked in vain. */
  judge(): void;
  /** Its end has come. */
  end(messageId: string): void;
  /** What is to be handed over, once that can be done. */
  readonly ready: Handed | undefined;
  /** Whether the answer, which has ended, lacks a call; the model is then asked once. @throws CcapiError `tool_call_missing` */
  askForCall(): boolean;
}

/** Follows a run's calls. */
export function createHandOver(turn: ToolSettings, calls: CallReader, talk: ToolTalk): HandOver {
  const results = new Map<string, ToolResult>();
  let isJudged = false;
  let messageId: string | undefined;
  let hasAskedAgain = false;

  function askAgain(reason: string): void {
    if (hasAskedAgain) {
      throw new CcapiError("tool_call_missing", `The model was asked twice and ${reason}.`);
    }
    hasAskedAgain = true;
  }

  function answer(call: ToolCall, text: string): void {
    const result: ToolResult = { type: "tool_result", tool_use_id: call.id, content: text, is_error: true };
    talk.answer([result]);
    results.set(call.id, result);
  }

  const clients = () => calls.calls.filter(({ offered }) => offered !== undefined);

  return {
    noteResults(noted) {
      for (const { id, block } of noted) if (block.type === "tool_result") results.set(id, block);
    },
    judge() {
      isJudged = false;
      messageId = undefined;
      if (clients().length === 0) return;
      const { faults } = calls;
      if (faults.size > 0) {
        askAgain("did not call a tool with arguments that its strict schema allows");
        for (const call of clients()) {
          const fault = faults.get(call.id);
          answer(
            call,
            fault === undefined
              ? "Not run, because another call beside it was invalid. Make both again."
              : `Not run: the arguments do not match the tool's schema: ${fault}. Call it again with arguments that do.`,
          );
        }
        return;
      }
      for (const call of clients())
        if (call.isSurplus) answer(call, "Not run: one call at a time. Make it again if it still is needed.");
      isJudged = true;
    },
    end(id) {
      if (isJudged) messageId = id;
    },
    get ready() {
      if (messageId === undefined) return undefined;
      const all = calls.calls;
      const first = all.findIndex(({ offered }) => offered !== undefined);
      if (all.slice(0, first).some(({ id }) => !results.has(id))) return undefined;
      return {
        messageId,
        calls: all.map(({ id, name, offered, isSurplus }) => ({
          id,
          name,
          isClients: offered !== undefined && !isSurplus,
          result: results.get(id),
        })),
      };
    },
    askForCall() {
      if (!mustCall(turn)) return false;
      askAgain("called no tool, although it had to");
      const { toolChoice } = turn;
      const which = toolChoice.type === "tool" ? `the tool ${calls.nameOf(toolChoice.name)}` : "one of the tools";
      talk.send([{ type: "text", text: `Call ${which} now.` }]);
      return true;
    },
  };
}

/**
 * The results that the client brings to a hand-over, where a live process can take them and nothing else was said. Beside them may stand
 * those that the process knows.
 */
export function liveResults({ calls }: Handed, prompt: readonly ContentBlock[]): ToolResult[] | undefined {
  const results = new Map(
    prompt.flatMap((block) => (block.type === "tool_result" ? [[block.tool_use_id, block] as const] : [])),
  );
  const isElse = prompt.some(
    (block) => block.type !== "tool_result" || calls.every(({ id }) => id !== block.tool_use_id),
  );
  const brought = calls.filter(({ isClients }) => isClients).map(({ id }) => results.get(id));
  const plain = brought.filter((result) => result !== undefined).filter(isPlainResult);
  return !isElse && plain.length === brought.length ? plain : undefined;
}
