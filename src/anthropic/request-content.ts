// The schema of messages and of the blocks that they are made of.
import { z } from "zod";

/** A block of text. What else it may hold (citations, cache_control) has no effect here. */
export const textBlock = z.looseObject({ type: z.literal("text"), text: z.string() });

const base64 = z.looseObject({ type: z.literal("base64"), media_type: z.string().max(128), data: z.string() });
const url = z.looseObject({ type: z.literal("url"), url: z.string().max(8_192) });
/** Of the Files API, which is not served: refused with an error that names it. */
const file = z.looseObject({ type: z.literal("file") });

const imageBlock = z.looseObject({
  type: z.literal("image"),
  source: z.discriminatedUnion("type", [base64, url, file]),
});

const documentBlock = z.looseObject({
  type: z.literal("document"),
  source: z.discriminatedUnion("type", [
    base64,
    url,
    file,
    z.looseObject({ type: z.literal("text"), data: z.string() }),
    z.looseObject({
      type: z.literal("content"),
      content: z.union([z.string(), z.array(z.discriminatedUnion("type", [textBlock, imageBlock]))]),
    }),
  ]),
  title: z.string().max(500).nullish(),
  context: z.string().nullish(),
});

const searchResultBlock = z.looseObject({
  type: z.literal("search_result"),
  source: z.string(),
  title: z.string(),
  content: z.array(textBlock),
});

/** As the model API has it. */
const toolId = z.string().regex(/^[A-Za-z0-9_-]{1,256}$/, "Must be 1 to 256 letters, digits, dashes or underscores");

const toolResultBlock = z.looseObject({
  type: z.literal("tool_result"),
  tool_use_id: toolId,
  content: z
    .union([
      z.string(),
      z.array(
        z.discriminatedUnion("type", [
          textBlock,
          imageBlock,
          documentBlock,
          searchResultBlock,
          z.looseObject({ type: z.enum(["tool_reference", "browser_state"]) }),
        ]),
      ),
    ])
    .nullish(),
  is_error: z.boolean().nullish(),
});

const toolUseBlock = z.looseObject({
  type: z.literal("tool_use"),
  id: toolId,
  name: z.string().min(1).max(256),
  input: z.record(z.string(), z.unknown()),
});
const thinkingBlock = z.looseObject({ type: z.literal("thinking"), thinking: z.string(), signature: z.string() });
const redactedBlock = z.looseObject({ type: z.literal("redacted_thinking"), data: z.string() });

// What only tools of the model API's own make. Known, and refused with an error that names it.
const otherBlock = z.looseObject({
  type: z.enum([
    "server_tool_use",
    "web_search_tool_result",
    "web_fetch_tool_result",
    "code_execution_tool_result",
    "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result",
    "tool_search_tool_result",
    "mcp_tool_use",
    "mcp_tool_result",
    "container_upload",
    "compaction",
  ]),
});

/** One block of a message. */
const block = z.discriminatedUnion("type", [
  textBlock,
  imageBlock,
  documentBlock,
  searchResultBlock,
  toolUseBlock,
  toolResultBlock,
  thinkingBlock,
  redactedBlock,
  otherBlock,
]);

/** One message. */
export const message = z.discriminatedUnion("role", [
  z.looseObject({ role: z.enum(["user", "assistant"]), content: z.union([z.string(), z.array(block)]) }),
  z.looseObject({ role: z.literal("system"), content: z.union([z.string(), z.array(textBlock)]) }),
]);

/** One block of a validated body. */
export type RequestBlock = z.infer<typeof block>;
/** One block of a tool's result. */
export type ResultBlock = Exclude<z.infer<typeof toolResultBlock>["content"], string | null | undefined>[number];
