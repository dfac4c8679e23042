// The part of a chat completion request's schema that is about tools.
import { z } from "zod";

const functionTool = z.looseObject({
  type: z.literal("function"),
  function: z.looseObject({
    name: z.string().min(1).max(256),
    description: z.string().nullish(),
    parameters: z.record(z.string(), z.unknown()).nullish(),
    strict: z.boolean().nullish(),
  }),
});
/** Known, and refused with an error that names it. */
const customTool = z.looseObject({ type: z.literal("custom") });

const namedFunction = z.looseObject({ name: z.string() });

/** One of `tools`. */
export const tool = z.discriminatedUnion("type", [functionTool, customTool], { error: "Must be function" });

/** `tool_choice` */
export const toolChoice = z.union([
  z.enum(["none", "auto", "required"]),
  z.discriminatedUnion("type", [
    z.looseObject({ type: z.literal("function"), function: namedFunction }),
    z.looseObject({
      type: z.literal("allowed_tools"),
      allowed_tools: z.looseObject({
        mode: z.enum(["auto", "required"]),
        tools: z
          .array(z.looseObject({ type: z.literal("function"), function: namedFunction }))
          .min(1)
          .max(512),
      }),
    }),
    z.looseObject({ type: z.literal("custom") }),
  ]),
]);
