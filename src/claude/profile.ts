// What one run is to be → the Agent SDK's options. The two profiles differ here and nowhere else:
// `agent` is Claude Code as the operator set it up; `chat` is a model alone, with nothing of this host that can be left out.
import type { McpSdkServerConfigWithInstance, Options } from "@anthropic-ai/claude-agent-sdk";
import type { Turn } from "../turn/turn.ts";
import { formInstruction } from "./answer-form.ts";
import { approvalHook } from "./approval.ts";
import type { Environment } from "./environment.ts";
import { isOurs } from "./stop-cutter.ts";
import { toolServerName } from "./tool-server.ts";
import { upstreamToolChoice } from "./toolbox.ts";
import type { CredentialSettings } from "./user-settings.ts";

/** Below this many tokens there is no room to think in: the API asks for a thinking budget of at least 1,024. */
const leastTokensToThink = 2_048;

/**
 * Tools by which an agent would reach beyond its run: other sessions of Claude Code on this host (another client's, the operator's own,
 * whose model is given what they say; measured, 2.1.330), and times after it. No permission rule is asked for them.
 */
const reachingOut = [
  "ListAgents",
  "SendMessage",
  "CronCreate",
  "CronDelete",
  "CronList",
  "ScheduleWakeup",
  "PushNotification",
  "RemoteTrigger",
] as const;

/** Limits of one run; `undefined`: none. */
export interface RunLimits {
  readonly maxTurns: number | undefined;
  /** US dollars. */
  readonly maxBudgetUsd: number | undefined;
}

/** Where a run's conversation is kept by Claude Code. */
export type Conversation =
  /** Nowhere. */
  | { readonly kind: "none" }
  /** In a new transcript of this id. */
  | { readonly kind: "new"; readonly sessionId: string }
  /** In this transcript, after the message `resumeAt`. */
  | { readonly kind: "resume"; readonly sessionId: string; readonly resumeAt: string };

/** The part of a turn that decides how Claude is started. */
export type TurnSettings = Pick<
  Turn,
  | "profile"
  | "model"
  | "system"
  | "effort"
  | "sampling"
  | "stop"
  | "maxTokens"
  | "tools"
  | "toolChoice"
  | "parallelToolCalls"
  | "outputFormat"
>;

interface ProfileInput {
  readonly turn: TurnSettings;
  readonly conversation: Conversation;
  readonly workspace: string;
  readonly limits: RunLimits;
  readonly environment: Environment;
  readonly credentialSettings: CredentialSettings;
  readonly skipPermissions: boolean;
  /** Shows the client's tools. */
  readonly toolServer?: McpSdkServerConfigWithInstance | undefined;
}

/** The SDK's options for a run. */
export function toOptions(input: ProfileInput): Options {
  const { turn, conversation, workspace, limits } = input;
  return {
    ...(turn.profile === "agent" ? agentOptions(input) : chatOptions(input)),
    ...(turn.model === undefined ? {} : { model: turn.model }),
    ...(turn.effort === undefined || turn.effort === "none" ? {} : { effort: turn.effort }),
    ...(limits.maxTurns === undefined ? {} : { maxTurns: limits.maxTurns }),
    ...(limits.maxBudgetUsd === undefined ? {} : { maxBudgetUsd: limits.maxBudgetUsd }),
    ...conversationOptions(conversation),
    ...toolOptions(input.toolServer),
    cwd: workspace,
    env: { ...input.environment, ...childVariables(turn), ...toolVariables(input) },
    includePartialMessages: true,
    // A client's text is data: no `@file`, no slash command.
    verbatimPrompts: true,
  };
}

function agentOptions({ turn, skipPermissions, environment }: ProfileInput): Options {
  const system = toSystemPrompt(turn);
  return {
    systemPrompt: {
      type: "preset",
      preset: "claude_code",
      // Else a session keeps its first prompt for good (measured, 2.1.330), and a later system message has no effect.
      snapshot: false,
      ...(system === undefined ? {} : { append: system }),
    },
    // Never "project" or "local": a settings file inside a workspace may have been written by an agent.
    settingSources: ["user"],
    settings: { crossSessionInbound: "refuse" },
    disallowedTools: [...reachingOut],
    ...(skipPermissions
      ? { permissionMode: "bypassPermissions", allowDangerouslySkipPermissions: true }
      : { permissionMode: "dontAsk", hooks: { PreToolUse: [approvalHook(environment)] } }),
  };
}

function chatOptions({ turn, credentialSettings }: ProfileInput): Options {
  // The child has its variables already, in its environment.
  const { env: _env, ...helpers } = credentialSettings;
  return {
    systemPrompt: { type: "custom", prompt: toSystemPrompt(turn) ?? "", snapshot: false },
    tools: [],
    settingSources: [],
    settings: { ...helpers, crossSessionInbound: "refuse" },
    strictMcpConfig: true,
    permissionMode: "dontAsk",
  };
}

function toSystemPrompt({ system, outputFormat }: TurnSettings): string | undefined {
  if (outputFormat === undefined) return system;
  return [...(system === undefined ? [] : [system]), formInstruction(outputFormat)].join("\n\n");
}

function toolOptions(server: McpSdkServerConfigWithInstance | undefined): Options {
  if (server === undefined) return {};
  // Permission to hand them over: nothing of them runs here.
  return { mcpServers: { [toolServerName]: server }, allowedTools: [`mcp__${toolServerName}`] };
}

function toolVariables({ turn, toolServer }: ProfileInput): Record<string, string> {
  if (toolServer === undefined) return {};
  return {
    // The client's own names instead of `mcp__client__…` (measured, 2.1.330).
    CLAUDE_AGENT_SDK_MCP_NO_PREFIX: "1",
    // Else a chat has a tool more, a placeholder for those that could be searched for. An agent's own can.
    ...(turn.profile === "chat" ? { ENABLE_TOOL_SEARCH: "false" } : {}),
  };
}

function conversationOptions(conversation: Conversation): Options {
  switch (conversation.kind) {
    case "none":
      return { persistSession: false };
    case "new":
      return { sessionId: conversation.sessionId };
    case "resume":
      return { resume: conversation.sessionId, resumeSessionAt: conversation.resumeAt };
  }
}

function childVariables(turn: TurnSettings): Record<string, string> {
  const body = extraBody(turn);
  return {
    ...(Object.keys(body).length > 0 ? { CLAUDE_CODE_EXTRA_BODY: JSON.stringify(body) } : {}),
    ...(turn.maxTokens === undefined ? {} : { CLAUDE_CODE_MAX_OUTPUT_TOKENS: String(turn.maxTokens) }),
    // A second answer that replaces a half-sent one would have to differ from it: better a clear error, or a stream anew.
    CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK: "1",
    ...(turn.profile === "chat"
      ? {
          // A chat client retries by itself, by Retry-After; an agent's run is saved by Claude Code's own retries.
          CLAUDE_CODE_MAX_RETRIES: "0",
          // Else histories that were handed over gain an empty system message (measured, 2.1.330).
          CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS: "1",
          CLAUDE_CODE_DISABLE_AUTO_MEMORY: "1",
          CLAUDE_CODE_DISABLE_CLAUDE_MDS: "1",
        }
      : {}),
  };
}

/** Parameters that reach the Messages API through Claude Code's extra body, in every call of the process. */
function extraBody(turn: TurnSettings): Record<string, unknown> {
  const stops = turn.stop.filter((stop) => !isOurs(stop));
  const toolChoice = upstreamToolChoice(turn);
  // The API takes no thinking beside a choice that forces a call.
  const isForced = toolChoice !== undefined && toolChoice["type"] !== "auto";
  const hasSampling = Object.keys(turn.sampling).length > 0;
  const isThinkingOff =
    turn.effort === "none" ||
    isForced ||
    (turn.maxTokens !== undefined && turn.maxTokens < leastTokensToThink) ||
    // The API refuses a temperature beside thinking. A client that asks for both gets the thinking.
    (hasSampling && turn.effort === undefined);
  return {
    ...(isThinkingOff ? { thinking: { type: "disabled" } } : {}),
    ...(hasSampling && isThinkingOff ? turn.sampling : {}),
    ...(stops.length > 0 ? { stop_sequences: stops } : {}),
    ...(toolChoice === undefined ? {} : { tool_choice: toolChoice }),
  };
}
