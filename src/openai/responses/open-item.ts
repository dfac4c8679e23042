// One item of a response while it grows: what is told when it begins, at each piece and when it is done. Pure.
import { toEncryptedContent } from "./reasoning.ts";
import { type ItemStatus, type MessagePart, type OutputItem, toTextPart } from "./items.ts";

/** Tells of something; the number is the teller's to give. */
export type Emit = (type: string, fields: Readonly<Record<string, unknown>>) => void;

/** An item under way. */
export interface OpenItem {
  readonly type: OutputItem["type"];
  readonly isEmpty: boolean;
  /** The next piece of its text, thinking or arguments. */
  add(piece: string): void;
  /** As it is now. */
  item(status: ItemStatus): OutputItem;
  /** Tells that it is done. */
  close(status: ItemStatus, signature?: string): OutputItem;
}

/** What an item is begun with. */
interface Beginning {
  readonly type: OutputItem["type"];
  readonly id: string;
  readonly index: number;
  readonly call: { readonly id: string; readonly name: string } | undefined;
}

/** Begins an item and tells of it. */
export function createOpenItem({ type, id, index, call }: Beginning, emit: Emit): OpenItem {
  const place: Place = { id, index };
  if (type === "message") return openMessage(place, emit, toTextPart, textEvents);
  if (type === "reasoning") return openReasoning(place, emit);
  return openFunctionCall(place, { call_id: call?.id ?? id, name: call?.name ?? "" }, emit);
}

/** Begins a message in which the model, or its vendor, declines. */
export function openRefusal(place: Place, emit: Emit): OpenItem {
  return openMessage(place, emit, (refusal) => ({ type: "refusal", refusal }), refusalEvents);
}

interface Place {
  readonly id: string;
  readonly index: number;
}

/** How pieces of a kind of part are told. */
interface PartEvents {
  readonly delta: (piece: string) => [type: string, fields: object];
  readonly done: (text: string) => [type: string, fields: object];
}

const textEvents: PartEvents = {
  delta: (delta) => ["response.output_text.delta", { delta, logprobs: [] }],
  done: (text) => ["response.output_text.done", { text, logprobs: [] }],
};
const refusalEvents: PartEvents = {
  delta: (delta) => ["response.refusal.delta", { delta }],
  done: (refusal) => ["response.refusal.done", { refusal }],
};

function openMessage(
  { id, index }: Place,
  emit: Emit,
  toPart: (text: string) => MessagePart,
  events: PartEvents,
): OpenItem {
  const at = { item_id: id, output_index: index, content_index: 0 };
  let text = "";
  const toItem = (status: ItemStatus, content: readonly MessagePart[]): OutputItem => ({
    type: "message",
    id,
    status,
    role: "assistant",
    content,
  });
  emit("response.output_item.added", { output_index: index, item: toItem("in_progress", []) });
  emit("response.content_part.added", { ...at, part: toPart("") });
  return {
    type: "message",
    get isEmpty() {
      return text === "";
    },
    add(piece) {
      text += piece;
      const [type, fields] = events.delta(piece);
      emit(type, { ...at, ...fields });
    },
    item: (status) => toItem(status, [toPart(text)]),
    close(status) {
      const [type, fields] = events.done(text);
      emit(type, { ...at, ...fields });
      emit("response.content_part.done", { ...at, part: toPart(text) });
      const item = toItem(status, [toPart(text)]);
      emit("response.output_item.done", { output_index: index, item });
      return item;
    },
  };
}

function openReasoning({ id, index }: Place, emit: Emit): OpenItem {
  const at = { item_id: id, output_index: index, summary_index: 0 };
  let text = "";
  const toPart = () => ({ type: "summary_text" as const, text });
  const toItem = (): OutputItem => ({ type: "reasoning", id, summary: text === "" ? [] : [toPart()] });
  emit("response.output_item.added", { output_index: index, item: toItem() });
  return {
    type: "reasoning",
    get isEmpty() {
      return text === "";
    },
    add(piece) {
      if (piece === "") return;
      if (text === "") emit("response.reasoning_summary_part.added", { ...at, part: toPart() });
      text += piece;
      emit("response.reasoning_summary_text.delta", { ...at, delta: piece });
    },
    item: toItem,
    close(_status, signature) {
      if (text !== "") {
        emit("response.reasoning_summary_text.done", { ...at, text });
        emit("response.reasoning_summary_part.done", { ...at, part: toPart() });
      }
      const item = {
        ...toItem(),
        ...(signature === undefined ? {} : { encrypted_content: toEncryptedContent({ thinking: text, signature }) }),
      };
      emit("response.output_item.done", { output_index: index, item });
      return item;
    },
  };
}

function openFunctionCall(
  { id, index }: Place,
  call: { readonly call_id: string; readonly name: string },
  emit: Emit,
): OpenItem {
  const at = { item_id: id, output_index: index };
  let json = "";
  const toItem = (status: ItemStatus): OutputItem => ({ type: "function_call", id, status, ...call, arguments: json });
  emit("response.output_item.added", { output_index: index, item: toItem("in_progress") });
  return {
    type: "function_call",
    get isEmpty() {
      return json === "";
    },
    add(piece) {
      if (piece === "") return;
      json += piece;
      emit("response.function_call_arguments.delta", { ...at, delta: piece });
    },
    item: toItem,
    close(status) {
      emit("response.function_call_arguments.done", { ...at, name: call.name, arguments: json });
      const item = toItem(status);
      emit("response.output_item.done", { output_index: index, item });
      return item;
    },
  };
}
