// Is a body one that the API would take? The first fault found, in the API's words; null where there is none. Pure.
import { type ApiError, createApiError } from "./errors.ts";
import { isKnownModel } from "./models.ts";
import { isJsonObject, type JsonObject } from "./request.ts";
import { messagesFault } from "./validate-messages.ts";

/** Checks a message request. @param counting it is one of `count_tokens`, which takes no `max_tokens` */
export function requestFault(body: unknown, counting: boolean): ApiError | null {
  if (!isJsonObject(body)) {
    return invalid("Input should be a valid dictionary or object to extract fields from");
  }
  const message =
    modelFault(body.model) ??
    (counting ? null : maxTokensFault(body.max_tokens)) ??
    messagesFault(body.messages) ??
    systemFault(body.system) ??
    toolsFault(body) ??
    numbersFault(body) ??
    thinkingFault(body) ??
    stopSequencesFault(body.stop_sequences) ??
    booleanFault("stream", body.stream);
  if (message !== null) return invalid(message);
  const model = String(body.model);
  return isKnownModel(model) ? null : createApiError(404, `model: ${model}`);
}

function invalid(message: string): ApiError {
  return createApiError(400, message);
}

function modelFault(model: unknown): string | null {
  if (model === undefined) return "model: Field required";
  if (typeof model !== "string") return "model: Input should be a valid string";
  if (model === "") return "model: String should have at least 1 character";
  return model.length > 256 ? "model: String should have at most 256 characters" : null;
}

function maxTokensFault(value: unknown): string | null {
  if (value === undefined) return "max_tokens: Field required";
  if (!Number.isSafeInteger(value)) return "max_tokens: Input should be a valid integer";
  return Number(value) < 1 ? "max_tokens: must be greater than or equal to 1" : null;
}

function systemFault(system: unknown): string | null {
  if (system === undefined || typeof system === "string") return null;
  if (!Array.isArray(system)) return "system: Input should be a valid list";
  const wrong = system.findIndex(
    (block) => !isJsonObject(block) || block.type !== "text" || typeof block.text !== "string",
  );
  return wrong < 0 ? null : `system.${wrong}.text: Field required`;
}

function toolsFault(body: JsonObject): string | null {
  const tools = body.tools ?? [];
  if (!Array.isArray(tools)) return "tools: Input should be a valid list";
  const names = new Set<string>();
  for (const [index, tool] of tools.entries()) {
    const at = `tools.${index}`;
    if (!isJsonObject(tool)) return `${at}: Input should be a valid dictionary or object`;
    // The API's own tools (web search, memory …) and toolsets are named by their type.
    const custom = tool.type === undefined || tool.type === null || tool.type === "custom";
    if (!custom) continue;
    const { name } = tool;
    if (name === undefined) return `${at}.custom.name: Field required`;
    if (typeof name !== "string") return `${at}.custom.name: Input should be a valid string`;
    if (!/^[\w-]{1,128}$/.test(name)) {
      return `${at}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'`;
    }
    if (names.has(name)) return "tools: Tool names must be unique.";
    names.add(name);
    const schema = tool.input_schema;
    if (schema === undefined) return `${at}.custom.input_schema: Field required`;
    if (!isJsonObject(schema)) return `${at}.custom.input_schema: Input should be a valid dictionary`;
    if (schema.type !== "object") {
      return `${at}.custom.input_schema.type: ${schema.type === undefined ? "Field required" : "Input should be 'object'"}`;
    }
  }
  return toolChoiceFault(body.tool_choice, names, tools.length);
}

function toolChoiceFault(choice: unknown, names: ReadonlySet<string>, toolCount: number): string | null {
  if (choice === undefined || choice === null) return null;
  if (!isJsonObject(choice)) return "tool_choice: Input should be a valid dictionary or object";
  if (!["auto", "any", "tool", "none"].includes(String(choice.type))) {
    return `tool_choice: Input tag '${String(choice.type)}' found using 'type' does not match any of the expected tags: 'auto', 'any', 'tool', 'none'`;
  }
  if (choice.type === "tool" && typeof choice.name !== "string") {
    return "tool_choice.tool.name: Field required";
  }
  if (choice.type === "tool" && !names.has(String(choice.name))) {
    return `tool_choice: Tool '${String(choice.name)}' not found in provided tools`;
  }
  return choice.type === "any" && toolCount === 0
    ? "tool_choice: tool_choice.any may only be specified while providing tools"
    : null;
}

function numbersFault(body: JsonObject): string | null {
  for (const [field, least, most] of [
    ["temperature", 0, 1],
    ["top_p", 0, 1],
    ["top_k", 0, Number.MAX_SAFE_INTEGER],
  ] as const) {
    const value = body[field];
    if (value === undefined || value === null) continue;
    if (typeof value !== "number") return `${field}: Input should be a valid number`;
    if (value < least || value > most) return `${field}: range: ${least}..${most}`;
  }
  return null;
}

function thinkingFault({ thinking, max_tokens: maxTokens }: JsonObject): string | null {
  if (thinking === undefined || thinking === null) return null;
  if (!isJsonObject(thinking)) return "thinking: Input should be a valid dictionary or object";
  const { type, budget_tokens: budget } = thinking;
  if (!["enabled", "disabled", "adaptive"].includes(String(type))) {
    return `thinking: Input tag '${String(type)}' found using 'type' does not match any of the expected tags: 'adaptive', 'disabled', 'enabled'`;
  }
  if (type !== "enabled") return null;
  if (budget === undefined) return "thinking.enabled.budget_tokens: Field required";
  if (!Number.isSafeInteger(budget)) {
    return "thinking.enabled.budget_tokens: Input should be a valid integer";
  }
  if (Number(budget) < 1024) {
    return "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024";
  }
  return typeof maxTokens === "number" && maxTokens <= Number(budget)
    ? "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size"
    : null;
}

function stopSequencesFault(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (!Array.isArray(value)) return "stop_sequences: Input should be a valid list";
  for (const [index, text] of value.entries()) {
    if (typeof text !== "string") return `stop_sequences.${index}: Input should be a valid string`;
    if (text.trim() === "") return "stop_sequences: each stop sequence must contain non-whitespace";
  }
  return null;
}

function booleanFault(field: string, value: unknown): string | null {
  return value === undefined || value === null || typeof value === "boolean"
    ? null
    : `${field}: Input should be a valid boolean`;
}
