// `tools`, `tool_choice` and the form of the answer → a turn's. Pure.
import { CcapiError } from "../auth/errors.ts";
import type { ClientTool, OutputFormat, ToolChoice, Turn } from "../turn/turn.ts";
import type { MessagesRequest } from "./request.ts";

type RequestTool = NonNullable<MessagesRequest["tools"]>[number];

/**
 * Understands what a request says of its tools.
 *
 * @throws CcapiError `unsupported_parameter`, `invalid_request`; `param` names the place.
 */
export function toTools({
  tools: requested,
  tool_choice: choice,
}: Pick<MessagesRequest, "tools" | "tool_choice">): Pick<Turn, "tools" | "toolChoice" | "parallelToolCalls"> {
  const tools = (requested ?? []).map(toTool);
  const names = new Set<string>();
  for (const [index, { name }] of tools.entries()) {
    if (names.has(name)) throw invalid("tools: two of them have the same name.", `tools[${index}].name`);
    names.add(name);
  }
  return {
    tools,
    toolChoice: toToolChoice(choice, names),
    parallelToolCalls: choice?.disable_parallel_tool_use !== true,
  };
}

/** Understands `output_config.format`, and its older name. */
export function toOutputFormat(
  body: Pick<MessagesRequest, "output_config" | "output_format">,
): OutputFormat | undefined {
  const format = body.output_config?.format ?? body.output_format;
  if (!format) return undefined;
  return { type: "json_schema", name: "answer", schema: format.schema, strict: true };
}

function toTool({ type, name, description, input_schema: schema, strict }: RequestTool, index: number): ClientTool {
  const at = `tools[${index}]`;
  if (type && type !== "custom") {
    throw new CcapiError(
      "unsupported_parameter",
      `${at}: tools of the type "${type.slice(0, 60)}" are the model API's own, and not served.`,
      { param: `${at}.type` },
    );
  }
  if (name === undefined) throw invalid(`${at}.name: Required.`, `${at}.name`);
  if (schema === undefined) throw invalid(`${at}.input_schema: Required.`, `${at}.input_schema`);
  if (schema["type"] !== "object") {
    throw invalid(`${at}.input_schema: must be a schema of type "object".`, `${at}.input_schema.type`);
  }
  return { name, description: description ?? undefined, inputSchema: schema, strict: strict ?? false };
}

function toToolChoice(choice: MessagesRequest["tool_choice"], names: ReadonlySet<string>): ToolChoice {
  if (!choice) return { type: "auto" };
  switch (choice.type) {
    case "any":
      if (names.size === 0) throw invalid("tool_choice: a tool has to be called, and there is none.", "tool_choice");
      return { type: "required" };
    case "tool":
      if (!names.has(choice.name)) throw invalid("tool_choice: no tool has this name.", "tool_choice.name");
      return { type: "tool", name: choice.name };
    default:
      return { type: choice.type };
  }
}

function invalid(message: string, param: string): CcapiError {
  return new CcapiError("invalid_request", message, { param });
}
