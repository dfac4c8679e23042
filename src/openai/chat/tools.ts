// `tools`, `tool_choice`, `parallel_tool_calls` and `response_format` of a request → a turn's. Pure.
import { CcapiError } from "../../auth/errors.ts";
import type { ClientTool, JsonSchema, OutputFormat, ToolChoice, Turn } from "../../turn/turn.ts";
import { assertSchema, compileSchema } from "../../schema/compile.ts";
import type { ChatRequest } from "./request.ts";

type TurnTools = Pick<Turn, "tools" | "toolChoice" | "parallelToolCalls">;

/**
 * Understands what a request says of its tools.
 *
 * @throws CcapiError `unsupported_parameter`, `invalid_request`; `param` names the place.
 */
export function toTools(body: ChatRequest): TurnTools {
  const tools = (body.tools ?? []).map(toTool);
  refuseTwins(tools);
  return { ...choose(body.tool_choice, tools), parallelToolCalls: body.parallel_tool_calls ?? true };
}

/** Understands `response_format`. */
export function toOutputFormat(format: ChatRequest["response_format"]): OutputFormat | undefined {
  if (!format || format.type === "text") return undefined;
  if (format.type === "json_object") return { type: "json_object" };
  const { name, schema, strict } = format.json_schema;
  const param = "response_format.json_schema.schema";
  const object = toObjectSchema(schema, param);
  compileSchema(object, param);
  return { type: "json_schema", name, schema: object, strict: strict ?? false };
}

function toTool(tool: NonNullable<ChatRequest["tools"]>[number], index: number): ClientTool {
  if (tool.type === "custom")
    refuse("Tools of type custom can't be used: only functions are served.", `tools[${index}].type`);
  const { name, description, parameters, strict } = tool.function;
  const param = `tools[${index}].function.parameters`;
  const inputSchema = toObjectSchema(parameters, param);
  if (strict === true) compileSchema(inputSchema, param);
  else assertSchema(inputSchema, param);
  return {
    name,
    description: description ?? undefined,
    inputSchema,
    strict: strict ?? false,
  };
}

/** Both APIs take schemas of objects alone; OpenAI's lets its type be left out. */
function toObjectSchema(schema: JsonSchema | null | undefined, param: string): JsonSchema {
  if (!schema || Object.keys(schema).length === 0) return { type: "object", properties: {} };
  const { type } = schema;
  if (type === "object") return schema;
  if (type === undefined || type === null) return { ...schema, type: "object" };
  throw new CcapiError("invalid_request", `${param}: must be a schema of type "object".`, { param: `${param}.type` });
}

function refuseTwins(tools: readonly ClientTool[]): void {
  const names = new Set<string>();
  for (const [index, { name }] of tools.entries()) {
    if (names.has(name)) {
      throw new CcapiError("invalid_request", "Two tools have the same name.", {
        param: `tools[${index}].function.name`,
      });
    }
    names.add(name);
  }
}

function choose(
  choice: ChatRequest["tool_choice"],
  tools: readonly ClientTool[],
): { readonly tools: readonly ClientTool[]; readonly toolChoice: ToolChoice } {
  if (choice === null || choice === undefined) return { tools, toolChoice: { type: "auto" } };
  if (typeof choice === "string") {
    if (choice === "required" && tools.length === 0) {
      throw new CcapiError("invalid_request", "A tool is required, and there is none in tools.", {
        param: "tool_choice",
      });
    }
    return { tools, toolChoice: { type: choice } };
  }
  switch (choice.type) {
    case "custom":
      return refuse("Tools of type custom can't be used: only functions are served.", "tool_choice.type");
    case "function": {
      const { name } = choice.function;
      assertThere(name, tools, "tool_choice.function.name");
      return { tools, toolChoice: { type: "tool", name } };
    }
    case "allowed_tools": {
      const allowed = new Set<string>();
      for (const [index, tool] of choice.allowed_tools.tools.entries()) {
        assertThere(tool.function.name, tools, `tool_choice.allowed_tools.tools[${index}].function.name`);
        allowed.add(tool.function.name);
      }
      return {
        tools: tools.filter(({ name }) => allowed.has(name)),
        toolChoice: { type: choice.allowed_tools.mode },
      };
    }
  }
}

function assertThere(name: string, tools: readonly ClientTool[], param: string): void {
  if (tools.some((tool) => tool.name === name)) return;
  throw new CcapiError("invalid_request", "There is no tool of this name in tools.", { param });
}

function refuse(message: string, param: string): never {
  throw new CcapiError("unsupported_parameter", message, { param });
}
