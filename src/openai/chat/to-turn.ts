// Chat completion request → Turn. Pure; what can't be served is refused here with an error that names it.
import { CcapiError } from "../../auth/errors.ts";
import type { ContentBlock, Effort, Message, Turn } from "../../turn/turn.ts";
import { resolveModel } from "../../names/models.ts";
import { agreedSessionId } from "../../names/session-id.ts";
import { harmlessValues, parameters } from "./parameters.ts";
import type { ChatMessage, ChatRequest } from "./request.ts";

/** What a request carries beside its body. */
export interface ChatHeaders {
  /** `X-Session-Id`. */
  readonly sessionId: string | undefined;
  /** The end user, where a header names one. */
  readonly endUser: string | undefined;
}

/** A request, understood. */
export interface ChatTurn {
  readonly turn: Turn;
  /** Names of parameters that have no effect, for `x-ignored-parameters`. */
  readonly ignored: readonly string[];
}

/**
 * Understands a request.
 *
 * @throws CcapiError `unsupported_parameter`, `invalid_request`, `model_not_found`; `param` names the place.
 */
export function toTurn(body: ChatRequest, headers: ChatHeaders, aliases: ReadonlyMap<string, string>): ChatTurn {
  const { profile, model } = resolveModel(body.model, aliases);
  const ignored = refuseAndIgnore(body);
  const sampling = toSampling(body, ignored);
  const stop = typeof body.stop === "string" ? [body.stop] : (body.stop ?? []);
  const turn: Turn = {
    requestedModel: body.model,
    profile,
    model,
    system: toSystem(body.messages),
    messages: toMessages(body.messages),
    sessionId: agreedSessionId(body.session_id, headers.sessionId),
    effort: toEffort(body.reasoning_effort),
    sampling,
    stop,
    maxTokens: body.max_completion_tokens ?? body.max_tokens ?? undefined,
    tools: [],
    toolChoice: { type: "auto" },
    parallelToolCalls: true,
    outputFormat: undefined,
    endUser: headers.endUser ?? body.safety_identifier ?? body.user ?? undefined,
  };
  return { turn, ignored };
}

function refuseAndIgnore(body: ChatRequest): string[] {
  const ignored: string[] = [];
  const known = new Map(parameters.map((parameter) => [parameter.name, parameter]));
  for (const [name, value] of Object.entries(body)) {
    if (value === null || value === undefined) continue;
    const parameter = known.get(name);
    if (parameter?.fate === "refused" && harmlessValues[name]?.(value) !== true) {
      throw new CcapiError("unsupported_parameter", `${name}: ${parameter.note}.`, { param: name });
    }
    // A name that no document knows is repeated only if it can stand in a header.
    if (parameter === undefined ? /^\w{1,64}$/.test(name) : parameter.fate === "ignored") ignored.push(name);
  }
  return ignored;
}

function toSampling(body: ChatRequest, ignored: string[]): Turn["sampling"] {
  const { temperature, top_p: topP, reasoning_effort: effort } = body;
  const thinks = effort !== undefined && effort !== null && effort !== "none";
  const hasTemperature = temperature !== undefined && temperature !== null;
  const hasTopP = topP !== undefined && topP !== null;
  if (hasTemperature && thinks) ignored.push("temperature");
  if (hasTopP && (thinks || hasTemperature)) ignored.push("top_p");
  if (thinks) return {};
  // The Messages API's temperature ends at 1, OpenAI's at 2; newer models take one of the two parameters only.
  if (hasTemperature) return { temperature: Math.min(temperature, 1) };
  return hasTopP ? { top_p: topP } : {};
}

function toEffort(effort: ChatRequest["reasoning_effort"]): Effort | undefined {
  if (effort === null || effort === undefined) return undefined;
  return effort === "minimal" ? "low" : effort;
}

function toSystem(messages: readonly ChatMessage[]): string | undefined {
  const parts = messages.flatMap((message) => {
    if (message.role !== "system" && message.role !== "developer") return [];
    return [joinText(message.content)].filter((part) => part.trim() !== "");
  });
  return parts.length === 0 ? undefined : parts.join("\n\n");
}

function toMessages(messages: readonly ChatMessage[]): Message[] {
  const turns: (Message & { readonly at: string })[] = [];
  for (const [index, message] of messages.entries()) {
    const at = `messages[${index}]`;
    if (message.role === "user") turns.push({ role: "user", content: toUserContent(message.content, at), at });
    if (message.role === "assistant") {
      refuseToolCalls(message, at);
      turns.push({ role: "assistant", content: toText(joinText(message.content ?? "")), at });
    }
    if (message.role === "tool" || message.role === "function") refuseTools(`${at}.role`);
  }
  const last = turns.at(-1);
  if (last?.role !== "user") {
    throw new CcapiError("invalid_request", "The last message has to be the user's.", { param: "messages" });
  }
  if (last.content.length === 0) {
    throw new CcapiError("invalid_request", "The last message is empty.", {
      param: `${last.at}.content`,
    });
  }
  // What the model API would refuse: a message of the past without content.
  return turns.filter(({ content }) => content.length > 0).map(({ role, content }) => ({ role, content }));
}

function toUserContent(content: (ChatMessage & { role: "user" })["content"], at: string): ContentBlock[] {
  if (typeof content === "string") return toText(content);
  return content.flatMap((part, index) => {
    if (part.type === "text" && typeof part["text"] === "string") return toText(part["text"]);
    throw new CcapiError(
      "unsupported_parameter",
      `A content part of type "${part.type.slice(0, 40)}" can't be used: only text parts are served by this version.`,
      {
        param: `${at}.content[${index}].type`,
      },
    );
  });
}

function refuseToolCalls(message: ChatMessage & { role: "assistant" }, at: string): void {
  if (message.tool_calls && message.tool_calls.length > 0) refuseTools(`${at}.tool_calls`);
  if (message.function_call !== undefined && message.function_call !== null) refuseTools(`${at}.function_call`);
}

function refuseTools(param: string): never {
  throw new CcapiError("unsupported_parameter", "Client tools are not served by this version.", { param });
}

function joinText(content: string | readonly { type: string }[]): string {
  if (typeof content === "string") return content;
  return content
    .map((part) => ("text" in part ? String(part.text) : "refusal" in part ? String(part.refusal) : ""))
    .join("\n");
}

function toText(text: string): ContentBlock[] {
  return text.trim() === "" ? [] : [{ type: "text", text }];
}
