// The schema of a Responses request: what is validated.
// Only what we use is typed; the table in parameters.ts says what becomes of the rest.
import { z } from "zod";
import { sessionId } from "../../names/session-id.ts";
import { efforts } from "../sampling.ts";
import { inputItem } from "./request-items.ts";
import { tool, toolChoice } from "./request-tools.ts";

const format = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("text") }),
  z.looseObject({ type: z.literal("json_object") }),
  z.looseObject({
    type: z.literal("json_schema"),
    name: z.string().min(1).max(256).nullish(),
    description: z.string().nullish(),
    schema: z.record(z.string(), z.unknown()).nullish(),
    strict: z.boolean().nullish(),
  }),
]);

/** OpenAI's own bounds. */
const metadata = z
  .record(z.string().max(64), z.string().max(512))
  .refine((entries) => Object.keys(entries).length <= 16, "Must have 16 entries at most");

/** Body of `POST /v1/responses`. */
export const responseRequest = z
  .looseObject({
    model: z.string().min(1).max(256),
    input: z.union([z.string(), z.array(inputItem).max(10_000)]).nullish(),
    instructions: z.string().nullish(),
    previous_response_id: z.string().max(1_024).nullish(),
    session_id: sessionId.nullish(),
    store: z.boolean().nullish(),
    stream: z.boolean().nullish(),
    tools: z.array(tool).max(512).nullish(),
    tool_choice: toolChoice.nullish(),
    parallel_tool_calls: z.boolean().nullish(),
    max_output_tokens: z.int().min(1).nullish(),
    max_tool_calls: z.int().min(1).nullish(),
    text: z.looseObject({ format: format.nullish(), verbosity: z.enum(["low", "medium", "high"]).nullish() }).nullish(),
    reasoning: z
      .looseObject({
        effort: z.enum(efforts).nullish(),
        summary: z.enum(["auto", "concise", "detailed"]).nullish(),
        generate_summary: z.enum(["auto", "concise", "detailed"]).nullish(),
      })
      .nullish(),
    temperature: z.number().min(0).max(2).nullish(),
    top_p: z.number().min(0).max(1).nullish(),
    include: z.array(z.string().max(256)).max(64).nullish(),
    truncation: z.enum(["auto", "disabled"]).nullish(),
    metadata: metadata.nullish(),
    user: z.string().max(1_024).nullish(),
    safety_identifier: z.string().max(1_024).nullish(),
    prompt_cache_key: z.string().max(1_024).nullish(),
  })
  .meta({ id: "ResponseRequest" });

/** A validated body. */
export type ResponseRequest = z.infer<typeof responseRequest>;
