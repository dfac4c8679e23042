// DATA: what becomes of each parameter of a Responses request, and of each kind of tool. docs/api.md holds the same tables, and tests
// compare them with these, and these with OpenAI's document.
import type { HarmlessValues, Parameter } from "../../names/parameters.ts";

/** Every parameter of OpenAI's and the Open Responses document's request, and our own `session_id`. */
export const parameters: readonly Parameter[] = [
  { name: "model", fate: "used", note: "see Models" },
  { name: "input", fate: "used", note: "a text, or items: see Items" },
  { name: "instructions", fate: "used", note: "for this response alone: those of the one before do not carry over" },
  { name: "previous_response_id", fate: "used", note: "goes on from a stored response; two may go on from the same" },
  { name: "store", fate: "used", note: "true unless false: the response and its input are kept" },
  { name: "stream", fate: "used", note: "" },
  { name: "session_id", fate: "used", note: "our own: continues a conversation, like the header X-Session-Id" },
  { name: "tools", fate: "used", note: "functions; see Kinds of tools" },
  { name: "tool_choice", fate: "used", note: "none, auto, required, a function, allowed_tools" },
  { name: "parallel_tool_calls", fate: "used", note: "" },
  { name: "max_output_tokens", fate: "used", note: "for the agent: the bound of its whole run" },
  { name: "text", fate: "used", note: "format: text, json_object, json_schema; verbosity is ignored" },
  {
    name: "reasoning",
    fate: "used",
    note: "effort: none, minimal, low, medium, high, xhigh, max; the summary is what the model shows of its thinking, whatever kind is asked for",
  },
  { name: "metadata", fate: "used", note: "kept and shown again" },
  { name: "user", fate: "used", note: "parts one end user's processes from another's; no effect on the answer" },
  { name: "safety_identifier", fate: "used", note: "as user" },
  { name: "include", fate: "used", note: "reasoning.encrypted_content, which is always there; logprobs are refused" },
  {
    name: "temperature",
    fate: "sampling",
    note: "above 1 counts as 1; without reasoning.effort it turns thinking off",
  },
  { name: "top_p", fate: "sampling", note: "only without temperature: the model API takes one of them" },
  { name: "frequency_penalty", fate: "ignored", note: "" },
  { name: "presence_penalty", fate: "ignored", note: "" },
  { name: "max_tool_calls", fate: "ignored", note: "it counts tools that the API itself runs: there are none" },
  { name: "truncation", fate: "ignored", note: "nothing is ever left out" },
  { name: "stream_options", fate: "ignored", note: "obfuscation is never added" },
  { name: "service_tier", fate: "ignored", note: "" },
  { name: "moderation", fate: "ignored", note: "" },
  { name: "context_management", fate: "ignored", note: "" },
  { name: "prompt_cache_key", fate: "ignored", note: "Claude Code caches prompts by itself" },
  { name: "prompt_cache_options", fate: "ignored", note: "" },
  { name: "prompt_cache_retention", fate: "ignored", note: "" },
  { name: "background", fate: "refused", note: "an answer comes on the connection that asked for it" },
  { name: "conversation", fate: "refused", note: "use previous_response_id, or a session" },
  { name: "prompt", fate: "refused", note: "this server keeps no prompt templates" },
  { name: "top_logprobs", fate: "refused", note: "Claude gives none" },
];

/** Values by which clients say that they don't want what has no effect or is refused. */
export const harmlessValues: HarmlessValues = {
  background: (value) => value === false,
  top_logprobs: (value) => value === 0,
  truncation: (value) => value === "disabled",
  service_tier: (value) => value === "auto" || value === "default",
  frequency_penalty: (value) => value === 0,
  presence_penalty: (value) => value === 0,
  stream_options: (value) =>
    typeof value === "object" &&
    value !== null &&
    !("include_obfuscation" in value && value.include_obfuscation === true),
};

/** What becomes of a kind of tool that is not a function of the client's. */
export interface ToolKind {
  readonly type: string;
  /** `ignored`: the model is not told of it, and `x-ignored-parameters` names it. `refused`: a 400 that names it. */
  readonly fate: "ignored" | "refused";
  readonly note: string;
}

const ownAgent = "the agent has its own, where its operator allows it";

/** Every kind of tool in OpenAI's document but functions. Kinds that it does not know are refused. */
export const toolKinds: readonly ToolKind[] = [
  { type: "web_search", fate: "ignored", note: ownAgent },
  { type: "web_search_2025_08_26", fate: "ignored", note: ownAgent },
  { type: "web_search_preview", fate: "ignored", note: ownAgent },
  { type: "web_search_preview_2025_03_11", fate: "ignored", note: ownAgent },
  { type: "namespace", fate: "ignored", note: "groups of functions; Codex offers them beside plain ones" },
  { type: "tool_search", fate: "ignored", note: "" },
  { type: "custom", fate: "ignored", note: "tools that take free text; Codex offers them beside functions" },
  { type: "local_shell", fate: "ignored", note: ownAgent },
  { type: "shell", fate: "ignored", note: ownAgent },
  { type: "apply_patch", fate: "ignored", note: ownAgent },
  { type: "image_generation", fate: "ignored", note: "Claude makes no images" },
  { type: "file_search", fate: "refused", note: "this server keeps no files" },
  { type: "mcp", fate: "refused", note: "this server calls no MCP servers for its clients" },
  { type: "code_interpreter", fate: "refused", note: "use the agent, where its operator allows commands" },
  { type: "computer", fate: "refused", note: "" },
  { type: "computer_use_preview", fate: "refused", note: "" },
  { type: "programmatic_tool_calling", fate: "refused", note: "" },
];
