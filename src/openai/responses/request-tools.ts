// The part of a Responses request's schema that is about tools. Tools of other kinds than functions come through: tools.ts says
// what becomes of each.
import { z } from "zod";

const functionTool = z.looseObject({
  type: z.literal("function"),
  name: z.string().min(1).max(256),
  description: z.string().nullish(),
  parameters: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullish(),
});
const otherTool = z.looseObject({
  type: z
    .string()
    .max(64)
    .refine((type) => type !== "function", "Is not what a function has to be"),
});

/** One of `tools`. */
export const tool = z.union([functionTool, otherTool]);

const named = z.looseObject({ type: z.string().max(64), name: z.string().max(256).nullish() });
const functionChoice = z.looseObject({ type: z.literal("function"), name: z.string() });
const allowedChoice = z.looseObject({
  type: z.literal("allowed_tools"),
  mode: z.enum(["none", "auto", "required"]).nullish(),
  tools: z.array(named).min(1).max(512),
});
const otherChoice = z.looseObject({
  type: z
    .string()
    .max(64)
    .refine((type) => type !== "function" && type !== "allowed_tools", "Is not what a tool_choice has to be"),
});

/** `tool_choice` */
export const toolChoice = z.union([z.enum(["none", "auto", "required"]), functionChoice, allowedChoice, otherChoice]);

type RequestTool = z.infer<typeof tool>;
type RequestChoice = z.infer<typeof functionChoice | typeof allowedChoice | typeof otherChoice>;

/** Of this type the schema lets nothing else through. */
export function isFunctionTool(value: RequestTool): value is z.infer<typeof functionTool> {
  return value.type === "function";
}

/** The same. */
export function isFunctionChoice(value: RequestChoice): value is z.infer<typeof functionChoice> {
  return value.type === "function";
}

/** The same. */
export function isAllowedChoice(value: RequestChoice): value is z.infer<typeof allowedChoice> {
  return value.type === "allowed_tools";
}
