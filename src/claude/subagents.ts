// What a run's messages tell of its subagents and background tasks: that they are at work, and that the credential fails them.
// Claude Code hides a subagent's failure: the run goes on with "API Error" as the Agent tool's answer, and ends well.
import type { SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import type { Signal } from "../auth/signal.ts";
import { isSynthetic } from "./signals.ts";

/** What is told of them. */
export type SubagentEvent =
  /** A task began or ended: what is unfinished would be lost with the process. */
  | { readonly type: "task"; readonly id: string; readonly isOpen: boolean }
  /** A subagent's call was rejected; Claude Code asks again by itself. */
  | { readonly type: "signal"; readonly signal: Signal; readonly isFinal: false; readonly isSubagent: true }
  /** A subagent gave up for the credential's sake: what its tool answered is no answer. */
  | { readonly type: "subagent-lost" };

/** Follows one run's messages. */
export interface SubagentReader {
  read(message: SDKMessage): SubagentEvent[];
}

/** Makes a reader. */
export function createSubagentReader(): SubagentReader {
  /** Agent tools whose subagent waits for a call that is rejected. */
  const rejected = new Set<string>();

  return {
    read(message) {
      switch (message.type) {
        case "system":
          if (message.subtype === "task_started") return [{ type: "task", id: message.task_id, isOpen: true }];
          if (message.subtype === "task_notification") return [{ type: "task", id: message.task_id, isOpen: false }];
          return [];
        case "tool_progress": {
          const { parent_tool_use_id: tool, subagent_retry: retry } = message;
          if (tool === null) return [];
          // Without a retry: the call was answered.
          if (retry === undefined) rejected.delete(tool);
          if (retry?.error_category !== "authentication_failed") return [];
          rejected.add(tool);
          const { error_category: error, error_status: status, attempt } = retry;
          const signal: Signal = { source: "api_retry", error, status, attempt };
          return [{ type: "signal", signal, isFinal: false, isSubagent: true }];
        }
        case "assistant":
          if (message.parent_tool_use_id !== null && !isSynthetic(message)) rejected.delete(message.parent_tool_use_id);
          return [];
        case "user": {
          const { content } = message.message;
          if (message.parent_tool_use_id !== null || typeof content === "string") return [];
          const isLost = content.some((block) => block.type === "tool_result" && rejected.has(block.tool_use_id));
          return isLost ? [{ type: "subagent-lost" }] : [];
        }
        default:
          return [];
      }
    },
  };
}
