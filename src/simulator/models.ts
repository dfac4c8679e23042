// The models that the simulator says it has, and what counts as one. Data.

interface Model {
  readonly type: "model";
  readonly id: string;
  readonly display_name: string;
  readonly created_at: string;
  readonly capabilities: null;
  readonly lifecycle: "active";
  readonly line: string | null;
  readonly max_input_tokens: number;
  readonly max_tokens: number;
  readonly deprecated_at: null;
  readonly retires_at: null;
}

const model = (id: string, name: string, day: string): Model => ({
  type: "model",
  id,
  display_name: name,
  created_at: `${day}T00:00:00Z`,
  capabilities: null,
  lifecycle: "active",
  line: /opus|sonnet|haiku/.exec(id)?.[0] ?? null,
  max_input_tokens: 200_000,
  max_tokens: 128_000,
  deprecated_at: null,
  retires_at: null,
});

/** Newest first, as the API lists them. */
const MODELS: readonly Model[] = [
  model("claude-opus-5-5", "Claude Opus 5.5", "2026-09-01"),
  model("claude-sonnet-5-5", "Claude Sonnet 5.5", "2026-09-01"),
  model("claude-haiku-4-5-20251001", "Claude Haiku 4.5", "2025-10-15"),
  model("claude-sonnet-4-5-20250929", "Claude Sonnet 4.5", "2025-09-29"),
  model("claude-opus-4-1-20250805", "Claude Opus 4.1", "2025-08-05"),
];

/** Every name that looks like a Claude model is taken, so that new ones need no list; a plainly made-up one is not. */
export function isKnownModel(id: string): boolean {
  if (/nonexist|non-exist|no-such|not-exist|not-real|unknown|invalid|bogus/i.test(id)) return false;
  return /^(?:claude-|fault-)[\w.@:[\]-]+$/.test(id);
}

/** One model as the API shows it; null: there is none of that name. */
export function findModel(id: string): Model | null {
  const listed = MODELS.find((entry) => entry.id === id);
  if (listed !== undefined) return listed;
  return isKnownModel(id) ? model(id, id, "2026-01-01") : null;
}

/** A page of the list, by the API's own `limit`, `after_id` and `before_id`. */
export function listModels(query: URLSearchParams): object {
  const after = MODELS.findIndex((entry) => entry.id === query.get("after_id"));
  const before = MODELS.findIndex((entry) => entry.id === query.get("before_id"));
  const range = MODELS.slice(after + 1, before < 0 ? undefined : before);
  const limit = Math.min(1000, Math.max(1, Math.trunc(Number(query.get("limit") ?? 20)) || 20));
  const data = range.slice(0, limit);
  return {
    data,
    has_more: data.length < range.length,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
  };
}
