// Usage numbers of a request's input, with a small imitation of the prompt cache. Estimates: four bytes are a token.
import type { Usage } from "./message.ts";
import { estimateTokens } from "./pieces.ts";

export type InputUsage = Omit<Usage, "output_tokens">;

const MARKER = '"cache_control"';
const LIFE_MS = 5 * 60_000;
const MAX_PREFIXES = 32;
/** Longer ones are not remembered, so that the cache stays small. */
const MAX_PREFIX_LENGTH = 1_000_000;

export interface PromptCache {
  /** @param raw the body as text, in the order in which the client wrote it */
  measure(raw: string): InputUsage;
}

/** What stands before a `cache_control` mark is remembered for five minutes; a later body that begins alike reads it. */
export function createPromptCache(clock: () => number): PromptCache {
  const prefixes = new Map<string, number>();
  return {
    measure(raw) {
      let marked = raw.lastIndexOf(MARKER);
      if (marked < 0) return inputUsage(raw.length, 0, 0);
      const now = clock();
      let read = 0;
      for (const [prefix, usedAt] of prefixes) {
        if (usedAt + LIFE_MS < now) prefixes.delete(prefix);
        else if (prefix.length > read && raw.startsWith(prefix)) read = prefix.length;
      }
      const created = Math.max(0, marked - read);
      // The API allows four marks.
      for (let count = 0; count < 4 && marked >= 0; count += 1) {
        if (marked <= MAX_PREFIX_LENGTH) remember(prefixes, raw.slice(0, marked), now);
        marked = marked === 0 ? -1 : raw.lastIndexOf(MARKER, marked - 1);
      }
      return inputUsage(raw.length - read - created, created, read);
    },
  };
}

function remember(prefixes: Map<string, number>, prefix: string, now: number): void {
  prefixes.delete(prefix);
  prefixes.set(prefix, now);
  if (prefixes.size <= MAX_PREFIXES) return;
  const oldest = prefixes.keys().next();
  if (oldest.done === false) prefixes.delete(oldest.value);
}

function inputUsage(plain: number, created: number, read: number): InputUsage {
  return {
    input_tokens: estimateTokens(Math.max(0, plain)),
    cache_creation_input_tokens: created === 0 ? 0 : estimateTokens(created),
    cache_read_input_tokens: read === 0 ? 0 : estimateTokens(read),
  };
}
