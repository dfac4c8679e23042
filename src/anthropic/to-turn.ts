// Messages request → Turn. Pure; what can't be served is refused here with an error that names it.
import { resolveModel } from "../names/models.ts";
import { ignoredParameters } from "../names/parameters.ts";
import { agreedSessionId } from "../names/session-id.ts";
import type { Effort, Turn } from "../turn/turn.ts";
import { toMessages, toSystem } from "./conversation.ts";
import { harmlessValues, parameters } from "./parameters.ts";
import type { MessagesRequest } from "./request.ts";
import { toOutputFormat, toTools } from "./tools.ts";

/** What a request carries beside its body. */
export interface MessagesHeaders {
  /** `X-Session-Id`. */
  readonly sessionId: string | undefined;
  /** The end user, where a header names one. */
  readonly endUser: string | undefined;
  /** `anthropic-beta`: flags of the model API, which have no effect here. */
  readonly betas: string | undefined;
}

/** How much of the model's thinking the client gets to see. */
export type ShownThinking = "all" | "signature" | "nothing";

/** A request, understood. */
export interface MessagesTurn {
  readonly turn: Turn;
  /** Names of parameters that have no effect, for `x-ignored-parameters`. */
  readonly ignored: readonly string[];
  readonly shownThinking: ShownThinking;
}

/** From so many tokens of thinking on the effort is this, the largest first. */
const efforts: readonly (readonly [budgetTokens: number, effort: Effort])[] = [
  [16_384, "high"],
  [4_096, "medium"],
  [0, "low"],
];

/**
 * Understands a request.
 *
 * @throws CcapiError `unsupported_parameter`, `invalid_request`, `model_not_found`; `param` names the place.
 */
export function toTurn(
  body: MessagesRequest,
  { sessionId: sessionInHeader, endUser, betas }: MessagesHeaders,
  aliases: ReadonlyMap<string, string>,
): MessagesTurn {
  const { profile, model } = resolveModel(body.model, aliases);
  const ignored = ignoredParameters(body, parameters, harmlessValues);
  if (betas) ignored.push("anthropic-beta");
  if (body.output_config?.["task_budget"]) ignored.push("output_config.task_budget");
  const sampling = toSampling(body, ignored);
  const sessionId = agreedSessionId(body.session_id, sessionInHeader);
  const turn: Turn = {
    requestedModel: body.model,
    profile,
    model,
    system: toSystem(body),
    messages: toMessages(body.messages, sessionId !== undefined),
    sessionId,
    effort: toEffort(body),
    sampling,
    stop: body.stop_sequences ?? [],
    maxTokens: body.max_tokens,
    ...toTools(body),
    outputFormat: toOutputFormat(body),
    endUser: endUser ?? body.metadata?.user_id ?? undefined,
  };
  return { turn, ignored, shownThinking: toShownThinking(body.thinking) };
}

/** Values that the model API takes for its defaults ask for nothing: they are no reason to turn thinking off. */
function toSampling(body: MessagesRequest, ignored: string[]): Turn["sampling"] {
  const wanted = {
    ...(typeof body.temperature === "number" && body.temperature !== 1 ? { temperature: body.temperature } : {}),
    ...(typeof body.top_p === "number" && body.top_p !== 1 ? { top_p: body.top_p } : {}),
    ...(typeof body.top_k === "number" && body.top_k > 0 ? { top_k: body.top_k } : {}),
  };
  if (!isThinkingAskedFor(body)) return wanted;
  ignored.push(...Object.keys(wanted));
  return {};
}

function isThinkingAskedFor({ thinking, output_config: config }: MessagesRequest): boolean {
  if (thinking) return thinking.type === "enabled" || thinking.type === "adaptive";
  return Boolean(config?.effort);
}

function toEffort({ thinking, output_config: config }: MessagesRequest): Effort | undefined {
  if (thinking?.type === "disabled" || thinking?.type === "between_tools") return "none";
  if (thinking?.type !== "enabled") return config?.effort ?? undefined;
  const { budget_tokens: budget } = thinking;
  return config?.effort ?? efforts.find(([least]) => budget >= least)?.[1];
}

/** Who did not ask for thinking reads the first block as the answer. */
function toShownThinking(thinking: MessagesRequest["thinking"]): ShownThinking {
  if (thinking?.type !== "enabled" && thinking?.type !== "adaptive") return "nothing";
  return thinking.display === "omitted" ? "signature" : "all";
}
