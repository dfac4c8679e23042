// Tokens that model calls used: from the Messages API's fields, and added up.
import type { Usage } from "../turn/turn.ts";

/** What the Messages API counts; fields that an older or other upstream leaves out are 0. */
interface CountedTokens {
  readonly input_tokens?: number | null;
  readonly cache_read_input_tokens?: number | null;
  readonly cache_creation_input_tokens?: number | null;
  readonly output_tokens: number;
  readonly output_tokens_details?: { readonly thinking_tokens: number } | null;
}

/** No tokens at all. */
export const noUsage: Usage = {
  inputTokens: 0,
  cacheReadTokens: 0,
  cacheCreationTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
};

/** One call's tokens. */
export function toUsage(counted: CountedTokens): Usage {
  return {
    inputTokens: counted.input_tokens ?? 0,
    cacheReadTokens: counted.cache_read_input_tokens ?? 0,
    cacheCreationTokens: counted.cache_creation_input_tokens ?? 0,
    outputTokens: counted.output_tokens,
    reasoningTokens: counted.output_tokens_details?.thinking_tokens ?? 0,
  };
}

/** The sum of two calls' or two runs' tokens. */
export function addUsage(a: Usage, b: Usage): Usage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
    cacheCreationTokens: a.cacheCreationTokens + b.cacheCreationTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    reasoningTokens: a.reasoningTokens + b.reasoningTokens,
  };
}
