// Anthropic's answers as assertions, written from the types of its SDK (@anthropic-ai/sdk 1.12.0, resources/messages, models, shared),
// and stricter: no other field, no other event, each at its place. What the SDK's types hold and its API leaves out, as `citations`
// of a text without any, is left out here.
import { z } from "zod";

const direct = z.strictObject({ type: z.literal("direct") });
const text = z.strictObject({ type: z.literal("text"), text: z.string() });
const thinking = z.strictObject({ type: z.literal("thinking"), thinking: z.string(), signature: z.string() });
const toolUse = z.strictObject({
  type: z.literal("tool_use"),
  id: z.string().regex(/^[A-Za-z0-9_-]+$/),
  name: z.string().min(1),
  input: z.record(z.string(), z.unknown()),
  caller: direct,
});

const usage = z.strictObject({
  input_tokens: z.int().min(0),
  cache_creation_input_tokens: z.int().min(0),
  cache_read_input_tokens: z.int().min(0),
  output_tokens: z.int().min(0),
  output_tokens_details: z.strictObject({ thinking_tokens: z.int().min(0) }),
  server_tool_use: z.null(),
});
const refusal = z.strictObject({
  type: z.literal("refusal"),
  category: z.string().nullable(),
  explanation: z.string().nullable(),
});
const stopReason = z.enum(["end_turn", "max_tokens", "stop_sequence", "tool_use", "refusal"]);

const messageFields = {
  id: z.string().regex(/^msg_[0-9a-f]{32}$/),
  type: z.literal("message"),
  role: z.literal("assistant"),
  model: z.string().min(1),
  container: z.null(),
  usage,
};
const end = {
  container: z.null(),
  stop_reason: stopReason,
  stop_sequence: z.string().nullable(),
  stop_details: refusal.nullable(),
};

/** A whole answer. */
export const message = z
  .strictObject({
    ...messageFields,
    ...end,
    content: z.array(z.discriminatedUnion("type", [text.extend({ text: z.string().min(1) }), thinking, toolUse])),
  })
  .refine(({ stop_reason: reason, stop_sequence: sequence }) => (reason === "stop_sequence") === (sequence !== null), {
    error: "stop_reason and stop_sequence differ",
  })
  .refine(({ stop_reason: reason, content }) => reason !== "tool_use" || content.at(-1)?.type === "tool_use", {
    error: "stop_reason tool_use without a call",
  });

const error = z.strictObject({
  type: z.enum([
    "invalid_request_error",
    "authentication_error",
    "billing_error",
    "permission_error",
    "not_found_error",
    "request_too_large",
    "rate_limit_error",
    "timeout_error",
    "api_error",
    "overloaded_error",
  ]),
  message: z.string().min(1),
  // Ours.
  code: z.string().regex(/^[a-z_]+$/),
  param: z.string().optional(),
  state: z.string().optional(),
  action: z.string().optional(),
});

/** An error, as a body or as an event. */
export const errorBody = z.strictObject({ type: z.literal("error"), error, request_id: z.string().min(1) });

const index = z.int().min(0);

/** One event of a stream. */
export const streamEvent = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("message_start"),
    message: z.strictObject({
      ...messageFields,
      content: z.tuple([]),
      stop_reason: z.null(),
      stop_sequence: z.null(),
      stop_details: z.null(),
    }),
  }),
  z.strictObject({ type: z.literal("ping") }),
  z.strictObject({
    type: z.literal("content_block_start"),
    index,
    content_block: z.discriminatedUnion("type", [
      text.extend({ text: z.literal("") }),
      thinking.extend({ thinking: z.literal(""), signature: z.literal("") }),
      toolUse.extend({ input: z.strictObject({}) }),
    ]),
  }),
  z.strictObject({
    type: z.literal("content_block_delta"),
    index,
    delta: z.discriminatedUnion("type", [
      z.strictObject({ type: z.literal("text_delta"), text: z.string().min(1) }),
      z.strictObject({ type: z.literal("thinking_delta"), thinking: z.string().min(1) }),
      z.strictObject({ type: z.literal("signature_delta"), signature: z.string().min(1) }),
      z.strictObject({ type: z.literal("input_json_delta"), partial_json: z.string().min(1) }),
    ]),
  }),
  z.strictObject({ type: z.literal("content_block_stop"), index }),
  z.strictObject({ type: z.literal("message_delta"), delta: z.strictObject(end), usage }),
  z.strictObject({ type: z.literal("message_stop") }),
  errorBody,
]);

/** Anthropic's object for a model. */
export const model = z.strictObject({
  id: z.string().min(1),
  type: z.literal("model"),
  display_name: z.string().min(1),
  created_at: z.iso.datetime(),
  lifecycle: z.enum(["active", "deprecated", "retired"]),
  capabilities: z.null(),
  deprecated_at: z.null(),
  line: z.enum(["haiku", "sonnet", "opus", "fable", "mythos"]).nullable(),
  max_input_tokens: z.null(),
  max_tokens: z.null(),
  retires_at: z.null(),
});

/** A page of the list of models. */
export const modelPage = z.strictObject({
  data: z.array(model),
  has_more: z.boolean(),
  first_id: z.string().nullable(),
  last_id: z.string().nullable(),
});

/** A count of tokens. */
export const tokenCount = z.strictObject({ input_tokens: z.int().min(1) });
