// A turn's tokens and its end → Anthropic's fields. Pure.
import type { TurnEvent, Usage } from "../turn/turn.ts";

/** Anthropic's `usage`, as far as Claude Code tells it. */
export interface MessageUsage {
  readonly input_tokens: number;
  readonly cache_creation_input_tokens: number;
  readonly cache_read_input_tokens: number;
  readonly output_tokens: number;
  readonly output_tokens_details: { readonly thinking_tokens: number };
  readonly server_tool_use: null;
}

/** Why an answer ended. */
export interface MessageEnd {
  readonly stop_reason: "end_turn" | "max_tokens" | "stop_sequence" | "tool_use" | "refusal";
  readonly stop_sequence: string | null;
  readonly stop_details: { readonly type: "refusal"; readonly category: null; readonly explanation: null } | null;
}

/** The tokens that a turn used. */
export function toMessageUsage(usage: Usage): MessageUsage {
  return {
    input_tokens: usage.inputTokens,
    cache_creation_input_tokens: usage.cacheCreationTokens,
    cache_read_input_tokens: usage.cacheReadTokens,
    output_tokens: usage.outputTokens,
    output_tokens_details: { thinking_tokens: usage.reasoningTokens },
    server_tool_use: null,
  };
}

/** How a turn ended. */
export function toMessageEnd({ reason, stopSequence }: Extract<TurnEvent, { type: "finish" }>): MessageEnd {
  const end = { stop_sequence: null, stop_details: null };
  switch (reason) {
    case "stop":
      return stopSequence === undefined
        ? { ...end, stop_reason: "end_turn" }
        : { ...end, stop_reason: "stop_sequence", stop_sequence: stopSequence };
    case "length":
      return { ...end, stop_reason: "max_tokens" };
    case "tool_calls":
      return { ...end, stop_reason: "tool_use" };
    case "refusal":
      return {
        ...end,
        stop_reason: "refusal",
        stop_details: { type: "refusal", category: null, explanation: null },
      };
  }
}
