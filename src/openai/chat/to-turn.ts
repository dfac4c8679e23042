// Chat completion request → Turn. Pure; what can't be served is refused here with an error that names it.
import type { Turn } from "../../turn/turn.ts";
import { resolveModel } from "../../names/models.ts";
import { ignoredParameters } from "../../names/parameters.ts";
import { agreedSessionId } from "../../names/session-id.ts";
import { toEffort, toSampling } from "../sampling.ts";
import { toMessages, toSystem } from "./messages.ts";
import { harmlessValues, parameters } from "./parameters.ts";
import type { ChatRequest } from "./request.ts";
import { toOutputFormat, toTools } from "./tools.ts";

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
  const ignored = ignoredParameters(body, parameters, harmlessValues);
  const sampling = toSampling({ ...body, effort: body.reasoning_effort }, ignored);
  const stop = typeof body.stop === "string" ? [body.stop] : (body.stop ?? []);
  const sessionId = agreedSessionId(body.session_id, headers.sessionId);
  const turn: Turn = {
    requestedModel: body.model,
    profile,
    model,
    system: toSystem(body.messages),
    messages: toMessages(body.messages, sessionId !== undefined),
    sessionId,
    effort: toEffort(body.reasoning_effort),
    sampling,
    stop,
    maxTokens: body.max_completion_tokens ?? body.max_tokens ?? undefined,
    ...toTools(body),
    outputFormat: toOutputFormat(body.response_format),
    endUser: headers.endUser ?? body.safety_identifier ?? body.user ?? undefined,
  };
  return { turn, ignored };
}
