// What is kept of a response, and how its items come back: as the conversation's past, by reference, or for its client to look at. Pure.
import { z } from "zod";
import type { PlacedItem } from "./conversation.ts";
import { toItemId, toResponseId } from "./items.ts";
import { type InputContent, type InputItem, inputItem, toKnownItem } from "./request-items.ts";
import type { ResponseRequest } from "./request.ts";

/** A stored response, as far as its items go. Shaped by us, so that what does not fit is not read. */
export interface StoredItems {
  readonly input: readonly Readonly<Record<string, unknown>>[];
  readonly response: Readonly<Record<string, unknown>>;
}

/** The input of a request as items. */
export function toInputItems({ input }: ResponseRequest): InputItem[] {
  if (typeof input !== "string") return input ?? [];
  return [{ type: "message", role: "user", content: input }];
}

/** The items of a stored response in their order: what was asked, then what was answered. */
export function itemsOf({ input, response }: StoredItems): InputItem[] {
  const output = z.array(z.unknown()).safeParse(response["output"]).data ?? [];
  return [...input, ...output].flatMap((item) => {
    const parsed = inputItem.safeParse(item);
    return parsed.success ? [parsed.data] : [];
  });
}

/** The responses that items refer to by their ids. */
export function referencedResponses(items: readonly InputItem[]): string[] {
  const ids = items.flatMap((item) => {
    const known = toKnownItem(item);
    const isReference = known.is === "item_reference" || (known.is === "reasoning" && !known.item.encrypted_content);
    const responseId = isReference ? toResponseId(known.item.id ?? "") : undefined;
    return responseId === undefined ? [] : [responseId];
  });
  return [...new Set(ids)];
}

/** A request's items with their places, and each reference replaced by what it refers to, where that is there. */
export function followReferences(items: readonly InputItem[], stored: readonly StoredItems[]): PlacedItem[] {
  const byId = new Map(stored.flatMap(itemsOf).map((item) => [item["id"], item]));
  return items.map((item, index) => {
    const known = toKnownItem(item);
    const isReference = known.is === "item_reference" || (known.is === "reasoning" && !known.item.encrypted_content);
    const referred = isReference ? byId.get(known.item.id) : undefined;
    return { item: referred ?? item, at: `input[${index}]` };
  });
}

/** A request's items as they are kept and shown: each with an id, a status and its content as parts. */
export function toInputResources(
  items: readonly PlacedItem[],
  responseId: string,
): Readonly<Record<string, unknown>>[] {
  return items.flatMap(({ item }, index): Readonly<Record<string, unknown>>[] => {
    const known = toKnownItem(item);
    const id = (type: string) => item["id"] ?? toItemId(responseId, type, "input", index);
    const status = "completed";
    switch (known.is) {
      case "message": {
        const { role, content } = known.item;
        return [{ type: "message", id: id("message"), status, role, content: toParts(content, role) }];
      }
      case "function_call": {
        const { call_id, name, arguments: json } = known.item;
        return [{ type: "function_call", id: id("function_call"), status, call_id, name, arguments: json }];
      }
      case "function_call_output": {
        const { call_id, output } = known.item;
        return [{ type: "function_call_output", id: id("function_call_output"), status, call_id, output }];
      }
      case "reasoning": {
        const { summary, encrypted_content } = known.item;
        const kept = encrypted_content ? { encrypted_content } : {};
        return [{ type: "reasoning", id: id("reasoning"), summary: summary ?? [], ...kept }];
      }
      default:
        return [];
    }
  });
}

function toParts(content: InputContent, role: string): readonly object[] {
  const toTextPart = (text: string) =>
    role === "assistant" ? { type: "output_text", text, annotations: [], logprobs: [] } : { type: "input_text", text };
  if (typeof content === "string") return [toTextPart(content)];
  return content.map((part) => {
    if (part.type === "input_image") return { ...part, detail: part.detail ?? "auto" };
    return "text" in part && typeof part.text === "string" ? toTextPart(part.text) : part;
  });
}
