// SDK message → signal: what a message of the Agent SDK says about a failure, with its provenance.
// Judges nothing, and never takes a tool's output or the model's own words as evidence.
import type { SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import type { Signal } from "../auth/signal.ts";

/** `message.model` of what Claude Code says itself in an assistant's place; never an answer. */
const syntheticModel = "<synthetic>";

/** The failure that a message reports, if it reports one. */
export function toSignal(message: SDKMessage): Signal | undefined {
  switch (message.type) {
    case "system":
      if (message.subtype === "api_retry") {
        const { error, error_status: status, attempt } = message;
        return { source: "api_retry", error, status, attempt };
      }
      if (message.subtype === "task_notification" && message.status === "failed") {
        return { source: "subagent", text: message.summary };
      }
      return undefined;
    case "assistant": {
      if (!isSynthetic(message)) return undefined;
      const { content } = message.message;
      const text = content.map((block) => (block.type === "text" ? block.text : "")).join("\n");
      return { source: "assistant", error: message.error, status: null, text };
    }
    case "result": {
      if (!message.is_error) return undefined;
      const text = message.subtype === "success" ? message.result : message.errors.join("\n");
      const status = ("api_error_status" in message ? message.api_error_status : null) ?? null;
      return { source: "result", error: undefined, status, text };
    }
    case "auth_status":
      if (message.error === undefined) return undefined;
      return { source: "auth_status", error: message.error, text: message.error };
    default:
      return undefined;
  }
}

/** Whether an assistant message holds Claude Code's own words about a failure instead of a model's answer. */
export function isSynthetic(message: Extract<SDKMessage, { type: "assistant" }>): boolean {
  return message.error !== undefined || message.message.model === syntheticModel;
}
