// The events of a streamed reply as strings, ready to be written. Pure.
// Shapes: https://docs.claude.com/en/docs/build-with-claude/streaming (read 2026-11)
import type { Reply, ReplyBlock } from "./reply.ts";

export const PING = 'event: ping\ndata: {"type":"ping"}\n\n';
export const MESSAGE_STOP = 'event: message_stop\ndata: {"type":"message_stop"}\n\n';

export function startEvent({ id, model, usage }: Reply): string {
  const message = {
    id,
    type: "message",
    role: "assistant",
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { ...usage, output_tokens: 1, service_tier: "standard" },
  };
  return `event: message_start\ndata: ${JSON.stringify({ type: "message_start", message })}\n\n`;
}

export function endEvent({ stopReason, stopSequence, usage }: Reply): string {
  const delta = { stop_reason: stopReason, stop_sequence: stopSequence };
  return `event: message_delta\ndata: ${JSON.stringify({ type: "message_delta", delta, usage })}\n\n`;
}

export function blockStart(index: number, block: ReplyBlock): string {
  const empty =
    block.type === "text"
      ? { type: "text", text: "" }
      : block.type === "thinking"
        ? { type: "thinking", thinking: "", signature: "" }
        : { type: "tool_use", id: block.id, name: block.name, input: {} };
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
    stop_reason: stopReason,
    stop_sequence: stopSequence,
    usage: { ...usage, service_tier: "standard" },
  };
}

function toContentBlock(block: ReplyBlock): object {
  if (block.type === "tool_use") {
    return { type: "tool_use", id: block.id, name: block.name, input: block.input };
  }
  const text = block.pieces.join("");
  return block.type === "text"
    ? { type: "text", text }
    : { type: "thinking", thinking: text, signature: block.signature };
}
