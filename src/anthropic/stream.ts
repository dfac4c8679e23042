// TurnEvents → the events of Anthropic's message stream. Pure: holds only what one stream needs to remember.
import type { TurnEvent } from "../turn/turn.ts";
import type { AnswerBlock, MessageObject } from "./message.ts";
import type { ShownThinking } from "./to-turn.ts";
import { type MessageEnd, type MessageUsage, toMessageEnd, toMessageUsage } from "./usage.ts";

/** One event of the stream; `type` is the SSE event's name, too. */
export type StreamEvent =
  | { readonly type: "message_start"; readonly message: MessageObject }
  | { readonly type: "ping" }
  | { readonly type: "content_block_start"; readonly index: number; readonly content_block: AnswerBlock }
  | {
      readonly type: "content_block_delta";
      readonly index: number;
      readonly delta:
        | { readonly type: "text_delta"; readonly text: string }
        | { readonly type: "thinking_delta"; readonly thinking: string }
        | { readonly type: "signature_delta"; readonly signature: string }
        | { readonly type: "input_json_delta"; readonly partial_json: string };
    }
  | { readonly type: "content_block_stop"; readonly index: number }
  | {
      readonly type: "message_delta";
      readonly delta: MessageEnd & { readonly container: null };
      readonly usage: MessageUsage;
    }
  | { readonly type: "message_stop" };

/** What a stream's frame says beside its content. */
export interface AnswerFrame {
  /** `msg_…` */
  readonly id: string;
  /** The model as the client named it. */
  readonly model: string;
  readonly shownThinking: ShownThinking;
}

type Delta = Extract<StreamEvent, { type: "content_block_delta" }>["delta"];
type Kind = Extract<TurnEvent, { type: "delta" }>["kind"];

const noTokens = { inputTokens: 0, cacheReadTokens: 0, cacheCreationTokens: 0, outputTokens: 0, reasoningTokens: 0 };

/**
 * Makes the mapping of one stream: each event of the turn gives none, one or more. The first are `message_start`, sent once the
 * model has the request, and a `ping`, as Anthropic's own streams begin. What the tokens are is known at the end alone.
 */
export function createStreamMapper({
  id,
  model,
  shownThinking,
}: AnswerFrame): (event: TurnEvent) => readonly StreamEvent[] {
  let hasBegun = false;
  let isOpen = false;
  let index = -1;

  function begin(): StreamEvent[] {
    if (hasBegun) return [];
    hasBegun = true;
    const message: MessageObject = {
      id,
      type: "message",
      role: "assistant",
      model,
      content: [],
      container: null,
      stop_reason: null,
      stop_sequence: null,
      stop_details: null,
      usage: toMessageUsage(noTokens),
    };
    return [{ type: "message_start", message }, { type: "ping" }];
  }

  function open(block: AnswerBlock): StreamEvent[] {
    if (isOpen) return [];
    isOpen = true;
    index += 1;
    return [...begin(), { type: "content_block_start", index, content_block: block }];
  }

  function close(): StreamEvent[] {
    if (!isOpen) return [];
    isOpen = false;
    return [{ type: "content_block_stop", index }];
  }

  const tell = (delta: Delta): StreamEvent => ({ type: "content_block_delta", index, delta });

  function say(kind: Kind, text: string): StreamEvent[] {
    // Not before its first word: clients send an answer's blocks back, and an empty text is refused.
    if (kind === "text")
      return text === "" ? [] : [...open({ type: "text", text: "" }), tell({ type: "text_delta", text })];
    if (text === "" || shownThinking !== "all") return [];
    return [...open(emptyThinking), tell({ type: "thinking_delta", thinking: text })];
  }

  return (event) => {
    switch (event.type) {
      case "phase":
        return event.phase === "working" ? begin() : [];
      case "delta":
        return say(event.kind, event.text);
      case "block-stop": {
        const { kind, signature } = event;
        if (kind === "text" || shownThinking === "nothing" || signature === undefined) return close();
        return [...open(emptyThinking), tell({ type: "signature_delta", signature }), ...close()];
      }
      case "tool-start":
        return open({ type: "tool_use", id: event.id, name: event.name, input: {}, caller: { type: "direct" } });
      case "tool-delta":
        return event.json === "" ? [] : [tell({ type: "input_json_delta", partial_json: event.json })];
      case "tool-stop":
        return close();
      case "finish":
        return [
          ...begin(),
          ...close(),
          {
            type: "message_delta",
            delta: { ...toMessageEnd(event), container: null },
            usage: toMessageUsage(event.usage),
          },
          { type: "message_stop" },
        ];
      default:
        return [];
    }
  };
}

const emptyThinking: AnswerBlock = { type: "thinking", thinking: "", signature: "" };
