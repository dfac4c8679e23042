// The Messages API's token counts → OpenAI's. Pure.
import type { FinishReason, Usage } from "../../turn/turn.ts";

/** OpenAI's `usage`. */
export interface ChatUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number };
  readonly completion_tokens_details: { readonly reasoning_tokens: number };
}

/** OpenAI counts cached tokens among the prompt's. */
export function toChatUsage(usage: Usage): ChatUsage {
  const prompt = usage.inputTokens + usage.cacheReadTokens + usage.cacheCreationTokens;
  return {
    prompt_tokens: prompt,
    completion_tokens: usage.outputTokens,
    total_tokens: prompt + usage.outputTokens,
    prompt_tokens_details: { cached_tokens: usage.cacheReadTokens },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  };
}

/** OpenAI's `finish_reason`. */
export type ChatFinishReason = "stop" | "length" | "tool_calls" | "content_filter";

/** Clients reject finish reasons outside OpenAI's set. */
export function toChatFinishReason(reason: FinishReason): ChatFinishReason {
  return reason === "refusal" ? "content_filter" : reason;
}
