// Responses request → Turn, and the frame of its response. Pure; what can't be served is refused here with an error that names it.
import { CcapiError } from "../../auth/errors.ts";
import { resolveModel } from "../../names/models.ts";
import { ignoredParameters } from "../../names/parameters.ts";
import { agreedSessionId } from "../../names/session-id.ts";
import type { Turn } from "../../turn/turn.ts";
import { toEffort, toSampling } from "../sampling.ts";
import { type PlacedItem, toConversation } from "./conversation.ts";
import { harmlessValues, parameters } from "./parameters.ts";
import type { ResponseRequest } from "./request.ts";
import type { ResponseEcho } from "./response.ts";
import { toOutputFormat, toTextEcho, toTools } from "./tools.ts";

/** What a request carries beside its body. */
export interface ResponseContext {
  /** `X-Session-Id`. */
  readonly sessionId: string | undefined;
  /** The end user, where a header names one. */
  readonly endUser: string | undefined;
  /** The items of the responses that it goes on from, oldest first. */
  readonly past: readonly PlacedItem[];
  /** Its own, references followed. */
  readonly input: readonly PlacedItem[];
}

/** A request, understood. */
export interface ResponseTurn {
  readonly turn: Turn;
  /** Names of parameters that have no effect, for `x-ignored-parameters`. */
  readonly ignored: readonly string[];
  /** What the response repeats of the request. */
  readonly echo: ResponseEcho;
}

/**
 * Understands a request.
 *
 * @throws CcapiError `unsupported_parameter`, `invalid_request`, `model_not_found`; `param` names the place.
 */
export function toTurn(
  body: ResponseRequest,
  context: ResponseContext,
  aliases: ReadonlyMap<string, string>,
): ResponseTurn {
  const { profile, model } = resolveModel(body.model, aliases);
  const ignored = new Set(ignoredParameters(body, parameters, harmlessValues));
  ignoreInside(body, ignored);
  const withoutEffect: string[] = [];
  const sampling = toSampling({ ...body, effort: body.reasoning?.effort }, withoutEffect);
  for (const name of withoutEffect) ignored.add(name);
  const tools = toTools(body, ignored);
  const sessionId = agreedSessionId(body.session_id, context.sessionId);
  const conversation = toConversation([...context.past, ...context.input], sessionId !== undefined);
  for (const name of conversation.ignored) ignored.add(name);
  const system = [body.instructions ?? "", ...conversation.system].filter((text) => text.trim() !== "");
  const turn: Turn = {
    requestedModel: body.model,
    profile,
    model,
    system: system.length === 0 ? undefined : system.join("\n\n"),
    messages: conversation.messages,
    sessionId,
    effort: toEffort(body.reasoning?.effort),
    sampling,
    stop: [],
    maxTokens: body.max_output_tokens ?? undefined,
    ...tools.turn,
    outputFormat: toOutputFormat(body.text),
    endUser: context.endUser ?? body.safety_identifier ?? body.user ?? undefined,
  };
  return { turn, ignored: [...ignored], echo: { ...toEcho(body), ...tools.echo } };
}

function toEcho(body: ResponseRequest): Omit<ResponseEcho, "tools" | "tool_choice" | "parallel_tool_calls"> {
  return {
    model: body.model,
    instructions: body.instructions ?? null,
    previous_response_id: body.previous_response_id ?? null,
    text: toTextEcho(body.text),
    reasoning: { effort: body.reasoning?.effort ?? null, summary: body.reasoning?.summary ?? null },
    temperature: body.temperature ?? 1,
    top_p: body.top_p ?? 1,
    max_output_tokens: body.max_output_tokens ?? null,
    max_tool_calls: body.max_tool_calls ?? null,
    truncation: "disabled",
    store: body.store ?? true,
    metadata: body.metadata ?? {},
    safety_identifier: body.safety_identifier ?? null,
    prompt_cache_key: body.prompt_cache_key ?? null,
    ...(body.user ? { user: body.user } : {}),
  };
}

/** What has no effect inside a parameter that has one. */
function ignoreInside(body: ResponseRequest, ignored: Set<string>): void {
  if (body.text?.verbosity) ignored.add("text.verbosity");
  for (const [index, name] of (body.include ?? []).entries()) {
    if (name === "message.output_text.logprobs") {
      throw new CcapiError("unsupported_parameter", "include: Claude gives no log probabilities.", {
        param: `include[${index}]`,
      });
    }
    if (name !== "reasoning.encrypted_content") ignored.add("include");
  }
}
