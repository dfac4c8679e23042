// Anthropic's message, whole: what a stream's events add up to. Pure.
import type { TurnEvent } from "../turn/turn.ts";
import type { StreamEvent } from "./stream.ts";
import type { MessageEnd, MessageUsage } from "./usage.ts";

/** One block of an answer. */
export type AnswerBlock =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "thinking"; readonly thinking: string; readonly signature: string }
  | {
      readonly type: "tool_use";
      readonly id: string;
      readonly name: string;
      readonly input: unknown;
      /** The model itself called it. */
      readonly caller: { readonly type: "direct" };
    };

/** Anthropic's `message`. */
export interface MessageObject {
  /** `msg_…` */
  readonly id: string;
  readonly type: "message";
  readonly role: "assistant";
  /** As the client named it. */
  readonly model: string;
  readonly content: readonly AnswerBlock[];
  readonly container: null;
  readonly stop_reason: MessageEnd["stop_reason"] | null;
  readonly stop_sequence: string | null;
  readonly stop_details: MessageEnd["stop_details"];
  readonly usage: MessageUsage;
}

/** Gathers a turn's events, as `toStreamEvents` tells them, into their message. Failures of the turn pass through. */
export async function toMessage(
  events: AsyncIterable<TurnEvent>,
  toStreamEvents: (event: TurnEvent) => readonly StreamEvent[],
): Promise<MessageObject> {
  let message: MessageObject | undefined;
  const blocks: AnswerBlock[] = [];
  const pieces: string[] = [];
  let signature = "";
  for await (const turnEvent of events) {
    for (const event of toStreamEvents(turnEvent)) {
      switch (event.type) {
        case "message_start":
          ({ message } = event);
          break;
        case "content_block_start":
          blocks.push(event.content_block);
          break;
        case "content_block_delta":
          if (event.delta.type === "signature_delta") ({ signature } = event.delta);
          else pieces.push(pieceOf(event.delta));
          break;
        case "content_block_stop":
          blocks.push(fill(blocks.pop(), pieces.splice(0).join(""), signature));
          signature = "";
          break;
        case "message_delta":
          if (message !== undefined) message = { ...message, ...event.delta, usage: event.usage, content: blocks };
          break;
        case "message_stop":
          if (message !== undefined) return message;
          break;
        case "ping":
      }
    }
  }
  throw new Error("A turn ended without finish and without an error."); // RunTurn's contract forbids it.
}

type Delta = Extract<StreamEvent, { type: "content_block_delta" }>["delta"];

function pieceOf(delta: Exclude<Delta, { type: "signature_delta" }>): string {
  switch (delta.type) {
    case "text_delta":
      return delta.text;
    case "thinking_delta":
      return delta.thinking;
    case "input_json_delta":
      return delta.partial_json;
  }
}

function fill(begun: AnswerBlock | undefined, content: string, signature: string): AnswerBlock {
  switch (begun?.type) {
    case "thinking":
      return { ...begun, thinking: content, signature };
    case "tool_use":
      return { ...begun, input: JSON.parse(content === "" ? "{}" : content) as unknown };
    default:
      return { type: "text", text: content };
  }
}
