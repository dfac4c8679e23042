// Model names, the same in every API: what a client asks for → how Claude is run; and the names that clients are shown.
// Pure. Whether Claude really has a model is for the model API to say.
import { CcapiError } from "../auth/errors.ts";
import type { Profile } from "../turn/turn.ts";

/** What a model name means. */
export interface ModelChoice {
  readonly profile: Profile;
  /** Claude's own name or alias; `undefined`: Claude Code's default. */
  readonly model: string | undefined;
}

/** Names that Claude Code resolves to its present models; each may end in `[1m]` for the long context. */
const claudeAliases = ["opus", "sonnet", "haiku"] as const;
const agentName = "claude-code";
/** Every API wants to know when a model was made; ours is the day of the first release that served the names. Seconds since the epoch. */
export const modelsCreatedAt = 1_755_993_600;

/**
 * Reads a model name.
 *
 * @throws CcapiError `model_not_found` where it is neither Claude's, nor the agent's, nor an alias of the operator's.
 */
export function resolveModel(name: string, aliases: ReadonlyMap<string, string>): ModelChoice {
  const choice = readName(aliases.get(name) ?? name);
  if (choice !== undefined) return choice;
  throw new CcapiError(
    "model_not_found",
    `The model "${clip(name)}" does not exist here. Use claude-code (the agent), opus, sonnet, haiku or a full Claude model id; the operator can map other names with CCAPI_MODEL_ALIASES.`,
    { param: "model", shouldRetry: false },
  );
}

/** The names that are shown: the agent, the chat models, the operator's aliases. Full Claude ids work too, unlisted. */
export function listedModels(aliases: ReadonlyMap<string, string>): string[] {
  const names = [agentName, ...claudeAliases.map((alias) => `${agentName}/${alias}`), ...claudeAliases];
  return [...new Set([...names, ...aliases.keys()])];
}

function readName(name: string): ModelChoice | undefined {
  if (name === agentName) return { profile: "agent", model: undefined };
  if (name.startsWith(`${agentName}/`)) {
    const model = name.slice(agentName.length + 1);
    return isClaudeName(model) ? { profile: "agent", model } : undefined;
  }
  // Gateways such as OpenRouter and LiteLLM put the vendor first.
  const bare = name.replace(/^anthropic\//, "");
  return isClaudeName(bare) ? { profile: "chat", model: bare } : undefined;
}

/** An alias, an id of the Messages API (`claude-…`), Bedrock (`us.anthropic.claude-…`, an ARN) or Vertex (`claude-…@…`). */
function isClaudeName(name: string): boolean {
  const alias = name.replace(/\[1m\]$/, "");
  if (claudeAliases.some((known) => known === alias)) return true;
  return (
    /^(?:[a-z-]{2,12}\.)?(?:anthropic\.)?claude-[A-Za-z0-9.:@_-]{1,120}(?:\[1m\])?$/.test(name) ||
    /^arn:aws[a-z-]*:bedrock:[A-Za-z0-9:/._-]{1,200}$/.test(name)
  );
}

function clip(name: string): string {
  return name.length > 100 ? `${name.slice(0, 100)}…` : name;
}
