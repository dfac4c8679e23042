// The items of a conversation, of earlier responses and of this request → the messages of a turn. Pure.
// Calls of functions and their outputs come in any order that pairs them; to the model each output follows its call at once.
import { CcapiError } from "../../auth/errors.ts";
import type { ContentBlock, Message } from "../../turn/turn.ts";
import { toCallInput } from "../call-input.ts";
import { toTextBlocks } from "../blocks.ts";
import { toBlocks, toResultContent, toText } from "./content.ts";
import { fromEncryptedContent } from "./reasoning.ts";
import { type InputItem, toKnownItem } from "./request-items.ts";

/** An item, and where it stands for who has to mend it: `input[0]`, or `previous_response_id`. */
export interface PlacedItem {
  readonly item: InputItem;
  readonly at: string;
}

/** A conversation, understood. */
export interface Conversation {
  /** System and developer messages, in their order. */
  readonly system: readonly string[];
  readonly messages: readonly Message[];
  /** Kinds of items that have no effect. */
  readonly ignored: readonly string[];
}

interface Call {
  readonly id: string;
  readonly callId: string;
  /** What it gave, once that is known. */
  result?: ContentBlock;
}

interface Growing {
  readonly role: Message["role"];
  readonly content: ContentBlock[];
  readonly calls: Call[];
}

/** What other vendors' tools have left in a conversation. It tells the model nothing that the messages don't. */
const ignoredItems = ["web_search_call", "image_generation_call", "tool_search_call", "tool_search_output"];

/**
 * Understands a conversation.
 *
 * @param hasSession the server may know the calls that the first outputs are of.
 * @throws CcapiError `invalid_request`, `unsupported_parameter`; `param` names the place.
 */
export function toConversation(items: readonly PlacedItem[], hasSession: boolean): Conversation {
  const system: string[] = [];
  const ignored = new Set<string>();
  const growing: Growing[] = [];
  const open = new Map<string, Call>();
  const ids = new Set<string>();

  /** The last message, if it is this role's; else a new one. */
  function last(role: Message["role"]): Growing {
    const before = growing.at(-1);
    if (before?.role === role) return before;
    const next: Growing = { role, content: [], calls: [] };
    growing.push(next);
    return next;
  }

  function addCall(callId: string, name: string, json: string): void {
    let id = callId;
    // The model API takes only some characters, and no id twice.
    for (let n = ids.size; !/^[\w-]{1,128}$/.test(id) || ids.has(id); n += 1) id = `call_${n}`;
    ids.add(id);
    const call: Call = { id, callId };
    open.set(callId, call);
    const message = last("assistant");
    message.content.push({ type: "tool_use", id, name, input: toCallInput(json) });
    message.calls.push(call);
  }

  function addOutput(callId: string, content: string | ContentBlock[], at: string): void {
    const call = open.get(callId);
    open.delete(callId);
    if (call !== undefined) {
      call.result = { type: "tool_result", tool_use_id: call.id, content };
    } else if (hasSession && ids.size === 0 && growing.every(({ role }) => role === "user")) {
      last("user").content.push({ type: "tool_result", tool_use_id: callId, content });
    } else {
      throw new CcapiError("invalid_request", `${at}: there is no function call with this call_id before it.`, {
        param: `${at}.call_id`,
      });
    }
  }

  for (const { item: given, at } of items) {
    const known = toKnownItem(given);
    switch (known.is) {
      case "message": {
        const { role, content } = known.item;
        if (role === "user") last(role).content.push(...toBlocks(content, `${at}.content`));
        else if (role === "assistant") last(role).content.push(...toTextBlocks(toText(content, `${at}.content`)));
        else system.push(toText(content, `${at}.content`));
        break;
      }
      case "function_call":
        addCall(known.item.call_id, known.item.name, known.item.arguments);
        break;
      case "function_call_output":
        addOutput(known.item.call_id, toResultContent(known.item.output, `${at}.output`), at);
        break;
      case "reasoning": {
        const thinking = fromEncryptedContent(known.item.encrypted_content ?? "");
        if (thinking !== undefined) last("assistant").content.push(thinking);
        break;
      }
      case "item_reference":
        throw new CcapiError("response_not_found", `${at}: there is no item of this id, or it has expired.`, {
          param: `${at}.id`,
        });
      case "other":
        if (!ignoredItems.includes(known.item.type)) {
          throw new CcapiError("unsupported_parameter", `${at}: items of this type can't be used.`, {
            param: `${at}.type`,
          });
        }
        ignored.add(`input.${known.item.type}`);
        break;
    }
  }
  if (open.size > 0) {
    throw new CcapiError(
      "invalid_request",
      "Every function_call has to be followed by its function_call_output, by its call_id.",
      { param: "input" },
    );
  }
  return { system, messages: toMessages(growing), ignored: [...ignored] };
}

function toMessages(growing: readonly Growing[]): Message[] {
  const messages: Message[] = [];
  let results: readonly ContentBlock[] = [];
  for (const { role, content, calls } of growing) {
    if (role === "assistant") {
      if (results.length > 0) messages.push({ role: "user", content: results });
      results = calls.flatMap(({ result }) => (result === undefined ? [] : [result]));
      // The model API takes no message that ends in thinking, and none that is empty.
      const end = content.findLastIndex(({ type }) => type !== "thinking") + 1;
      if (end > 0) messages.push({ role, content: content.slice(0, end) });
    } else {
      if (results.length + content.length > 0) messages.push({ role, content: [...results, ...content] });
      results = [];
    }
  }
  if (results.length > 0) messages.push({ role: "user", content: results });
  if (messages.at(-1)?.role === "user") return messages;
  throw new CcapiError(
    "invalid_request",
    "The last item has to be the user's, and not empty, or a function's output.",
    {
      param: "input",
    },
  );
}
