// The events of a streamed reply as strings, ready to be written. Pure.
// Shapes: https://docs.claude.com/en/docs/build-with-claude/streaming (read 2026-11)
import type { Usage } from "./message.ts";
import type { Reply, ReplyBlock } from "./reply.ts";

/** The model itself called the tool, and no program of its. */
const DIRECT = { type: "direct" };

export const PING = 'event: ping\ndata: {"type":"ping"}\n\n';
export const MESSAGE_STOP = 'event: message_stop\ndata: {"type":"message_stop"}\n\n';

export function startEvent({ id, model, usage }: Reply): string {
  const message = {
    id,
    type: "message",
    role: "assistant",
    model,
    content: [],
    container: null,
    stop_reason: null,
    stop_details: null,
    stop_sequence: null,
    usage: toWireUsage({ ...usage, output_tokens: 1 }, 0),
  };
  return `event: message_start\ndata: ${JSON.stringify({ type: "message_start", message })}\n\n`;
}

export function endEvent(reply: Reply): string {
  const { stopReason, stopSequence } = reply;
  const { service_tier: _, cache_creation: __, ...usage } = toWireUsage(reply.usage, thinkingTokens(reply));
  const delta = { stop_reason: stopReason, stop_sequence: stopSequence };
  return `event: message_delta\ndata: ${JSON.stringify({ type: "message_delta", delta, usage })}\n\n`;
}

export function blockStart(index: number, block: ReplyBlock): string {
  const empty =
    block.type === "text"
      ? { type: "text", text: "", citations: null }
      : block.type === "thinking"
        ? { type: "thinking", thinking: "", signature: "" }
        : { type: "tool_use", id: block.id, name: block.name, input: {}, caller: DIRECT };
  const event = { type: "content_block_start", index, content_block: empty };
  return `event: content_block_start\ndata: ${JSON.stringify(event)}\n\n`;
}

const DELTA_FIELDS = {
  text: ["text_delta", "text"],
  thinking: ["thinking_delta", "thinking"],
  tool_use: ["input_json_delta", "partial_json"],
} as const;

/** The delta events of a block, one string each; what they share is made once. */
export function* deltasOf(index: number, block: ReplyBlock): Generator<string> {
  const [type, field] = DELTA_FIELDS[block.type];
  const head = deltaHead(index, type, field);
  for (const piece of block.pieces) yield `${head}${JSON.stringify(piece)}}}\n\n`;
  if (block.type !== "thinking") return;
  yield `${deltaHead(index, "signature_delta", "signature")}${JSON.stringify(block.signature)}}}\n\n`;
}

/** Usage with the fields that a rule does not set. */
function toWireUsage(usage: Usage, thinking: number) {
  return {
    ...usage,
    cache_creation: {
      ephemeral_5m_input_tokens: usage.cache_creation_input_tokens,
      ephemeral_1h_input_tokens: 0,
    },
    output_tokens_details: { thinking_tokens: thinking },
    service_tier: "standard",
  };
}

function thinkingTokens({ blocks }: Reply): number {
  return blocks.reduce((sum, { type, pieces }) => sum + (type === "thinking" ? pieces.length : 0), 0);
}

function deltaHead(index: number, type: string, field: string): string {
  return `event: content_block_delta\ndata: {"type":"content_block_delta","index":${index},"delta":{"type":"${type}","${field}":`;
}

export function blockStop(index: number): string {
  return `event: content_block_stop\ndata: {"type":"content_block_stop","index":${index}}\n\n`;
}

/** The reply as the body of a request without streaming. */
export function toMessage(reply: Reply): object {
  const { id, model, blocks, stopReason, stopSequence, usage } = reply;
  return {
    id,
    type: "message",
    role: "assistant",
    model,
    content: blocks.map(toContentBlock),
    container: null,
    stop_reason: stopReason,
    stop_details: null,
    stop_sequence: stopSequence,
    usage: toWireUsage(usage, thinkingTokens(reply)),
  };
}

function toContentBlock(block: ReplyBlock): object {
  if (block.type === "tool_use") {
    return { type: "tool_use", id: block.id, name: block.name, input: block.input, caller: DIRECT };
  }
  const text = block.pieces.join("");
  return block.type === "text"
    ? { type: "text", text, citations: null }
    : { type: "thinking", thinking: text, signature: block.signature };
}
