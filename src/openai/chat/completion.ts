// TurnEvents → one chat completion, for requests that don't stream. Pure.
import type { Profile, TurnEvent } from "../../turn/turn.ts";
import { type ChatFinishReason, type ChatUsage, toChatFinishReason, toChatUsage } from "./usage.ts";

/** What an answer's frame says beside its content. */
export interface ChatAnswer {
  /** `chatcmpl-…` */
  readonly id: string;
  /** Seconds since the epoch. */
  readonly created: number;
  /** The model as the client named it. */
  readonly model: string;
  readonly profile: Profile;
}

/** OpenAI's call of a function. */
interface ToolCall {
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; readonly arguments: string };
}

/** OpenAI's `chat.completion`, with `reasoning_content` as several clients read it. */
export interface ChatCompletion {
  readonly id: string;
  readonly object: "chat.completion";
  readonly created: number;
  readonly model: string;
  readonly choices: readonly [
    {
      readonly index: 0;
      readonly message: {
        readonly role: "assistant";
        /** `null` where the answer is calls alone. */
        readonly content: string | null;
        readonly refusal: null;
        readonly reasoning_content?: string;
        readonly tool_calls?: readonly ToolCall[];
      };
      readonly logprobs: null;
      readonly finish_reason: ChatFinishReason;
    },
  ];
  readonly usage: ChatUsage;
}

/** What stands between two text blocks: an agent speaks between its tool calls, a model in one go. */
export function blockSeparator(profile: Profile): string {
  return profile === "agent" ? "\n\n" : "";
}

/** Gathers a turn's events into its completion. Failures of the turn pass through. */
export async function toCompletion(events: AsyncIterable<TurnEvent>, answer: ChatAnswer): Promise<ChatCompletion> {
  const blocks = { text: [] as string[], thinking: [] as string[] };
  const calls = new Map<string, { readonly name: string; json: string }>();
  for await (const event of events) {
    if (event.type === "block-start") blocks[event.kind].push("");
    if (event.type === "delta") blocks[event.kind].push((blocks[event.kind].pop() ?? "") + event.text);
    if (event.type === "tool-start") calls.set(event.id, { name: event.name, json: "" });
    if (event.type === "tool-delta") {
      const call = calls.get(event.id);
      if (call !== undefined) call.json += event.json;
    }
    if (event.type !== "finish") continue;
    const text = blocks.text.filter(Boolean).join(blockSeparator(answer.profile));
    const reasoning = blocks.thinking.filter(Boolean).join("\n\n");
    return {
      id: answer.id,
      object: "chat.completion",
      created: answer.created,
      model: answer.model,
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: text === "" && calls.size > 0 ? null : text,
            refusal: null,
            ...(reasoning === "" ? {} : { reasoning_content: reasoning }),
            ...(calls.size === 0 ? {} : { tool_calls: [...calls].map(toToolCall) }),
          },
          logprobs: null,
          finish_reason: toChatFinishReason(event.reason),
        },
      ],
      usage: toChatUsage(event.usage),
    };
  }
  throw new Error("A turn ended without finish and without an error."); // RunTurn's contract forbids it.
}

function toToolCall([id, { name, json }]: [string, { readonly name: string; readonly json: string }]): ToolCall {
  return { id, type: "function", function: { name, arguments: json } };
}
