// What OpenAI's two APIs share of tools: schemas, names, choices. Pure; each API says where in its request something stands.
import { CcapiError } from "../auth/errors.ts";
import { assertSchema, compileSchema } from "../schema/compile.ts";
import type { ClientTool, JsonSchema, OutputFormat, ToolChoice } from "../turn/turn.ts";

/** A function as a request describes it. @throws CcapiError `invalid_request` at `param` where its schema can't be used. */
export function toClientTool(
  {
    name,
    description,
    parameters,
    strict,
  }: {
    readonly name: string;
    readonly description?: string | null | undefined;
    readonly parameters?: JsonSchema | null | undefined;
    readonly strict?: boolean | null | undefined;
  },
  param: string,
): ClientTool {
  const inputSchema = toObjectSchema(parameters, param);
  if (strict === true) compileSchema(inputSchema, param);
  else assertSchema(inputSchema, param);
  return { name, description: description ?? undefined, inputSchema, strict: strict ?? false };
}

/** The form `json_schema`. @throws CcapiError `invalid_request` at `param` where its schema can't be used. */
export function toJsonSchemaFormat(
  {
    name,
    schema,
    strict,
  }: {
    readonly name: string;
    readonly schema?: JsonSchema | null | undefined;
    readonly strict?: boolean | null | undefined;
  },
  param: string,
): OutputFormat {
  const object = toObjectSchema(schema, param);
  compileSchema(object, param);
  return { type: "json_schema", name, schema: object, strict: strict ?? false };
}

/** Both vendors take schemas of objects alone; OpenAI lets its type be left out. */
function toObjectSchema(schema: JsonSchema | null | undefined, param: string): JsonSchema {
  if (!schema || Object.keys(schema).length === 0) return { type: "object", properties: {} };
  const { type } = schema;
  if (type === "object") return schema;
  if (type === undefined || type === null) return { ...schema, type: "object" };
  throw new CcapiError("invalid_request", `${param}: must be a schema of type "object".`, { param: `${param}.type` });
}

/** @throws CcapiError `invalid_request` where two tools have one name. */
export function refuseTwins(tools: readonly ClientTool[], toParam: (index: number) => string): void {
  const names = new Set<string>();
  for (const [index, { name }] of tools.entries()) {
    if (names.has(name)) {
      throw new CcapiError("invalid_request", "Two tools have the same name.", { param: toParam(index) });
    }
    names.add(name);
  }
}

/** A tool by its name, and where that stands. */
interface NamedTool {
  readonly name: string;
  readonly param: string;
}

/** `tool_choice`, whatever its shape. */
export type Choice =
  | "none"
  | "auto"
  | "required"
  | { readonly is: "tool"; readonly tool: NamedTool }
  | { readonly is: "allowed"; readonly mode: "none" | "auto" | "required"; readonly tools: readonly NamedTool[] };

/** The tools that are left, and what has to be done with them. @throws CcapiError `invalid_request` where one is not there. */
export function choose(
  choice: Choice,
  tools: readonly ClientTool[],
): { readonly tools: readonly ClientTool[]; readonly toolChoice: ToolChoice } {
  if (typeof choice === "string") {
    if (choice === "required" && tools.length === 0) {
      throw new CcapiError("invalid_request", "A tool is required, and there is none in tools.", {
        param: "tool_choice",
      });
    }
    return { tools, toolChoice: { type: choice } };
  }
  if (choice.is === "tool") {
    assertThere(choice.tool, tools);
    return { tools, toolChoice: { type: "tool", name: choice.tool.name } };
  }
  for (const tool of choice.tools) assertThere(tool, tools);
  const allowed = new Set(choice.tools.map(({ name }) => name));
  return { tools: tools.filter(({ name }) => allowed.has(name)), toolChoice: { type: choice.mode } };
}

function assertThere({ name, param }: NamedTool, tools: readonly ClientTool[]): void {
  if (tools.some((tool) => tool.name === name)) return;
  throw new CcapiError("invalid_request", "There is no tool of this name in tools.", { param });
}
