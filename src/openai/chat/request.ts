// The schema of a chat completion request: what is validated.
// Only what we use is typed; the table in parameters.ts says what becomes of the rest.
import { z } from "zod";
import { sessionId } from "../../names/session-id.ts";

const textPart = z.looseObject({ type: z.literal("text"), text: z.string() });
const refusalPart = z.looseObject({ type: z.literal("refusal"), refusal: z.string() });

// Parts of types that are not served come through here, so that the error can name them.
const otherPart = z.looseObject({ type: z.string() });

const userContent = z.union([z.string(), z.array(z.union([textPart, otherPart]))]);
const systemContent = z.union([z.string(), z.array(textPart)]);
const assistantContent = z.union([z.string(), z.array(z.union([textPart, refusalPart]))]);

const message = z.discriminatedUnion("role", [
  z.looseObject({ role: z.enum(["system", "developer"]), content: systemContent }),
  z.looseObject({ role: z.literal("user"), content: userContent }),
  z.looseObject({
    role: z.literal("assistant"),
    content: assistantContent.nullish(),
    tool_calls: z.array(z.unknown()).nullish(),
    function_call: z.unknown().optional(),
  }),
  z.looseObject({ role: z.enum(["tool", "function"]) }),
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
    reasoning_effort: z.enum(["none", "minimal", "low", "medium", "high", "xhigh", "max"]).nullish(),
    temperature: z.number().min(0).max(2).nullish(),
    top_p: z.number().min(0).max(1).nullish(),
    stop: z.union([stopSequence, z.array(stopSequence).max(4)]).nullish(),
    user: z.string().max(1_024).nullish(),
    safety_identifier: z.string().max(1_024).nullish(),
  })
  .meta({ id: "ChatCompletionRequest" });

/** A validated body. */
export type ChatRequest = z.infer<typeof chatRequest>;
/** One message of a validated body. */
export type ChatMessage = ChatRequest["messages"][number];
