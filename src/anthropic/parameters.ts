// DATA: what becomes of each parameter of a Messages request. docs/api.md holds the same table, and tests compare it with this one,
// and this one with the lists of Anthropic's own SDK.
import type { HarmlessValues, Parameter } from "../names/parameters.ts";

/** Every parameter of Anthropic's request, beta ones included, and our own `session_id`. */
export const parameters: readonly Parameter[] = [
  {
    name: "messages",
    fate: "used",
    note: "text, image, document, search_result, tool_use, tool_result, thinking and redacted_thinking blocks; a message of the role system joins the system prompt; the last message has to be the user's",
  },
  { name: "model", fate: "used", note: "see Models" },
  { name: "max_tokens", fate: "used", note: "for the agent: the bound of its whole run" },
  { name: "system", fate: "used", note: "a text or text blocks; for the agent it is added to its own" },
  { name: "stream", fate: "used", note: "" },
  { name: "stop_sequences", fate: "used", note: "up to 32 sequences" },
  {
    name: "thinking",
    fate: "used",
    note: "enabled: the budget becomes an effort (below 4,096 low, below 16,384 medium, else high); without it the model does as Claude Code lets it by default, and its thinking is not shown",
  },
  { name: "output_config", fate: "used", note: "effort, format; task_budget is ignored" },
  { name: "output_format", fate: "used", note: "older name of output_config.format" },
  { name: "tools", fate: "used", note: "the client's own tools; the model API's (web_search, bash, …) are refused" },
  { name: "tool_choice", fate: "used", note: "auto, any, tool, none; disable_parallel_tool_use" },
  {
    name: "metadata",
    fate: "used",
    note: "user_id parts one end user's processes from another's; no effect on the answer",
  },
  { name: "session_id", fate: "used", note: "our own: continues a conversation, like the header X-Session-Id" },
  { name: "temperature", fate: "sampling", note: "below 1 it turns thinking off, unless thinking was asked for" },
  { name: "top_p", fate: "sampling", note: "as temperature" },
  { name: "top_k", fate: "sampling", note: "as temperature" },
  { name: "cache_control", fate: "ignored", note: "here and in blocks: Claude Code caches prompts by itself" },
  { name: "context_management", fate: "ignored", note: "" },
  { name: "compaction", fate: "ignored", note: "" },
  { name: "service_tier", fate: "ignored", note: "" },
  { name: "speed", fate: "ignored", note: "" },
  { name: "inference_geo", fate: "ignored", note: "" },
  { name: "diagnostics", fate: "ignored", note: "" },
  { name: "user_profile_id", fate: "ignored", note: "" },
  { name: "workspace_id", fate: "ignored", note: "" },
  { name: "billing_policy", fate: "ignored", note: "" },
  { name: "fallbacks", fate: "ignored", note: "" },
  { name: "fallback_credit_token", fate: "ignored", note: "" },
  { name: "mcp_servers", fate: "refused", note: "use the agent, where its operator has set up MCP servers" },
  { name: "container", fate: "refused", note: "nothing is run for the client in a container" },
  { name: "thread", fate: "refused", note: "use a session to go on with a conversation" },
];

/** Values by which clients say that they don't want a refused parameter. */
export const harmlessValues: HarmlessValues = {
  mcp_servers: (value) => Array.isArray(value) && value.length === 0,
};
