// The Messages API's stream events of one run → text and thinking blocks, each token once.
// When Claude Code asks a second time after a stream broke off, what the client already has is not said again.
import type { SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import { CcapiError } from "../auth/errors.ts";
import type { TurnEvent, Usage } from "../turn/turn.ts";

type AssistantMessage = Extract<SDKMessage, { type: "assistant" }>;
type StreamEvent = Extract<SDKMessage, { type: "stream_event" }>["event"];
type Kind = "text" | "thinking";

/** How one model call ended. */
export interface CallEnd {
  readonly stopReason: string | null;
  readonly stopSequence: string | null;
}

/** Follows the main run's model calls. */
export interface BlockReader {
  /** The events that a stream event stands for. */
  onStreamEvent(event: StreamEvent): TurnEvent[];
  /** The events of an assistant message that did not come as a stream; none for one that did. */
  onAssistantMessage(message: AssistantMessage): TurnEvent[];
  /** How the last model call ended, once it has. */
  readonly lastCall: CallEnd | undefined;
  /** Sum over the model calls so far. */
  readonly usage: Usage;
  /** Whether the model has said anything yet. */
  readonly hasOutput: boolean;
}

/** Makes a reader for one run. */
export function createBlockReader(): BlockReader {
  const usage = { inputTokens: 0, cacheReadTokens: 0, cacheCreationTokens: 0, outputTokens: 0, reasoningTokens: 0 };
  const streamedIds = new Set<string>();
  let outputTokensOfCall = 0;
  let open: Kind | undefined;
  let signature: string | undefined;
  let isCallOpen = false;
  let lastCall: CallEnd | undefined;
  let hasOutput = false;
  /** What the client has of the present call, and what of it a second attempt has yet to repeat. */
  let sentOfCall = "";
  let toRepeat = "";

  function beginCall(): void {
    // The call before never ended: this one is its second attempt.
    toRepeat = isCallOpen ? sentOfCall : "";
    if (!isCallOpen) sentOfCall = "";
    isCallOpen = true;
    outputTokensOfCall = 0;
  }

  function beginBlock(kind: Kind): TurnEvent[] {
    signature = undefined;
    if (open === kind && toRepeat !== "") return []; // Still open at the client from the broken attempt.
    const events = endBlock();
    open = kind;
    if (toRepeat === "") events.push({ type: "block-start", kind });
    return events;
  }

  function say(kind: Kind, text: string): TurnEvent[] {
    if (text === "") return [];
    hasOutput = true;
    let fresh = text;
    if (toRepeat !== "") {
      const repeated = Math.min(toRepeat.length, text.length);
      if (!toRepeat.startsWith(text.slice(0, repeated))) {
        throw new CcapiError(
          "upstream_error",
          "The model's stream broke off, and its second answer differs from what was already sent.",
        );
      }
      toRepeat = toRepeat.slice(repeated);
      fresh = text.slice(repeated);
    }
    if (fresh === "") return [];
    sentOfCall += fresh;
    return [{ type: "delta", kind, text: fresh }];
  }

  function endBlock(): TurnEvent[] {
    if (open === undefined || toRepeat !== "") return [];
    const kind = open;
    open = undefined;
    return [{ type: "block-stop", kind, ...(signature === undefined ? {} : { signature }) }];
  }

  function endCall(stopReason: string | null, stopSequence: string | null): void {
    isCallOpen = false;
    lastCall = { stopReason, stopSequence };
  }

  return {
    get lastCall() {
      return lastCall;
    },
    get usage() {
      return { ...usage };
    },
    get hasOutput() {
      return hasOutput;
    },
    onStreamEvent(event) {
      switch (event.type) {
        case "message_start": {
          beginCall();
          streamedIds.add(event.message.id);
          const { usage: counted } = event.message;
          usage.inputTokens += counted.input_tokens;
          usage.cacheReadTokens += counted.cache_read_input_tokens ?? 0;
          usage.cacheCreationTokens += counted.cache_creation_input_tokens ?? 0;
          return [];
        }
        case "content_block_start":
          if (event.content_block.type === "text") return beginBlock("text");
          if (event.content_block.type === "thinking") return beginBlock("thinking");
          return [];
        case "content_block_delta":
          if (event.delta.type === "text_delta") return say("text", event.delta.text);
          if (event.delta.type === "thinking_delta") return say("thinking", event.delta.thinking);
          if (event.delta.type === "signature_delta") signature = event.delta.signature;
          return [];
        case "content_block_stop":
          return endBlock();
        case "message_delta": {
          // Cumulative within one call.
          usage.outputTokens += event.usage.output_tokens - outputTokensOfCall;
          outputTokensOfCall = event.usage.output_tokens;
          endCall(event.delta.stop_reason, event.delta.stop_sequence);
          return [];
        }
        default:
          return [];
      }
    },
    onAssistantMessage({ message }) {
      if (streamedIds.has(message.id)) return [];
      beginCall();
      const events = message.content.flatMap((block) => {
        if (block.type === "text") return [...beginBlock("text"), ...say("text", block.text), ...endBlock()];
        if (block.type !== "thinking") return [];
        const begun = [...beginBlock("thinking"), ...say("thinking", block.thinking)];
        signature = block.signature;
        return [...begun, ...endBlock()];
      });
      if (message.stop_reason !== null) endCall(message.stop_reason, message.stop_sequence);
      return events;
    },
  };
}
