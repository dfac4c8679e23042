// Messages as the Agent SDK hands them over, for tests that need no process: only the fields that anything reads.
import type { SDKAssistantMessageError, SDKMessage } from "@anthropic-ai/claude-agent-sdk";

type StreamEvent = Extract<SDKMessage, { type: "stream_event" }>["event"];
type AssistantMessage = Extract<SDKMessage, { type: "assistant" }>;

/** A content block of an answer. */
export type Block =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "thinking"; readonly thinking: string; readonly signature: string }
  | { readonly type: "tool_use"; readonly id: string; readonly name: string; readonly input: object };

export const text = (words: string): Block => ({ type: "text", text: words });
export const thinking = (words: string, signature = "sig"): Block => ({ type: "thinking", thinking: words, signature });
export const toolUse = (id: string): Block => ({ type: "tool_use", id, name: "Bash", input: { command: "ls" } });

// The SDK's types name dozens of fields that nothing here reads: hence the assertions in this file.
const event = (fields: object) => fields as StreamEvent;

export const messageStart = (id: string, usage: object = {}) =>
  event({ type: "message_start", message: { id, usage: { input_tokens: 10, output_tokens: 1, ...usage } } });
export const blockStart = (type: Block["type"]) =>
  event({ type: "content_block_start", index: 0, content_block: { type, id: "toolu_1", name: "Bash", input: {} } });
export const textDelta = (words: string) =>
  event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: words } });
export const thinkingDelta = (words: string) =>
  event({ type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: words } });
const signatureDelta = (signature: string) =>
  event({ type: "content_block_delta", index: 0, delta: { type: "signature_delta", signature } });
const inputDelta = (json: string) =>
  event({ type: "content_block_delta", index: 0, delta: { type: "input_json_delta", partial_json: json } });
export const blockStop = () => event({ type: "content_block_stop", index: 0 });
export const messageDelta = (reason = "end_turn", usage: object = {}, stopSequence: string | null = null) =>
  event({
    type: "message_delta",
    delta: { stop_reason: reason, stop_sequence: stopSequence },
    usage: { output_tokens: 5, ...usage },
  });
const messageStop = () => event({ type: "message_stop" });

/** A whole call as its stream events; each text is one delta. */
export function streamed(id: string, blocks: readonly Block[], reason = "end_turn"): StreamEvent[] {
  return [
    messageStart(id),
    ...blocks.flatMap((block) => [blockStart(block.type), ...deltas(block), blockStop()]),
    messageDelta(reason),
    messageStop(),
  ];
}

function deltas(block: Block): StreamEvent[] {
  if (block.type === "text") return [textDelta(block.text)];
  if (block.type === "thinking") return [thinkingDelta(block.thinking), signatureDelta(block.signature)];
  return [inputDelta(JSON.stringify(block.input))];
}

/** The SDK's wrapping of a stream event. */
export const streamEvent = (inner: StreamEvent, parent: string | null = null) =>
  ({
    type: "stream_event",
    event: inner,
    parent_tool_use_id: parent,
    uuid: "u",
    session_id: "s",
  }) as unknown as SDKMessage;

/** An assistant message with one block of a call, as the SDK sends it. */
export const assistant = (
  id: string,
  blocks: readonly Block[],
  more: { readonly uuid?: string; readonly parent?: string; readonly stopReason?: string } = {},
) =>
  ({
    type: "assistant",
    uuid: more.uuid ?? `uuid-of-${id}`,
    parent_tool_use_id: more.parent ?? null,
    session_id: "s",
    message: {
      id,
      model: "claude-sonnet",
      content: blocks,
      stop_reason: more.stopReason ?? null,
      stop_sequence: null,
      usage: { input_tokens: 10, output_tokens: 5 },
    },
  }) as unknown as AssistantMessage;

/** What Claude Code says itself in an assistant's place. */
export const synthetic = (words: string, error?: SDKAssistantMessageError) =>
  ({
    ...assistant("synthetic", [text(words)]),
    ...(error === undefined ? {} : { error }),
    message: { ...assistant("synthetic", [text(words)]).message, model: "<synthetic>" },
  }) as AssistantMessage;

/** A run's last message. */
export const result = (fields: object = {}) =>
  ({ type: "result", subtype: "success", is_error: false, result: "", total_cost_usd: 0.25, ...fields }) as SDKMessage;

export const system = (subtype: string, fields: object = {}) => ({ type: "system", subtype, ...fields }) as SDKMessage;
