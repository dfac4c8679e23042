// The shapes of an answer of the Messages API, and the making of ids. No decisions.
import { randomBytes } from "node:crypto";

/** A content block of an answer, as a rule or the built-in answers give it. */
export type AnswerBlock =
  | { readonly type: "text"; readonly text: string }
  /** Without `signature` a made-up one is sent. */
  | { readonly type: "thinking"; readonly thinking: string; readonly signature?: string }
  /** Without `id` a fresh one is sent. */
  | {
      readonly type: "tool_use";
      readonly name: string;
      readonly input: Readonly<Record<string, unknown>>;
      readonly id?: string;
    };

/** Token counts of one answer. */
export interface Usage {
  readonly input_tokens: number;
  readonly cache_creation_input_tokens: number;
  readonly cache_read_input_tokens: number;
  readonly output_tokens: number;
}

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** An id in the API's manner, such as `msg_01` and 22 letters and digits. */
export function createId(prefix: "msg" | "req" | "toolu"): string {
  let id = `${prefix}_01`;
  for (const byte of randomBytes(22)) id += ALPHABET[byte % ALPHABET.length];
  return id;
}
