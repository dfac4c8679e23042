// The schema of a Messages request: what is validated.
// Only what we use is typed; the table in parameters.ts says what becomes of the rest.
import { z } from "zod";
import { sessionId } from "../names/session-id.ts";
import { message, textBlock } from "./request-content.ts";

/** Goes into a process's environment, which the system bounds. */
const stopSequence = z.string().min(1).max(1_000);

const thinking = z.discriminatedUnion("type", [
  z.looseObject({
    type: z.literal("enabled"),
    budget_tokens: z.int().min(1_024),
    display: z.enum(["summarized", "omitted"]).nullish(),
  }),
  z.looseObject({ type: z.literal("adaptive"), display: z.enum(["summarized", "omitted"]).nullish() }),
  // With `between_tools` a model shows its progress, and does not think.
  z.looseObject({ type: z.enum(["disabled", "between_tools"]) }),
]);

const jsonSchema = z.record(z.string(), z.unknown());
const outputFormat = z.looseObject({ type: z.literal("json_schema"), schema: jsonSchema });

// A tool of another type is the model API's own, or one that its models know by heart.
const tool = z.looseObject({
  type: z.string().nullish(),
  name: z.string().min(1).max(128).optional(),
  description: z.string().nullish(),
  input_schema: jsonSchema.optional(),
  strict: z.boolean().nullish(),
});

const parallel = { disable_parallel_tool_use: z.boolean().nullish() };
const toolChoice = z.discriminatedUnion("type", [
  z.looseObject({ type: z.enum(["auto", "any", "none"]), ...parallel }),
  z.looseObject({ type: z.literal("tool"), name: z.string().min(1), ...parallel }),
]);

/** Body of `POST /v1/messages/count_tokens`. */
export const countTokensRequest = z
  .looseObject({
    model: z.string().min(1).max(256),
    messages: z.array(message).min(1).max(10_000),
    system: z.union([z.string(), z.array(textBlock)]).nullish(),
    thinking: thinking.nullish(),
    tools: z.array(tool).max(1_000).nullish(),
    tool_choice: toolChoice.nullish(),
    output_config: z
      .looseObject({
        effort: z.enum(["low", "medium", "high", "xhigh", "max"]).nullish(),
        format: outputFormat.nullish(),
      })
      .nullish(),
    output_format: outputFormat.nullish(),
  })
  .meta({ id: "CountTokensRequest" });

/** Body of `POST /v1/messages`. */
export const messagesRequest = countTokensRequest
  .extend({
    max_tokens: z.int().min(1),
    stream: z.boolean().nullish(),
    stop_sequences: z.array(stopSequence).max(32).nullish(),
    temperature: z.number().min(0).max(1).nullish(),
    top_p: z.number().min(0).max(1).nullish(),
    top_k: z.int().min(0).nullish(),
    metadata: z.looseObject({ user_id: z.string().max(1_024).nullish() }).nullish(),
    session_id: sessionId.nullish(),
  })
  .meta({ id: "MessagesRequest" });

/** A validated body. */
export type MessagesRequest = z.infer<typeof messagesRequest>;
/** A validated body to be counted. */
export type CountTokensRequest = z.infer<typeof countTokensRequest>;
