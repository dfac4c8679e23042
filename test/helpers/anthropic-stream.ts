// The order of a message stream's events, which no schema of one event can say.
import type { z } from "zod";
import { streamEvent } from "./anthropic-schema.ts";

export type AnthropicEvent = z.infer<typeof streamEvent>;

/** Follows one stream. */
export interface StreamOrder {
  /** @returns what is wrong with the next event, by the name and the data that its frame has. */
  next(name: string | undefined, data: unknown): readonly string[];
  /** @returns what is wrong with its end being here. */
  end(): readonly string[];
}

const deltasOf: Readonly<Record<string, readonly string[]>> = {
  text: ["text_delta"],
  thinking: ["thinking_delta", "signature_delta"],
  tool_use: ["input_json_delta"],
};

export function createStreamOrder(): StreamOrder {
  let state: "before" | "between" | "in a block" | "ended" | "over" | "failed" = "before";
  let index = -1;
  let open = "";
  let last = "";
  let json = "";
  let isUnsigned = false;

  function order(event: AnthropicEvent): string | undefined {
    if (state === "over" || state === "failed") return `an event after the last: ${event.type}`;
    if (event.type === "error") {
      state = "failed";
      return undefined;
    }
    if (event.type === "ping") return undefined;
    if (event.type === "message_start") {
      if (state !== "before") return "a second message_start";
      state = "between";
      return undefined;
    }
    if (state === "before") return `${event.type} before message_start`;
    switch (event.type) {
      case "content_block_start":
        if (state !== "between" || event.index !== index + 1) return `a block ${event.index} ${state}, after ${index}`;
        [state, index, open, last, json] = ["in a block", event.index, event.content_block.type, "", ""];
        return undefined;
      case "content_block_delta":
        if (state !== "in a block" || event.index !== index) return `a delta of block ${event.index} ${state} ${index}`;
        if (deltasOf[open]?.includes(event.delta.type) !== true) return `${event.delta.type} in a ${open} block`;
        if (last === "signature_delta") return `${event.delta.type} after the signature`;
        last = event.delta.type;
        if (event.delta.type === "input_json_delta") json += event.delta.partial_json;
        return undefined;
      case "content_block_stop":
        if (state !== "in a block" || event.index !== index) return `a stop of block ${event.index} ${state} ${index}`;
        state = "between";
        if (open === "thinking" && last !== "signature_delta") isUnsigned = true;
        if (open === "tool_use" && !isObject(json)) return `arguments that are no object: ${json}`;
        return last === "" ? `an empty ${open} block` : undefined;
      case "message_delta":
        if (state !== "between") return `message_delta ${state}`;
        state = "ended";
        // Only what was cut off has none.
        return isUnsigned && event.delta.stop_reason !== "max_tokens" ? "thinking without a signature" : undefined;
      case "message_stop":
        if (state !== "ended") return `message_stop ${state}`;
        state = "over";
        return undefined;
    }
  }

  return {
    next(name, data) {
      const parsed = streamEvent.safeParse(data);
      if (!parsed.success) {
        const faults = parsed.error.issues.map(({ path, message }) => `${path.join(".")} ${message}`);
        return [`${faults.join("; ")}: ${JSON.stringify(data)}`];
      }
      const faults = name === parsed.data.type ? [] : [`the event ${name} has the type ${parsed.data.type}`];
      const misplaced = order(parsed.data);
      return misplaced === undefined ? faults : [...faults, misplaced];
    },
    end: () => (state === "over" || state === "failed" ? [] : [`the stream ended ${state}`]),
  };
}

function isObject(json: string): boolean {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
