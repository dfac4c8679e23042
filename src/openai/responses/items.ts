// The items that a response's output is made of, in OpenAI's shapes, and their ids. Pure.

/** What a message's content is made of. */
export type MessagePart =
  | { readonly type: "output_text"; readonly text: string; readonly annotations: []; readonly logprobs: [] }
  | { readonly type: "refusal"; readonly refusal: string };

/** Whether an item is whole. */
export type ItemStatus = "in_progress" | "completed" | "incomplete";

/** The model's words. */
export interface MessageItem {
  readonly type: "message";
  readonly id: string;
  readonly status: ItemStatus;
  readonly role: "assistant";
  readonly content: readonly MessagePart[];
}

/** A call of one of the client's functions. */
export interface FunctionCallItem {
  readonly type: "function_call";
  readonly id: string;
  readonly status: ItemStatus;
  /** By which its output names it. */
  readonly call_id: string;
  readonly name: string;
  /** JSON. */
  readonly arguments: string;
}

/** The model's thinking. */
export interface ReasoningItem {
  readonly type: "reasoning";
  readonly id: string;
  readonly summary: readonly { readonly type: "summary_text"; readonly text: string }[];
  /** The thinking with the signature that proves it: a client that sends the item again gives it back to the model. */
  readonly encrypted_content?: string;
}

/** One item of a response's output. */
export type OutputItem = MessageItem | FunctionCallItem | ReasoningItem;

const idPrefixes: Readonly<Record<string, string>> = {
  message: "msg",
  function_call: "fc",
  function_call_output: "fco",
  reasoning: "rs",
};

/** `resp_` and 32 hexadecimal digits. */
export const responseIdPattern = /^resp_[0-9a-f]{32}$/;

/** The id of a response's n-th item. It tells whose it is, so that a reference can be followed. */
export function toItemId(responseId: string, type: string, side: "input" | "output", index: number): string {
  const number = index.toString(16).padStart(4, "0");
  return `${idPrefixes[type] ?? "item"}_${responseId.slice("resp_".length)}${side === "input" ? "1" : "0"}${number}`;
}

/** The response that an item of ours belongs to; `undefined` where the id is none of ours. */
export function toResponseId(itemId: string): string | undefined {
  const hex = /^[a-z]{2,4}_([0-9a-f]{32})[01][0-9a-f]{4}$/.exec(itemId)?.[1];
  return hex === undefined ? undefined : `resp_${hex}`;
}

/** A text as a part of a message. */
export function toTextPart(text: string): MessagePart {
  return { type: "output_text", text, annotations: [], logprobs: [] };
}
