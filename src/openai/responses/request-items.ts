// The part of a Responses request's schema that is about `input`: messages, calls of functions and their outputs, reasoning, references.
// Only what we use is typed; items of other kinds come through, so that the error can name them.
import { z } from "zod";

const textPart = z.looseObject({ type: z.enum(["input_text", "output_text", "text"]), text: z.string() });
const refusalPart = z.looseObject({ type: z.literal("refusal"), refusal: z.string() });
const imagePart = z.looseObject({
  type: z.literal("input_image"),
  image_url: z.string().nullish(),
  file_id: z.string().nullish(),
  detail: z.string().nullish(),
});
const filePart = z.looseObject({
  type: z.literal("input_file"),
  file_data: z.string().nullish(),
  file_url: z.string().nullish(),
  file_id: z.string().nullish(),
  filename: z.string().max(1_024).nullish(),
});

const part = z.discriminatedUnion("type", [textPart, refusalPart, imagePart, filePart], {
  error: "Must be input_text, input_image, input_file, output_text or refusal",
});
const content = z.union([z.string(), z.array(part)]);

const id = z.string().max(1_024).nullish();
const callId = z.string().min(1).max(1_024);

const message = z.looseObject({
  type: z.literal("message").nullish(),
  id,
  role: z.enum(["user", "assistant", "system", "developer"]),
  content,
});
const functionCall = z.looseObject({
  type: z.literal("function_call"),
  id,
  call_id: callId,
  name: z.string().min(1).max(256),
  arguments: z.string(),
});
const functionCallOutput = z.looseObject({
  type: z.literal("function_call_output"),
  id,
  call_id: callId,
  output: content,
});
const reasoning = z.looseObject({
  type: z.literal("reasoning"),
  id,
  encrypted_content: z.string().nullish(),
});
const reference = z.looseObject({ type: z.literal("item_reference").nullish(), id: z.string().min(1).max(1_024) });

const typed = ["message", "function_call", "function_call_output", "reasoning", "item_reference"];
const other = z.looseObject({
  type: z.string().refine((type) => !typed.includes(type), "Is not what an item of its type has to be"),
});

/** One item of `input`. */
export const inputItem = z.union([message, functionCall, functionCallOutput, reasoning, other, reference]);

/** A validated item. */
export type InputItem = z.infer<typeof inputItem>;
/** A part of a message, or of a function's output. */
export type InputPart = z.infer<typeof part>;
/** What a message says. */
export type InputContent = z.infer<typeof content>;

/** What an item is. Its `type` may be left out where the rest of it tells. */
export type KnownItem =
  | { readonly is: "message"; readonly item: z.infer<typeof message> }
  | { readonly is: "function_call"; readonly item: z.infer<typeof functionCall> }
  | { readonly is: "function_call_output"; readonly item: z.infer<typeof functionCallOutput> }
  | { readonly is: "reasoning"; readonly item: z.infer<typeof reasoning> }
  | { readonly is: "item_reference"; readonly item: z.infer<typeof reference> }
  | { readonly is: "other"; readonly item: z.infer<typeof other> };

/** Says what an item is. The schema has let it through: its type and its fields fit. */
export function toKnownItem(item: InputItem): KnownItem {
  switch (item.type) {
    case "function_call":
    case "function_call_output":
    case "reasoning":
    case "item_reference":
      return { is: item.type, item } as KnownItem; // Of these types the schema lets nothing else through.
    case "message":
    case undefined:
    case null:
      return { is: "role" in item ? "message" : "item_reference", item } as KnownItem; // The same.
    default:
      return { is: "other", item } as KnownItem; // The same.
  }
}
