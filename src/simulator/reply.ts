// Content blocks → the reply as it will be sent: cut into pieces, held to max_tokens and stop sequences. Pure.
import type { Rule } from "./contract.ts";
import { type AnswerBlock, createId, type Usage } from "./message.ts";
import { fillerPieces, toJsonPieces, toPieces } from "./pieces.ts";
import type { ParsedRequest } from "./request.ts";

/** One block, ready to be streamed. */
export type ReplyBlock =
  | { readonly type: "text"; readonly pieces: readonly string[] }
  | { readonly type: "thinking"; readonly pieces: readonly string[]; readonly signature: string }
  | {
      readonly type: "tool_use";
      readonly id: string;
      readonly name: string;
      readonly input: Readonly<Record<string, unknown>>;
      readonly pieces: readonly string[];
    };

export interface Reply {
  readonly id: string;
  readonly model: string;
  readonly blocks: readonly ReplyBlock[];
  readonly stopReason: string;
  readonly stopSequence: string | null;
  readonly usage: Usage;
}

/** Shapes a rule's or a built-in answer. */
export function createReply(
  request: ParsedRequest,
  answer: readonly AnswerBlock[],
  rule: Rule | null,
  inputUsage: Omit<Usage, "output_tokens">,
): Reply {
  const blocks: ReplyBlock[] = [];
  let left = request.maxTokens;
  let stopSequence: string | null = null;
  let cut = false;

  const given =
    rule?.tokens === undefined
      ? answer.map((block) => toReplyBlock(block, request))
      : [{ type: "text" as const, pieces: fillerPieces(rule.tokens) }];
  for (const block of given) {
    const stopped = block.type === "text" ? stopAt(block.pieces, request.stopSequences) : null;
    const whole: ReplyBlock = stopped === null || block.type !== "text" ? block : { ...block, pieces: stopped.pieces };
    const fits = whole.pieces.length <= left;
    // A tool's input that is cut off is no JSON any more: the block is left out.
    if (fits) blocks.push(whole);
    else if (left > 0 && whole.type !== "tool_use") {
      blocks.push({ ...whole, pieces: whole.pieces.slice(0, left) });
    }
    left -= Math.min(left, whole.pieces.length);
    cut = !fits;
    if (fits && stopped !== null) stopSequence = stopped.sequence;
    if (cut || stopSequence !== null) break;
  }

  const calls = blocks.some((block) => block.type === "tool_use");
  const natural = calls ? "tool_use" : "end_turn";
  const stopReason = cut ? "max_tokens" : stopSequence === null ? natural : "stop_sequence";
  const output = blocks.reduce((sum, block) => sum + block.pieces.length, 0);
  return {
    id: createId("msg"),
    model: request.model,
    blocks,
    stopReason: rule?.stopReason ?? stopReason,
    stopSequence,
    usage: { ...inputUsage, output_tokens: Math.max(1, output), ...rule?.usage },
  };
}

function toReplyBlock(block: AnswerBlock, request: ParsedRequest): ReplyBlock {
  if (block.type === "text") return { type: "text", pieces: toPieces(block.text) };
  if (block.type === "thinking") {
    const pieces = request.thinkingOmitted ? [] : toPieces(block.thinking);
    return {
      type: "thinking",
      pieces,
      signature: block.signature ?? makeSignature(block.thinking),
    };
  }
  const { name, input } = block;
  const pieces = toJsonPieces(JSON.stringify(input));
  return { type: "tool_use", id: block.id ?? createId("toolu"), name, input, pieces };
}

/** Looks like the API's: base64 of some length. Nobody checks it. */
function makeSignature(thinking: string): string {
  return Buffer.from(`simulated:${thinking.slice(0, 60)}`)
    .toString("base64")
    .padEnd(96, "A");
}

function stopAt(
  pieces: readonly string[],
  sequences: readonly string[],
): { readonly pieces: readonly string[]; readonly sequence: string } | null {
  if (sequences.length === 0) return null;
  const text = pieces.join("");
  let at = -1;
  let sequence = "";
  for (const candidate of sequences) {
    const found = text.indexOf(candidate);
    if (found < 0 || (at >= 0 && found >= at)) continue;
    at = found;
    sequence = candidate;
  }
  return at < 0 ? null : { pieces: toPieces(text.slice(0, at)), sequence };
}
