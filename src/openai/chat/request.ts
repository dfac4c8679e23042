// The schema of a chat completion request: what is validated.
// Only what we use is typed; the table in parameters.ts says what becomes of the rest.
import { z } from "zod";
import { sessionId } from "../../names/session-id.ts";
import { efforts } from "../sampling.ts";
import { toolChoice, tool } from "./request-tools.ts";

const textPart = z.looseObject({ type: z.literal("text"), text: z.string() });
const refusalPart = z.looseObject({ type: z.literal("refusal"), refusal: z.string() });
const imagePart = z.looseObject({
  type: z.literal("image_url"),
  image_url: z.looseObject({ url: z.string().min(1), detail: z.string().nullish() }),
});
const filePart = z.looseObject({
  type: z.literal("file"),
  file: z.looseObject({
    file_data: z.string().nullish(),
    file_id: z.string().nullish(),
    filename: z.string().max(1_024).nullish(),
  }),
});
/** Known, and refused with an error that names it. */
const audioPart = z.looseObject({ type: z.literal("input_audio") });

const userPart = z.discriminatedUnion("type", [textPart, imagePart, filePart, audioPart], {
  error: "Must be text, image_url or file",
});
const userContent = z.union([z.string(), z.array(userPart)]);
const systemContent = z.union([z.string(), z.array(textPart)]);
const assistantContent = z.union([z.string(), z.array(z.discriminatedUnion("type", [textPart, refusalPart]))]);

const functionCall = z.looseObject({
  id: z.string().min(1).max(1_024),
  type: z.literal("function"),
  function: z.looseObject({ name: z.string().min(1).max(256), arguments: z.string() }),
});
const customCall = z.looseObject({ id: z.string(), type: z.literal("custom") });

const message = z.discriminatedUnion("role", [
  z.looseObject({ role: z.enum(["system", "developer"]), content: systemContent }),
  z.looseObject({ role: z.literal("user"), content: userContent }),
  z.looseObject({
    role: z.literal("assistant"),
    content: assistantContent.nullish(),
    refusal: z.string().nullish(),
    tool_calls: z.array(z.discriminatedUnion("type", [functionCall, customCall])).nullish(),
    function_call: z.unknown().optional(),
  }),
  z.looseObject({ role: z.literal("tool"), tool_call_id: z.string().min(1).max(1_024), content: userContent }),
  z.looseObject({ role: z.literal("function") }),
]);

const responseFormat = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("text") }),
  z.looseObject({ type: z.literal("json_object") }),
  z.looseObject({
    type: z.literal("json_schema"),
    json_schema: z.looseObject({
      name: z.string().min(1).max(256),
      description: z.string().nullish(),
      schema: z.record(z.string(), z.unknown()).nullish(),
      strict: z.boolean().nullish(),
    }),
  }),
]);

/** Goes into a process's environment, which the system bounds. */
const stopSequence = z.string().min(1).max(1_000);

/** Body of `POST /v1/chat/completions`. */
export const chatRequest = z
  .looseObject({
    model: z.string().min(1).max(256),
    messages: z.array(message).min(1).max(10_000),
    stream: z.boolean().nullish(),
    stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
    session_id: sessionId.nullish(),
    max_completion_tokens: z.int().min(1).nullish(),
    max_tokens: z.int().min(1).nullish(),
    reasoning_effort: z.enum(efforts).nullish(),
    temperature: z.number().min(0).max(2).nullish(),
    top_p: z.number().min(0).max(1).nullish(),
    stop: z.union([stopSequence, z.array(stopSequence).max(4)]).nullish(),
    tools: z.array(tool).max(512).nullish(),
    tool_choice: toolChoice.nullish(),
    parallel_tool_calls: z.boolean().nullish(),
    response_format: responseFormat.nullish(),
    user: z.string().max(1_024).nullish(),
    safety_identifier: z.string().max(1_024).nullish(),
  })
  .meta({ id: "ChatCompletionRequest" });

/** A validated body. */
export type ChatRequest = z.infer<typeof chatRequest>;
/** One message of a validated body. */
export type ChatMessage = ChatRequest["messages"][number];
/** A part of a user's or a tool's message. */
export type ChatPart = z.infer<typeof userPart>;
