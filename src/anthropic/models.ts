// Anthropic's list of models, and its object for one. Pure; what the names mean is in names/.
import { CcapiError } from "../auth/errors.ts";
import { listedModels, modelsCreatedAt } from "../names/models.ts";

/** Anthropic's `model` object. What Claude Code does not tell is null. */
export interface ModelObject {
  readonly id: string;
  readonly type: "model";
  readonly display_name: string;
  /** ISO 8601. */
  readonly created_at: string;
  readonly lifecycle: "active";
  readonly capabilities: null;
  readonly deprecated_at: null;
  readonly line: string | null;
  readonly max_input_tokens: null;
  readonly max_tokens: null;
  readonly retires_at: null;
}

/** One page of the list. */
export interface ModelPage {
  readonly data: readonly ModelObject[];
  readonly has_more: boolean;
  readonly first_id: string | null;
  readonly last_id: string | null;
}

/** The query by which pages are asked for. */
export interface PageQuery {
  /** 1 to 1,000. Default: 20. */
  readonly limit?: string | undefined;
  readonly after_id?: string | undefined;
  readonly before_id?: string | undefined;
}

/**
 * A page of what `GET /v1/models` lists for Anthropic's clients.
 *
 * @throws CcapiError `invalid_request` for a limit that is none, or a cursor that is no listed model.
 */
export function listModels(aliases: ReadonlyMap<string, string>, query: PageQuery): ModelPage {
  const ids = listedModels(aliases);
  const limit = toLimit(query.limit);
  const from = query.after_id === undefined ? 0 : toIndex(ids, "after_id", query.after_id) + 1;
  const end = query.before_id === undefined ? ids.length : toIndex(ids, "before_id", query.before_id);
  const isBackwards = query.before_id !== undefined;
  const wanted = ids.slice(from, end);
  const page = isBackwards ? wanted.slice(-limit) : wanted.slice(0, limit);
  return {
    data: page.map(toModelObject),
    has_more: page.length < wanted.length,
    first_id: page[0] ?? null,
    last_id: page.at(-1) ?? null,
  };
}

/** Anthropic's object for a model's name. */
export function toModelObject(id: string): ModelObject {
  return {
    id,
    type: "model",
    display_name: toDisplayName(id),
    created_at: new Date(modelsCreatedAt * 1_000).toISOString().replace(".000Z", "Z"),
    lifecycle: "active",
    capabilities: null,
    deprecated_at: null,
    line: /\b(haiku|sonnet|opus|fable|mythos)\b/.exec(id)?.[1] ?? null,
    max_input_tokens: null,
    max_tokens: null,
    retires_at: null,
  };
}

function toDisplayName(id: string): string {
  const [agent, model] = /^claude-code(?:\/(.+))?$/.exec(id) ?? [];
  if (agent !== undefined) return model === undefined ? "Claude Code" : `Claude Code (${model})`;
  return /^(?:opus|sonnet|haiku)$/.test(id) ? `Claude ${id.charAt(0).toUpperCase()}${id.slice(1)}` : id;
}

function toLimit(text: string | undefined): number {
  if (text === undefined) return 20;
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= 1_000) return limit;
  throw new CcapiError("invalid_request", "limit: has to be a number from 1 to 1,000.", { param: "limit" });
}

function toIndex(ids: readonly string[], param: string, id: string): number {
  const index = ids.indexOf(id);
  if (index >= 0) return index;
  throw new CcapiError("invalid_request", `${param}: is none of the listed models.`, { param });
}
