// The messages of a chat completion request → the conversation of a turn, calls of tools and their results in pairs. Pure.
import { CcapiError } from "../../auth/errors.ts";
import type { ContentBlock, Message } from "../../turn/turn.ts";
import { toTextBlocks } from "../blocks.ts";
import { toCallInput } from "../call-input.ts";
import { toBlocks, toResultContent } from "./content.ts";
import { createCallIds } from "./call-ids.ts";
import type { ChatMessage } from "./request.ts";

/** A message, and where it stood in the request. */
type Placed = Message & { readonly content: ContentBlock[]; readonly at: string };

type AssistantMessage = Extract<ChatMessage, { role: "assistant" }>;

/**
 * Understands a conversation.
 *
 * @param hasSession the server may know the assistant's message whose calls the first tool messages answer.
 * @throws CcapiError `invalid_request`, `unsupported_parameter`; `param` names the place.
 */
export function toMessages(messages: readonly ChatMessage[], hasSession: boolean): Message[] {
  const placed: Placed[] = [];
  const ids = createCallIds(hasSession);
  let results: Placed | undefined;
  for (const [index, message] of messages.entries()) {
    const at = `messages[${index}]`;
    switch (message.role) {
      case "user":
        ids.assertAnswered(at);
        results = undefined;
        placed.push({ role: "user", content: toBlocks(message.content, at), at });
        break;
      case "assistant":
        ids.assertAnswered(at);
        results = undefined;
        placed.push({ role: "assistant", content: [...toSaid(message), ...toCalls(message, at, ids.ask)], at });
        break;
      case "tool": {
        const block: ContentBlock = {
          type: "tool_result",
          tool_use_id: ids.answer(message.tool_call_id, at),
          content: toResultContent(message.content, at),
        };
        // All the results of one message's calls are one message to the model.
        if (results === undefined) placed.push((results = { role: "user", content: [block], at }));
        else results.content.push(block);
        break;
      }
      case "function":
        refuseLegacy(`${at}.role`);
        break;
      default: // They make the system prompt.
    }
  }
  const last = placed.at(-1);
  ids.assertAnswered("messages");
  if (last?.role !== "user") {
    throw new CcapiError("invalid_request", "The last message has to be the user's, or a tool's.", {
      param: "messages",
    });
  }
  if (last.content.length === 0) {
    throw new CcapiError("invalid_request", "The last message is empty.", { param: `${last.at}.content` });
  }
  // What the model API would refuse: a message of the past without content.
  return placed.filter(({ content }) => content.length > 0).map(({ role, content }) => ({ role, content }));
}

/** The client's system and developer messages, joined by a blank line. */
export function toSystem(messages: readonly ChatMessage[]): string | undefined {
  const parts = messages.flatMap((message) => {
    if (message.role !== "system" && message.role !== "developer") return [];
    return [joinText(message.content)].filter((part) => part.trim() !== "");
  });
  return parts.length === 0 ? undefined : parts.join("\n\n");
}

function toSaid({ content, refusal }: AssistantMessage): ContentBlock[] {
  const text = joinText(content ?? "");
  return toTextBlocks(text === "" ? (refusal ?? "") : text);
}

function toCalls(
  { tool_calls: calls, function_call: legacy }: AssistantMessage,
  at: string,
  toId: (id: string) => string,
): ContentBlock[] {
  if (legacy !== undefined && legacy !== null) refuseLegacy(`${at}.function_call`);
  return (calls ?? []).map((call, index) => {
    if (call.type === "custom") {
      throw new CcapiError("unsupported_parameter", "Calls of custom tools can't be used: only functions are served.", {
        param: `${at}.tool_calls[${index}].type`,
      });
    }
    const { name, arguments: json } = call.function;
    return { type: "tool_use", id: toId(call.id), name, input: toCallInput(json) };
  });
}

function refuseLegacy(param: string): never {
  throw new CcapiError(
    "unsupported_parameter",
    "Functions of the older form can't be used: send tools and tool messages.",
    {
      param,
    },
  );
}

function joinText(content: string | readonly { type: string }[]): string {
  if (typeof content === "string") return content;
  return content
    .map((part) => ("text" in part ? String(part.text) : "refusal" in part ? String(part.refusal) : ""))
    .join("\n");
}
