// TurnEvents → chat completion chunks, for requests that stream. Pure: holds only what one stream needs to remember.
import type { TurnEvent } from "../../turn/turn.ts";
import { blockSeparator, type ChatAnswer } from "./completion.ts";
import { type ChatFinishReason, type ChatUsage, toChatFinishReason, toChatUsage } from "./usage.ts";

/** A piece of a call: the first has its id and name, the others pieces of its arguments. */
interface ToolCallChunk {
  readonly index: number;
  readonly id?: string;
  readonly type?: "function";
  readonly function: { readonly name?: string; readonly arguments: string };
}

/** OpenAI's `chat.completion.chunk`. */
export interface ChatChunk {
  readonly id: string;
  readonly object: "chat.completion.chunk";
  readonly created: number;
  readonly model: string;
  readonly choices: readonly {
    readonly index: 0;
    readonly delta: {
      readonly role?: "assistant";
      readonly content?: string | null;
      readonly reasoning_content?: string;
      readonly tool_calls?: readonly [ToolCallChunk];
    };
    readonly logprobs: null;
    readonly finish_reason: ChatFinishReason | null;
  }[];
  readonly usage?: ChatUsage;
}

/**
 * Makes the mapping of one stream: each event gives no, one or more chunks. The first holds the role;
 * with `includeUsage` the last has no choices and the usage.
 */
export function createChunkMapper(
  answer: ChatAnswer,
  { includeUsage }: { readonly includeUsage: boolean },
): (event: TurnEvent) => ChatChunk[] {
  const separator = { text: blockSeparator(answer.profile), thinking: "\n\n" };
  const hasContent = { text: false, thinking: false };
  const startsBlock = { text: false, thinking: false };
  let hasRole = false;
  /** The place of each call among the answer's, by its id. */
  const calls = new Map<string, number>();

  function chunk(choices: ChatChunk["choices"], usage?: ChatUsage): ChatChunk {
    const { id, created, model } = answer;
    return { id, object: "chat.completion.chunk", created, model, choices, ...(usage === undefined ? {} : { usage }) };
  }

  function choice(delta: ChatChunk["choices"][number]["delta"], reason: ChatFinishReason | null = null): ChatChunk {
    return chunk([{ index: 0, delta, logprobs: null, finish_reason: reason }]);
  }

  function role(content: "" | null = ""): ChatChunk[] {
    if (hasRole) return [];
    hasRole = true;
    return [choice({ role: "assistant", content })];
  }

  function call(id: string, fields: Omit<ToolCallChunk, "index">): ChatChunk {
    const index = calls.get(id) ?? calls.size;
    calls.set(id, index);
    return choice({ tool_calls: [{ index, ...fields }] });
  }

  return (event) => {
    switch (event.type) {
      case "block-start":
        startsBlock[event.kind] = hasContent[event.kind];
        return role();
      case "delta": {
        if (event.text === "") return role();
        const text = startsBlock[event.kind] ? separator[event.kind] + event.text : event.text;
        startsBlock[event.kind] = false;
        hasContent[event.kind] = true;
        return [...role(), choice(event.kind === "text" ? { content: text } : { reasoning_content: text })];
      }
      case "tool-start": {
        const { id, name } = event;
        return [...role(null), call(id, { id, type: "function", function: { name, arguments: "" } })];
      }
      case "tool-delta":
        return event.json === "" ? [] : [call(event.id, { function: { arguments: event.json } })];
      case "finish":
        return [
          ...role(),
          choice({}, toChatFinishReason(event.reason)),
          ...(includeUsage ? [chunk([], toChatUsage(event.usage))] : []),
        ];
      default:
        return [];
    }
  };
}
