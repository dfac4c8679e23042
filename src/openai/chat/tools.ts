// `tools`, `tool_choice`, `parallel_tool_calls` and `response_format` of a request → a turn's. Pure.
import { CcapiError } from "../../auth/errors.ts";
import type { ClientTool, OutputFormat, Turn } from "../../turn/turn.ts";
import { type Choice, choose, refuseTwins, toClientTool, toJsonSchemaFormat } from "../tools.ts";
import type { ChatRequest } from "./request.ts";

type TurnTools = Pick<Turn, "tools" | "toolChoice" | "parallelToolCalls">;

/**
 * Understands what a request says of its tools.
 *
 * @throws CcapiError `unsupported_parameter`, `invalid_request`; `param` names the place.
 */
export function toTools(body: ChatRequest): TurnTools {
  const tools = (body.tools ?? []).map(toTool);
  refuseTwins(tools, (index) => `tools[${index}].function.name`);
  return { ...choose(toChoice(body.tool_choice), tools), parallelToolCalls: body.parallel_tool_calls ?? true };
}

/** Understands `response_format`. */
export function toOutputFormat(format: ChatRequest["response_format"]): OutputFormat | undefined {
  if (!format || format.type === "text") return undefined;
  if (format.type === "json_object") return { type: "json_object" };
  return toJsonSchemaFormat(format.json_schema, "response_format.json_schema.schema");
}

function toTool(tool: NonNullable<ChatRequest["tools"]>[number], index: number): ClientTool {
  if (tool.type === "custom")
    refuse("Tools of type custom can't be used: only functions are served.", `tools[${index}].type`);
  return toClientTool(tool.function, `tools[${index}].function.parameters`);
}

function toChoice(choice: ChatRequest["tool_choice"]): Choice {
  if (choice === null || choice === undefined) return "auto";
  if (typeof choice === "string") return choice;
  switch (choice.type) {
    case "custom":
      return refuse("Tools of type custom can't be used: only functions are served.", "tool_choice.type");
    case "function":
      return { is: "tool", tool: { name: choice.function.name, param: "tool_choice.function.name" } };
    case "allowed_tools": {
      const { mode, tools } = choice.allowed_tools;
      const toNamed = (tool: (typeof tools)[number], index: number) => ({
        name: tool.function.name,
        param: `tool_choice.allowed_tools.tools[${index}].function.name`,
      });
      return { is: "allowed", mode, tools: tools.map(toNamed) };
    }
  }
}

function refuse(message: string, param: string): never {
  throw new CcapiError("unsupported_parameter", message, { param });
}
