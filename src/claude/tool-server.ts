// The client's tools as an MCP server inside of this process, by which Claude Code shows them to the model and calls them. Runs
// nothing: a call waits until the client has brought its result, in the same request or in a later one.
// The few messages of MCP that Claude Code sends are answered here, without the SDK's server, whose schemas are zod's and not JSON's.
import type { McpSdkServerConfigWithInstance } from "@anthropic-ai/claude-agent-sdk";
import * as z from "zod";
import type { ContentBlock } from "../turn/turn.ts";
import type { OfferedTool } from "./toolbox.ts";

/** The server's name. The model does not see it. */
export const toolServerName = "client";

/** A tool's result, as a client brings it. */
export type ToolResult = Extract<ContentBlock, { type: "tool_result" }>;

/** How long a call may wait: longer than any process is kept. */
const callTimeoutMs = 7 * 24 * 60 * 60_000;

/**
 * Longer ones are put into a file by Claude Code, of which the model sees the beginning (measured, 2.1.330: between 40,000 and 60,000
 * characters); in a transcript they stay whole.
 */
const maxLiveLength = 30_000;

/** What Claude Code sends. */
const request = z.object({
  id: z.union([z.string(), z.number()]).optional(),
  method: z.string(),
  params: z
    .object({
      protocolVersion: z.string().optional(),
      _meta: z.object({ "claudecode/toolUseId": z.string().optional() }).optional(),
    })
    .optional(),
});

/** The part of MCP's transport that a server needs. */
interface Transport {
  start?(): Promise<void>;
  send(message: object): Promise<void>;
}

/** The server of one process. */
export interface ToolServer {
  readonly config: McpSdkServerConfigWithInstance;
  /** Hands over results of calls, made already or still to be made. */
  answer(results: readonly ToolResult[]): void;
}

/**
 * Whether a live process hands a result on to the model as it is, as a transcript would. Of images it makes smaller ones, of an empty
 * text words of its own (measured, 2.1.330).
 */
export function isPlainResult({ content, is_error }: ToolResult): boolean {
  const texts =
    typeof content === "string" ? [content] : content.map((block) => (block.type === "text" ? block.text : ""));
  const isOnlyText = texts.length > 0 && texts.every((text) => text !== "");
  return isOnlyText && texts.join("").length <= maxLiveLength && (is_error !== true || texts.length === 1);
}

/** A result in the one form that the model gets, live or from a transcript: an error's text is a string, another's a list. */
export function toModelResult(result: ToolResult): ToolResult {
  const { tool_use_id, content, is_error } = result;
  const [only, ...more] = typeof content === "string" ? [{ type: "text" as const, text: content }] : content;
  if (is_error === true && more.length === 0 && only?.type === "text") {
    return { type: "tool_result", tool_use_id, content: only.text, is_error };
  }
  if (typeof content !== "string") return result;
  return { ...result, content: content === "" ? "" : [{ type: "text", text: content }] };
}

/** What a client says, its results in that form. */
export function toModelPrompt(prompt: readonly ContentBlock[]): ContentBlock[] {
  return prompt.map((block) => (block.type === "tool_result" ? toModelResult(block) : block));
}

/** Makes the server of one process. */
export function createToolServer(offered: readonly OfferedTool[]): ToolServer {
  const waiting = new Map<string, (result: ToolResult) => void>();
  const brought = new Map<string, ToolResult>();

  function resultOf(id: string): Promise<ToolResult> {
    const result = brought.get(id);
    brought.delete(id);
    if (result !== undefined) return Promise.resolve(result);
    return new Promise((resolve) => {
      waiting.set(id, resolve);
    });
  }

  async function respond({ method, params }: z.infer<typeof request>): Promise<object> {
    switch (method) {
      case "initialize":
        return {
          protocolVersion: params?.protocolVersion ?? "2025-06-18",
          capabilities: { tools: {} },
          serverInfo: { name: toolServerName, version: "1" },
        };
      case "tools/list":
        return {
          tools: offered.map(({ name, tool, schema }) => ({
            name,
            ...(tool.description === undefined ? {} : { description: tool.description }),
            inputSchema: schema,
            // Shown from the beginning, not found by a search.
            _meta: { "anthropic/alwaysLoad": true },
          })),
        };
      case "tools/call": {
        const { content, is_error } = await resultOf(params?._meta?.["claudecode/toolUseId"] ?? "");
        return { content: toMcp(content), ...(is_error === true ? { isError: true } : {}) };
      }
      default:
        return {};
    }
  }

  function receive(message: unknown, transport: Transport): void {
    const { data } = request.safeParse(message);
    const { id } = data ?? {};
    if (data === undefined || id === undefined) return; // A notification.
    respond(data)
      .then((result) => transport.send({ jsonrpc: "2.0", id, result }))
      .catch(() => undefined); // The process is gone.
  }

  const instance = {
    async connect(transport: Transport) {
      // MCP's transports know no listeners but this one.
      Object.assign(transport, { onmessage: (message: unknown) => receive(message, transport) });
      await transport.start?.();
    },
    async close() {
      waiting.clear();
    },
  };

  return {
    config: {
      type: "sdk",
      name: toolServerName,
      timeout: callTimeoutMs,
      // The SDK calls `connect` and `close` alone (measured, 0.3.330).
      instance: instance as unknown as McpSdkServerConfigWithInstance["instance"],
    },
    answer(results) {
      for (const result of results) {
        const resolve = waiting.get(result.tool_use_id);
        waiting.delete(result.tool_use_id);
        if (resolve === undefined) brought.set(result.tool_use_id, result);
        else resolve(result);
      }
    },
  };
}

function toMcp(content: ToolResult["content"]): object[] {
  const blocks = typeof content === "string" ? [{ type: "text" as const, text: content }] : content;
  return blocks.flatMap((block) => (block.type === "text" ? [{ type: "text", text: block.text }] : []));
}
