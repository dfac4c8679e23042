// The messages of a request → the conversation of a turn, calls of tools and their results in pairs; and its system prompt. Pure.
import { CcapiError } from "../auth/errors.ts";
import type { ContentBlock, Message } from "../turn/turn.ts";
import { toBlocks } from "./content.ts";
import type { MessagesRequest } from "./request.ts";

/** A message, and where it stood in the request. */
type Placed = Message & { readonly at: string };

/**
 * Understands a conversation.
 *
 * @param hasSession the server may know the assistant's message whose calls the first results answer.
 * @throws CcapiError `invalid_request`, `unsupported_parameter`; `param` names the place.
 */
export function toMessages(messages: MessagesRequest["messages"], hasSession: boolean): Message[] {
  const placed: Placed[] = messages.flatMap((message, index) => {
    const at = `messages[${index}]`;
    const { role, content } = message;
    return role === "system" ? [] : [{ role, content: toBlocks(content, role, at), at }];
  });
  const last = placed.at(-1);
  if (last?.role !== "user") {
    throw new CcapiError(
      "invalid_request",
      "The last message has to be the user's: the beginning of an answer can't be given.",
      { param: "messages" },
    );
  }
  if (last.content.length === 0) {
    throw new CcapiError("invalid_request", "The last message is empty.", { param: `${last.at}.content` });
  }
  const filled = placed.filter(({ content }) => content.length > 0);
  assertPaired(filled, hasSession);
  return filled.map(({ role, content }) => ({ role, content }));
}

/** By this line Claude Code tells the model API whose it is (measured, 2.1.330). It differs from start to start, and says nothing to the model. */
const billingLine = /^x-anthropic-billing-header:/;

/** The system prompt and the messages of that role, in their order, joined by a blank line. */
export function toSystem({ system, messages }: Pick<MessagesRequest, "system" | "messages">): string | undefined {
  const said = messages.flatMap((message) => (message.role === "system" ? textsOf(message.content) : []));
  const parts = [...textsOf(system ?? ""), ...said].filter((text) => text.trim() !== "" && !billingLine.test(text));
  return parts.length === 0 ? undefined : parts.join("\n\n");
}

function textsOf(content: string | readonly { readonly text: string }[]): string[] {
  return typeof content === "string" ? [content] : content.map(({ text }) => text);
}

/** The model API takes a conversation only if each call is answered in the next message, and nothing else is. */
function assertPaired(messages: readonly Placed[], hasSession: boolean): void {
  let asked: Set<string> | undefined = hasSession ? undefined : new Set();
  for (const { role, content, at } of messages) {
    if (role === "user") {
      const answered = content.flatMap((block) => (block.type === "tool_result" ? [block.tool_use_id] : []));
      const stray = answered.find((id, index) => asked?.has(id) === false || answered.indexOf(id) !== index);
      if (stray !== undefined) {
        throw mispaired(`${at}: the tool_result for ${stray} answers no tool_use of the message before it.`, at);
      }
      const missing = [...(asked ?? [])].find((id) => !answered.includes(id));
      if (missing !== undefined)
        throw mispaired(`${at}: the tool_use ${missing} is not answered by a tool_result.`, at);
      asked = new Set();
    } else {
      const [missing] = asked ?? [];
      if (missing !== undefined)
        throw mispaired(`${at}: the tool_use ${missing} is not answered by a tool_result.`, at);
      asked = new Set(content.flatMap((block: ContentBlock) => (block.type === "tool_use" ? [block.id] : [])));
    }
  }
}

function mispaired(message: string, at: string): CcapiError {
  return new CcapiError("invalid_request", message, { param: `${at}.content` });
}
