// The Messages API's stream events of one run → text and thinking blocks and the client's tool calls, each token once.
// When Claude Code asks a second time after a stream broke off, what the client already has is not said again.
import type { SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import type { TurnEvent, Usage } from "../turn/turn.ts";
import { createRepeatGuard } from "./repeat-guard.ts";
import type { CallReader } from "./tool-calls.ts";
import { addUsage, noUsage, toUsage } from "./usage.ts";

type AssistantMessage = Extract<SDKMessage, { type: "assistant" }>;
type StreamEvent = Extract<SDKMessage, { type: "stream_event" }>["event"];

/** How one model call ended. */
export interface CallEnd {
  readonly stopReason: string | null;
  readonly stopSequence: string | null;
}

/** Follows the main run's model calls. */
export interface BlockReader {
  /**
   * The events that a stream event stands for.
   *
   * @throws CcapiError `upstream_error` where a second attempt differs from what was already sent.
   */
  onStreamEvent(event: StreamEvent): TurnEvent[];
  /** The events of an assistant message that did not come as a stream; none for one that did. Throws the same. */
  onAssistantMessage(message: AssistantMessage): TurnEvent[];
  /** How the last model call ended, once it has. */
  readonly lastCall: CallEnd | undefined;
  /** Sum over the model calls so far; of a call that was asked again, its last attempt. */
  readonly usage: Usage;
}

/** Makes a reader for one run. @param calls of tools are read by it. */
export function createBlockReader(calls: CallReader): BlockReader {
  const blocks = createRepeatGuard();
  const streamedIds = new Set<string>();
  let usageOfCallsBefore = noUsage;
  let usageOfCall = noUsage;
  let callId: string | undefined;
  let isCallOpen = false;
  let lastCall: CallEnd | undefined;

  function beginCall(id: string, usage: Usage): TurnEvent[] {
    const isSecondAttempt = isCallOpen;
    // Of a call that is asked again, the attempt that broke off doesn't count.
    if (!isSecondAttempt) usageOfCallsBefore = addUsage(usageOfCallsBefore, usageOfCall);
    usageOfCall = usage;
    callId = id;
    isCallOpen = true;
    calls.begin(isSecondAttempt);
    if (isSecondAttempt) return blocks.repeat();
    blocks.begin();
    return [];
  }

  return {
    get lastCall() {
      return lastCall;
    },
    get usage() {
      return addUsage(usageOfCallsBefore, usageOfCall);
    },
    onStreamEvent(event) {
      switch (event.type) {
        case "message_start":
          streamedIds.add(event.message.id);
          return beginCall(event.message.id, toUsage(event.message.usage));
        case "content_block_start": {
          const { content_block: block } = event;
          const closed = [...blocks.close(), ...calls.close()];
          if (block.type === "text" || block.type === "thinking") return [...closed, ...blocks.open(block.type)];
          return block.type === "tool_use" ? [...closed, ...calls.open(block.id, block.name)] : closed;
        }
        case "content_block_delta":
          if (event.delta.type === "text_delta") return blocks.say("text", event.delta.text);
          if (event.delta.type === "thinking_delta") return blocks.say("thinking", event.delta.thinking);
          if (event.delta.type === "input_json_delta") return calls.say(event.delta.partial_json);
          if (event.delta.type === "signature_delta") blocks.sign(event.delta.signature);
          return [];
        // A block's end is told with what follows it: where a stream breaks off, Claude Code ends the block that was cut.
        case "message_delta": {
          // Cumulative within one call.
          const { outputTokens, reasoningTokens } = toUsage(event.usage);
          usageOfCall = { ...usageOfCall, outputTokens, reasoningTokens };
          isCallOpen = false;
          lastCall = { stopReason: event.delta.stop_reason, stopSequence: event.delta.stop_sequence };
          return [...blocks.end(), ...calls.close()];
        }
        default:
          return [];
      }
    },
    onAssistantMessage({ message }) {
      if (streamedIds.has(message.id)) return [];
      // One message for each block, all with the id of their call.
      const begun = message.id === callId ? [] : beginCall(message.id, toUsage(message.usage));
      // It came as a whole: nothing of it will be asked again.
      isCallOpen = false;
      lastCall = { stopReason: message.stop_reason, stopSequence: message.stop_sequence };
      const said = message.content.flatMap((block) => {
        if (block.type === "text")
          return [...blocks.open("text"), ...blocks.say("text", block.text), ...blocks.close()];
        if (block.type === "tool_use") {
          const { id, name, input } = block;
          return [...calls.open(id, name), ...calls.say(JSON.stringify(input)), ...calls.close()];
        }
        if (block.type !== "thinking") return [];
        const events = [...blocks.open("thinking"), ...blocks.say("thinking", block.thinking)];
        blocks.sign(block.signature);
        return [...events, ...blocks.close()];
      });
      return [...begun, ...said];
    },
  };
}
