// The client's tools of one turn as the model sees them: which are shown, under which names and schemas, and back again. Pure.
import type { ClientTool, ContentBlock, JsonSchema, Message, Turn } from "../turn/turn.ts";
import { toModelName } from "./tool-names.ts";
import { toModelResult } from "./tool-server.ts";
import { type ModelSchema, toClientInput, toModelInput, toModelSchema } from "./tool-schema.ts";

/** The part of a turn that is about the client's tools. */
export type ToolSettings = Pick<Turn, "profile" | "tools" | "toolChoice" | "parallelToolCalls">;

/** A tool that the model is shown. */
export interface OfferedTool {
  readonly tool: ClientTool;
  /** Its name for the model. */
  readonly name: string;
  readonly schema: JsonSchema;
  /** The model's arguments as the client's schema names them. */
  toClient(input: unknown): unknown;
  /** Whether the model's own pieces of arguments can be handed on as they come. */
  readonly isVerbatim: boolean;
}

/** The tools that the model may call, as the choice leaves them. */
export function offeredTools({ profile, tools, toolChoice }: ToolSettings): OfferedTool[] {
  if (toolChoice.type === "none") return [];
  const shown = toolChoice.type === "tool" ? tools.filter(({ name }) => name === toolChoice.name) : tools;
  return shown.map((tool) => {
    const model = toModelSchema(tool.inputSchema);
    return {
      tool,
      name: toModelName(tool.name, profile),
      schema: model.schema,
      toClient: (input) => toClientInput(input, model),
      isVerbatim: model.renamed.size === 0,
    };
  });
}

/** Whether the turn's answer has to call a tool. */
export function mustCall({ tools, toolChoice }: ToolSettings): boolean {
  return tools.length > 0 && (toolChoice.type === "required" || toolChoice.type === "tool");
}

/** The Messages API's own choice, where it can say what the turn asks for in every call of the process; `undefined`: its default. */
export function upstreamToolChoice(turn: ToolSettings): Readonly<Record<string, unknown>> | undefined {
  const offered = offeredTools(turn);
  const [only] = offered;
  if (only === undefined) return undefined;
  const parallel = turn.parallelToolCalls ? {} : { disable_parallel_tool_use: true };
  // An agent calls its own tools in between: it can't be bound in each of its calls.
  if (turn.profile === "chat" && mustCall(turn)) {
    return turn.toolChoice.type === "tool"
      ? { type: "tool", name: only.name, ...parallel }
      : { type: "any", ...parallel };
  }
  return turn.parallelToolCalls ? undefined : { type: "auto", ...parallel };
}

/** A conversation with the model's names for the tools that were called in it, and results in their one form. */
export function toModelMessages(messages: readonly Message[], { profile, tools }: ToolSettings): Message[] {
  const schemas = new Map<string, ModelSchema>(
    tools.map(({ name, inputSchema }) => [name, toModelSchema(inputSchema)]),
  );
  return messages.map(({ role, content }) => ({ role, content: content.map(toModelBlock) }));

  function toModelBlock(block: ContentBlock): ContentBlock {
    if (block.type === "tool_result") return toModelResult(block);
    if (block.type !== "tool_use") return block;
    const schema = schemas.get(block.name);
    const input = schema === undefined ? block.input : toModelInput(block.input, schema);
    return { ...block, name: toModelName(block.name, profile), input };
  }
}
