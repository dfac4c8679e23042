// Which credentials are good at this moment, and the changes planned for them. Values stay in here: lists and records get names.
import type { Credentials, CredentialSpec, CredentialStatus, Rejection } from "./contract.ts";
import { type ApiError } from "./errors.ts";
import { missingCredential, rejectionError } from "./rejections.ts";

interface Entry {
  name: string;
  validFromMs: number | null;
  validUntilMs: number | null;
  rejection: Rejection | null;
  state: "by_window" | "expired" | "revoked";
  accepted: number;
  rejected: number;
}

/** A credential as a request presents it. */
export interface Presented {
  readonly value: string;
  readonly scheme: "api_key" | "bearer";
}

/** What became of a presented credential. */
export interface Admission {
  /** Name or label; null: none was presented. */
  readonly name: string | null;
  readonly error: ApiError | null;
}

export interface CredentialBook extends Credentials {
  admit(presented: Presented | null): Admission;
  /** Lets `change` happen at `atMs` by the clock; it takes effect before the first request after that. */
  plan(atMs: number, change: (credentials: Credentials) => void): void;
}

/** Labels of unknown credentials are kept for so many of them. */
const MAX_UNKNOWN = 1000;

/** @param clock ms since the epoch */
export function createCredentialBook(specs: readonly CredentialSpec[], clock: () => number): CredentialBook {
  const entries = new Map<string, Entry>();
  const unknown = new Map<string, Entry>();
  let planned: { atMs: number; change: (credentials: Credentials) => void }[] = [];
  let open = specs.length === 0;
  let labels = 0;

  const enter = (value: string, spec: Omit<CredentialSpec, "value"> = {}): Entry => {
    if (value === "") throw new TypeError("a credential's value must not be empty");
    const entry = entries.get(value) ?? unknown.get(value) ?? blankEntry(`key-${++labels}`);
    unknown.delete(value);
    entries.set(value, entry);
    if (spec.name !== undefined) entry.name = spec.name;
    return entry;
  };

  const book: Credentials = {
    add(given) {
      const spec = typeof given === "string" ? { value: given } : given;
      open = false;
      Object.assign(enter(spec.value, spec), {
        state: "by_window",
        validFromMs: spec.validFromMs ?? null,
        validUntilMs: spec.validUntilMs ?? null,
        rejection: spec.rejection ?? null,
      });
    },
    expire(value, rejection) {
      Object.assign(enter(value), { state: "expired", rejection: rejection ?? "expired" });
    },
    revoke(value) {
      Object.assign(enter(value), { state: "revoked", rejection: "revoked" });
    },
    restore(value) {
      Object.assign(enter(value), {
        state: "by_window",
        validFromMs: null,
        validUntilMs: null,
        rejection: null,
      });
    },
    rotate(oldValue, newValue) {
      const old = enter(oldValue);
      const fresh = enter(newValue, { name: old.name });
      Object.assign(fresh, { state: "by_window", validFromMs: null, validUntilMs: null, rejection: null });
      if (fresh === old) return;
      // An unknown wording, so that the answer names the header it came in.
      Object.assign(old, { name: `${old.name} (old)`, state: "expired", rejection: null });
    },
    list: () => [...entries.values()].map((entry) => toStatus(entry, clock())),
  };

  const advance = (): void => {
    if (planned.length === 0) return;
    const now = clock();
    const due = planned.filter((plan) => plan.atMs <= now);
    planned = planned.filter((plan) => plan.atMs > now);
    for (const plan of due.toSorted((a, b) => a.atMs - b.atMs)) plan.change(book);
  };

  const label = (value: string): Entry => {
    const known = unknown.get(value);
    if (known !== undefined) return known;
    const entry = blankEntry(`key-${++labels}`);
    const oldest = unknown.size >= MAX_UNKNOWN ? unknown.keys().next() : null;
    if (oldest?.done === false) unknown.delete(oldest.value);
    unknown.set(value, entry);
    return entry;
  };

  for (const spec of specs) book.add(spec);
  return {
    // Every call first lets happen what was planned for before it.
    add: (spec) => (advance(), book.add(spec)),
    expire: (value, rejection) => (advance(), book.expire(value, rejection)),
    revoke: (value) => (advance(), book.revoke(value)),
    restore: (value) => (advance(), book.restore(value)),
    rotate: (oldValue, newValue) => (advance(), book.rotate(oldValue, newValue)),
    list: () => (advance(), book.list()),
    plan: (atMs, change) => void planned.push({ atMs, change }),
    admit(presented) {
      advance();
      if (presented === null) return { name: null, error: missingCredential };
      const entry = entries.get(presented.value) ?? label(presented.value);
      const known = entries.has(presented.value);
      const good = known ? stateOf(entry, clock()) === "valid" : open;
      entry[good ? "accepted" : "rejected"] += 1;
      if (good) return { name: entry.name, error: null };
      const outside = known && entry.state === "by_window" ? "expired" : null;
      const byHeader = presented.scheme === "bearer" ? "invalid_bearer" : "invalid_api_key";
      return {
        name: entry.name,
        error: rejectionError(entry.rejection ?? outside ?? byHeader),
      };
    },
  };
}

function blankEntry(name: string): Entry {
  return {
    name,
    validFromMs: null,
    validUntilMs: null,
    rejection: null,
    state: "by_window",
    accepted: 0,
    rejected: 0,
  };
}

function stateOf(entry: Entry, nowMs: number): CredentialStatus["state"] {
  if (entry.state !== "by_window") return entry.state;
  if (entry.validUntilMs !== null && nowMs >= entry.validUntilMs) return "expired";
  return entry.validFromMs !== null && nowMs < entry.validFromMs ? "not_yet_valid" : "valid";
}

function toStatus(entry: Entry, nowMs: number): CredentialStatus {
  const { name, rejection, validFromMs, validUntilMs, accepted, rejected } = entry;
  const state = stateOf(entry, nowMs);
  return { name, state, rejection, validFromMs, validUntilMs, accepted, rejected };
}
