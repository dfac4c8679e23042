// A change of credentials as JSON says it: in a control call or in a script. Read at the boundary, then planned.
import type { Credentials, CredentialSpec } from "./contract.ts";
import type { CredentialBook } from "./credentials.ts";
import { isRejection, REJECTIONS } from "./rejections.ts";
import { isJsonObject, type JsonObject } from "./request.ts";
import type { Rejected } from "./script-rules.ts";

const ACTIONS = ["add", "expire", "revoke", "restore", "rotate"] as const;
export type Action = (typeof ACTIONS)[number];

/** What is to happen to a credential, and when. */
export interface Change {
  /** From now. */
  readonly inMs: number | null;
  /** From the simulator's start. */
  readonly atMs: number | null;
  readonly apply: (credentials: Credentials) => void;
}

/** Reads `{"value":"…","inMs":5000}` for an action. */
export function readChange(action: Action, body: JsonObject): Change | Rejected {
  const { value, newValue, rejection, name, inMs, atMs, validFromMs, validUntilMs } = body;
  if (!isText(value)) return { problem: "value must be a credential, as a text" };
  if (rejection !== undefined && !isRejection(rejection)) {
    return { problem: `rejection must be one of ${REJECTIONS.join(", ")}` };
  }
  for (const [field, number] of Object.entries({ inMs, atMs, validFromMs, validUntilMs })) {
    if (number !== undefined && !(typeof number === "number" && number >= 0)) {
      return { problem: `${field} must be a number of milliseconds, 0 or more` };
    }
  }
  if (name !== undefined && !isText(name)) return { problem: "name must be a text" };
  if (action === "rotate" && !isText(newValue)) {
    return { problem: "newValue must be a credential, as a text" };
  }
  const spec = { value, name, validFromMs, validUntilMs, rejection };
  return {
    inMs: typeof inMs === "number" ? inMs : null,
    atMs: typeof atMs === "number" ? atMs : null,
    apply: (credentials) => {
      if (action === "add") credentials.add(withoutUndefined(spec));
      else if (action === "expire") credentials.expire(value, rejection);
      else if (action === "rotate") credentials.rotate(value, String(newValue));
      else credentials[action](value);
    },
  };
}

/**
 * Reads a script: `[{"atMs":5000,"expire":"key-a"},{"atMs":9000,"rotate":["key-a","key-b"]}]`.
 * @throws TypeError that names the entry
 */
export function readScript(script: unknown): readonly Change[] {
  if (!Array.isArray(script)) throw new TypeError("a script is a JSON array of changes");
  return script.map((entry: unknown, index) => {
    const read = isJsonObject(entry) ? readEntry(entry) : { problem: "it is no object" };
    if ("problem" in read) throw new TypeError(`script entry ${index}: ${read.problem}`);
    return read;
  });
}

function readEntry(entry: JsonObject): Change | Rejected {
  const named = ACTIONS.filter((action) => entry[action] !== undefined);
  const [action] = named;
  if (action === undefined || named.length > 1) {
    return { problem: `it needs one of ${ACTIONS.join(", ")}` };
  }
  const target = entry[action];
  if (isJsonObject(target)) return readChange(action, { ...entry, ...target });
  const [value, newValue] = Array.isArray(target) ? target : [target, entry.to];
  return readChange(action, { ...entry, value, newValue });
}

/** Makes it happen: now, or before the first request after its time. */
export function planChange(
  { inMs, atMs, apply }: Change,
  parts: {
    readonly credentials: CredentialBook;
    readonly clock: () => number;
    readonly startedAtMs: number;
  },
): void {
  if (inMs === null && atMs === null) return apply(parts.credentials);
  parts.credentials.plan(atMs === null ? parts.clock() + (inMs ?? 0) : parts.startedAtMs + atMs, apply);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.trim() !== "";
}

/** Absent fields must be absent, not undefined. The fields were checked by `readChange`. */
function withoutUndefined(spec: Record<string, unknown>): CredentialSpec {
  return Object.fromEntries(
    Object.entries(spec).filter(([, value]) => value !== undefined),
  ) as unknown as CredentialSpec;
}
