// A valid message request, read into what rules and answers ask about. Checking it is `validate.ts`'s work.

/** A JSON object of unknown content. */
export type JsonObject = { readonly [key: string]: unknown };

/** A content block of a message; a message whose content is a string has one text block. */
export type ParsedBlock = JsonObject & { readonly type: string };

export interface ParsedMessage {
  readonly role: "user" | "assistant" | "system";
  readonly content: readonly ParsedBlock[];
}

/** A tool that the client offers. Tools that the API itself would run have an empty schema. */
export interface ParsedTool {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: JsonObject;
}

export type ToolChoice = { readonly type: "auto" | "any" | "none" } | { readonly type: "tool"; readonly name: string };

/** A tool's result in the last message. */
export interface ToolResult {
  readonly toolUseId: string;
  /** Its text blocks, joined by line breaks. */
  readonly text: string;
  readonly isError: boolean;
}

/** A message request as rules see it. */
export interface ParsedRequest {
  readonly model: string;
  readonly maxTokens: number;
  readonly stream: boolean;
  /** The system prompt's text blocks, joined by blank lines. */
  readonly system: string;
  readonly messages: readonly ParsedMessage[];
  readonly tools: readonly ParsedTool[];
  readonly toolChoice: ToolChoice;
  readonly parallelTools: boolean;
  readonly thinking: "disabled" | "enabled" | "adaptive";
  /** The client wants thinking blocks without their text. */
  readonly thinkingOmitted: boolean;
  readonly stopSequences: readonly string[];
  /** The JSON schema that the answer must match, from `output_config.format` or `output_format`. */
  readonly outputSchema: JsonObject | null;
  /** Text of the last user message, without tool results and without `<system-reminder>` blocks. */
  readonly lastUserText: string;
  readonly toolResults: readonly ToolResult[];
  /** The body as it came. */
  readonly body: JsonObject;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The text of a content value: a string, or its text blocks. */
export function textOf(content: unknown, separator = "\n"): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content
    .filter((block): block is JsonObject => isJsonObject(block) && block.type === "text")
    .map((block) => (typeof block.text === "string" ? block.text : ""))
    .join(separator);
}

/** What the person wrote: Claude Code adds reminders of its own to a message. */
export function withoutReminders(text: string): string {
  if (!text.includes("<system-reminder>")) return text.trim();
  return text.replaceAll(/<system-reminder>[\s\S]*?<\/system-reminder>/g, "").trim();
}

/** Reads a body that `validate` accepted. */
export function parseRequest(body: JsonObject): ParsedRequest {
  const messages = asArray(body.messages).map(parseMessage);
  const last = messages.findLast((message) => message.role === "user");
  const thinking = isJsonObject(body.thinking) ? body.thinking : {};
  const choice = isJsonObject(body.tool_choice) ? body.tool_choice : {};
  return {
    model: String(body.model),
    maxTokens: typeof body.max_tokens === "number" ? body.max_tokens : Number.MAX_SAFE_INTEGER,
    stream: body.stream === true,
    system: textOf(body.system, "\n\n"),
    messages,
    tools: asArray(body.tools).map(parseTool),
    toolChoice: parseToolChoice(choice),
    parallelTools: choice.disable_parallel_tool_use !== true,
    thinking: thinking.type === "enabled" || thinking.type === "adaptive" ? thinking.type : "disabled",
    thinkingOmitted: thinking.display === "omitted",
    stopSequences: asArray(body.stop_sequences).filter((text) => typeof text === "string"),
    outputSchema: outputSchema(body),
    lastUserText: last === undefined ? "" : withoutReminders(textOf(last.content)),
    toolResults: last === undefined ? [] : toolResultsOf(last.content),
    body,
  };
}

/** The results of tools among a message's blocks. */
function toolResultsOf(content: readonly ParsedBlock[]): readonly ToolResult[] {
  return content
    .filter((block) => block.type === "tool_result")
    .map((block) => ({
      toolUseId: String(block.tool_use_id),
      text: textOf(block.content),
      isError: block.is_error === true,
    }));
}

function parseMessage(message: unknown): ParsedMessage {
  const { role, content } = isJsonObject(message) ? message : {};
  const blocks =
    typeof content === "string"
      ? [{ type: "text", text: content }]
      : asArray(content).filter((block): block is ParsedBlock => isJsonObject(block) && typeof block.type === "string");
  return { role: role === "assistant" || role === "system" ? role : "user", content: blocks };
}

function parseTool(tool: unknown): ParsedTool {
  const { name, description, input_schema } = isJsonObject(tool) ? tool : {};
  return {
    name: String(name),
    description: typeof description === "string" ? description : "",
    inputSchema: isJsonObject(input_schema) ? input_schema : {},
  };
}

function parseToolChoice(choice: JsonObject): ToolChoice {
  if (choice.type === "tool") return { type: "tool", name: String(choice.name) };
  return { type: choice.type === "any" || choice.type === "none" ? choice.type : "auto" };
}

function outputSchema(body: JsonObject): JsonObject | null {
  const config = isJsonObject(body.output_config) ? body.output_config.format : undefined;
  const format = config ?? body.output_format;
  if (!isJsonObject(format) || format.type !== "json_schema") return null;
  return isJsonObject(format.schema) ? format.schema : null;
}

function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
