// DATA: what becomes of each parameter of a chat completion request. docs/api.md holds the same table, and tests compare it
// with this one, and this one with the list of OpenAI's own SDK.

import type { HarmlessValues, Parameter } from "../../names/parameters.ts";

/** Every parameter of OpenAI's request, and our own `session_id`. */
export const parameters: readonly Parameter[] = [
  { name: "messages", fate: "used", note: "see Messages" },
  { name: "model", fate: "used", note: "see Models" },
  { name: "stream", fate: "used", note: "" },
  { name: "stream_options", fate: "used", note: "include_usage" },
  { name: "session_id", fate: "used", note: "our own: continues a conversation, like the header X-Session-Id" },
  { name: "max_completion_tokens", fate: "used", note: "for the agent: the bound of its whole run" },
  { name: "max_tokens", fate: "used", note: "older name of max_completion_tokens" },
  { name: "reasoning_effort", fate: "used", note: "none, minimal, low, medium, high, xhigh, max" },
  { name: "tools", fate: "used", note: "functions; see Tools. Custom tools are a 400" },
  { name: "tool_choice", fate: "used", note: "none, auto, required, a function's name, allowed_tools" },
  { name: "parallel_tool_calls", fate: "used", note: "" },
  { name: "response_format", fate: "used", note: "text, json_object, json_schema; see Structured output" },
  { name: "stop", fate: "used", note: "up to 4 sequences" },
  { name: "user", fate: "used", note: "parts one end user's processes from another's; no effect on the answer" },
  { name: "safety_identifier", fate: "used", note: "as user" },
  {
    name: "temperature",
    fate: "sampling",
    note: "above 1 counts as 1; without reasoning_effort it turns thinking off",
  },
  { name: "top_p", fate: "sampling", note: "only without temperature: the model API takes one of them" },
  { name: "frequency_penalty", fate: "ignored", note: "" },
  { name: "presence_penalty", fate: "ignored", note: "" },
  { name: "seed", fate: "ignored", note: "" },
  { name: "metadata", fate: "ignored", note: "" },
  { name: "store", fate: "ignored", note: "" },
  { name: "service_tier", fate: "ignored", note: "" },
  { name: "verbosity", fate: "ignored", note: "" },
  { name: "prediction", fate: "ignored", note: "" },
  { name: "moderation", fate: "ignored", note: "" },
  { name: "prompt_cache_key", fate: "ignored", note: "Claude Code caches prompts by itself" },
  { name: "prompt_cache_options", fate: "ignored", note: "" },
  { name: "prompt_cache_retention", fate: "ignored", note: "" },
  { name: "n", fate: "refused", note: "one answer for each request" },
  { name: "logprobs", fate: "refused", note: "Claude gives none" },
  { name: "top_logprobs", fate: "refused", note: "Claude gives none" },
  { name: "logit_bias", fate: "refused", note: "Claude takes none" },
  { name: "audio", fate: "refused", note: "Claude speaks in text" },
  { name: "modalities", fate: "refused", note: "text only" },
  { name: "web_search_options", fate: "refused", note: "use the agent, where its operator allows WebSearch" },
  { name: "functions", fate: "refused", note: "use tools" },
  { name: "function_call", fate: "refused", note: "use tool_choice" },
];

/** Values by which clients say that they don't want a refused parameter. */
export const harmlessValues: HarmlessValues = {
  n: (value) => value === 1,
  logprobs: (value) => value === false,
  top_logprobs: (value) => value === 0,
  logit_bias: (value) => typeof value === "object" && value !== null && Object.keys(value).length === 0,
  modalities: (value) => Array.isArray(value) && value.every((modality) => modality === "text"),
  functions: (value) => Array.isArray(value) && value.length === 0,
  function_call: (value) => value === "none" || value === "auto",
};
