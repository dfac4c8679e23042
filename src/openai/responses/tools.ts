// `tools`, `tool_choice` and `text.format` of a request → a turn's, and what the response repeats of them. Pure.
import { CcapiError } from "../../auth/errors.ts";
import type { ClientTool, OutputFormat, Turn } from "../../turn/turn.ts";
import { type Choice, choose, refuseTwins, toClientTool, toJsonSchemaFormat } from "../tools.ts";
import { toolKinds } from "./parameters.ts";
import type { ResponseRequest } from "./request.ts";
import { isAllowedChoice, isFunctionChoice, isFunctionTool } from "./request-tools.ts";
import type { ResponseEcho } from "./response.ts";

/** What a request says of its tools, understood. */
export interface ResponseTools {
  readonly turn: Pick<Turn, "tools" | "toolChoice" | "parallelToolCalls">;
  readonly echo: Pick<ResponseEcho, "tools" | "tool_choice" | "parallel_tool_calls">;
}

/**
 * Understands it; kinds of tools that have no effect are added to `ignored`.
 *
 * @throws CcapiError `unsupported_parameter`, `invalid_request`; `param` names the place.
 */
export function toTools(body: ResponseRequest, ignored: Set<string>): ResponseTools {
  const tools = (body.tools ?? []).flatMap((tool, index) => toFunctions(tool, index, ignored));
  refuseTwins(tools, (index) => `tools[${index}].name`);
  const isParallel = body.parallel_tool_calls ?? true;
  return {
    turn: { ...choose(toChoice(body.tool_choice, ignored), tools), parallelToolCalls: isParallel },
    echo: {
      tools: tools.map(({ name, description = null, inputSchema, strict }) => ({
        type: "function",
        name,
        description,
        parameters: inputSchema,
        strict,
      })),
      tool_choice: body.tool_choice ?? "auto",
      parallel_tool_calls: isParallel,
    },
  };
}

/** Understands `text.format`. */
export function toOutputFormat(text: ResponseRequest["text"]): OutputFormat | undefined {
  const format = text?.format;
  if (!format || format.type === "text") return undefined;
  if (format.type === "json_object") return { type: "json_object" };
  return toJsonSchemaFormat({ ...format, name: format.name ?? "answer" }, "text.format.schema");
}

/** What the response repeats of `text`. */
export function toTextEcho(text: ResponseRequest["text"]): ResponseEcho["text"] {
  const format = toOutputFormat(text) ?? { type: "text" as const };
  const description = text?.format?.type === "json_schema" ? (text.format.description ?? null) : null;
  return {
    format: format.type === "json_schema" ? { ...format, description } : format,
    ...(text?.verbosity ? { verbosity: text.verbosity } : {}),
  };
}

type RequestTool = NonNullable<ResponseRequest["tools"]>[number];

function toFunctions(tool: RequestTool, index: number, ignored: Set<string>): ClientTool[] {
  if (isFunctionTool(tool)) {
    return [toClientTool(tool, `tools[${index}].parameters`)];
  }
  const kind = toolKinds.find(({ type }) => type === tool.type);
  if (kind?.fate === "ignored") {
    ignored.add(`tools.${kind.type}`);
    return [];
  }
  const note = kind === undefined || kind.note === "" ? "" : `: ${kind.note}`;
  throw new CcapiError("unsupported_parameter", `tools[${index}]: tools of this type can't be used${note}.`, {
    param: `tools[${index}].type`,
  });
}

function toChoice(choice: ResponseRequest["tool_choice"], ignored: Set<string>): Choice {
  if (choice === null || choice === undefined) return "auto";
  if (typeof choice === "string") return choice;
  if (isFunctionChoice(choice)) {
    return { is: "tool", tool: { name: choice.name, param: "tool_choice.name" } };
  }
  if (isAllowedChoice(choice)) {
    const tools = choice.tools.flatMap(({ type, name }, index) => {
      if (type === "function" && name) return [{ name, param: `tool_choice.tools[${index}].name` }];
      ignored.add("tool_choice.tools");
      return [];
    });
    return { is: "allowed", mode: choice.mode ?? "auto", tools };
  }
  throw new CcapiError("unsupported_parameter", "tool_choice: only functions can be chosen.", {
    param: "tool_choice.type",
  });
}
