// What a program that embeds the simulator sees: its options, rules, faults, credentials and records. Types alone.
import type { AnswerBlock, Usage } from "./message.ts";
import type { ParsedRequest } from "./request.ts";

/** How {@link startSimulator} is started. Every field has a default. */
export interface SimulatorOptions {
  /** TCP port on 127.0.0.1; 0 lets the kernel choose. Default 0. */
  readonly port?: number;
  /** Scripted answers, tried in order; the first that matches answers. Default: none, the built-in answers apply. */
  readonly rules?: readonly Rule[];
  /** The credentials that are known. None: any non-empty credential is accepted. */
  readonly credentials?: readonly CredentialSpec[];
  /** Changes of credentials that happen by themselves. */
  readonly script?: readonly ScriptEntry[];
  /** Pause between two deltas, ms. Default 0. */
  readonly tokenDelayMs?: number;
  /** Pause before the first delta, ms. Default 0. */
  readonly firstTokenDelayMs?: number;
  /** Time that credentials and records go by, ms since the epoch. Default `Date.now`. Delays of deltas always take real time. */
  readonly clock?: () => number;
  /** Serve `/_simulator/*` to loopback peers that are no browser. Default true. */
  readonly allowControl?: boolean;
}

/** Words with which a credential is turned down; the texts are in `rejections.ts`. */
export type Rejection =
  | "expired"
  | "invalid_api_key"
  | "invalid_bearer"
  | "oauth_expired"
  | "revoked"
  | "organization_disabled"
  | "oauth_not_allowed"
  | "not_found_credential";

/** A credential that the simulator knows. Times are ms since the epoch, by the simulator's clock. */
export interface CredentialSpec {
  /** The API key or bearer token itself. It is never shown again. */
  readonly value: string;
  /** How records and lists call it. Default `key-1`, `key-2` … in order of appearance. */
  readonly name?: string;
  readonly validFromMs?: number;
  readonly validUntilMs?: number;
  /** Wording used when it is turned down outside its window. Default `expired`. */
  readonly rejection?: Rejection;
}

/** One planned change: exactly one of the five actions, each with the credential's value. */
export interface ScriptEntry {
  /** Milliseconds after the start, by the simulator's clock. */
  readonly atMs: number;
  readonly add?: string;
  readonly expire?: string;
  readonly revoke?: string;
  readonly restore?: string;
  /** The old value and the new one. */
  readonly rotate?: readonly [oldValue: string, newValue: string];
  /** Wording for `expire`. */
  readonly rejection?: Rejection;
}

/** A scripted answer. Without `answer`, `tokens` and `fault` the built-in answer is given, with the rule's timing. */
export interface Rule {
  readonly name?: string;
  /** A string: the last user text (or a tool result in the last message) contains it. A RegExp: tests true on one of them. Absent: always. */
  readonly when?: string | RegExp | ((request: ParsedRequest) => boolean);
  /** Content blocks, sent as they are. */
  readonly answer?: readonly AnswerBlock[];
  readonly fault?: Fault;
  /** Answer with filler text of exactly so many deltas. */
  readonly tokens?: number;
  readonly delayMs?: number;
  readonly firstTokenDelayMs?: number;
  /** The rule is used so many times, then skipped. Default: without end. */
  readonly times?: number;
  /** Overrides the stop reason. Default: what the blocks, `max_tokens` and `stop_sequences` give. */
  readonly stopReason?: string;
  /** Overrides single usage numbers. */
  readonly usage?: Partial<Usage>;
}

/** Something that goes wrong. `afterDeltas` counts `content_block_delta` events; 0 means before the first byte of the answer, for `mid-stream-error` before the first delta. */
export type Fault =
  | {
      readonly kind: "status";
      readonly status: number;
      /** Error type. Default: the API's own for the status. */
      readonly type?: string;
      readonly message?: string;
      readonly headers?: Readonly<Record<string, string>>;
      /** Sent in place of the API's error shape. */
      readonly body?: string;
    }
  | {
      readonly kind: "mid-stream-error";
      readonly afterDeltas: number;
      readonly type?: string;
      readonly message?: string;
    }
  /** The connection stays open and says nothing more. */
  | { readonly kind: "stall"; readonly afterDeltas: number }
  /** The socket is destroyed. */
  | { readonly kind: "drop"; readonly afterDeltas: number };

/** One request that came in. No field holds a credential. */
export interface RequestRecord {
  /** When it arrived, ms since the epoch by the simulator's clock. */
  readonly at: number;
  readonly method: string;
  /** Path with query. */
  readonly path: string;
  /** Credentials and cookies are replaced by `[redacted]`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Name of the credential, or a label such as `key-1`; null: none was sent. */
  readonly credential: string | null;
  /** The JSON body; null where there was none, it was no JSON, or newer records needed the room. */
  readonly body: unknown;
  readonly bodyBytes: number;
  /** HTTP status that was sent; 0 while none was. */
  readonly status: number;
  /** `rejected`: an error the API itself would give; `faulted`: an injected one; `aborted`: the client left. */
  readonly outcome: "answered" | "rejected" | "faulted" | "aborted" | "open";
  /** Name (or place, as `rule-2`) of the rule that answered. */
  readonly rule: string | null;
}

/** What a list tells of a credential; never its value. */
export interface CredentialStatus {
  readonly name: string;
  readonly state: "valid" | "not_yet_valid" | "expired" | "revoked";
  readonly rejection: Rejection | null;
  readonly validFromMs: number | null;
  readonly validUntilMs: number | null;
  /** Requests that presented it and were let in, and that were turned down. */
  readonly accepted: number;
  readonly rejected: number;
}

/** Changes credentials of a running simulator, at once. */
export interface Credentials {
  /** From the first one on, only known credentials are let in. */
  add(spec: CredentialSpec | string): void;
  /** From now on it is turned down. @param rejection wording, default `expired` */
  expire(value: string, rejection?: Rejection): void;
  /** From now on it is turned down with 403 as a revoked token. */
  revoke(value: string): void;
  /** Valid again, without an end. */
  restore(value: string): void;
  /** The new value takes the old one's name; the old one is turned down as an unknown key. */
  rotate(oldValue: string, newValue: string): void;
  list(): readonly CredentialStatus[];
}

/** A running simulator. Close it, or hold it with `await using`. */
export interface Simulator {
  /** `http://127.0.0.1:<port>`, for `ANTHROPIC_BASE_URL`. */
  readonly url: string;
  readonly port: number;
  /** The last 9,000 to 10,000 requests (the oldest tenth goes at once), oldest first; control calls are not among them. */
  readonly requests: readonly RequestRecord[];
  clearRequests(): void;
  setRules(rules: readonly Rule[]): void;
  /** The new rule goes first. */
  addRule(rule: Rule): void;
  /** The next message requests with a good credential get this fault. @param times default: until {@link clearFaults} */
  fail(fault: Fault, times?: number): void;
  clearFaults(): void;
  readonly credentials: Credentials;
  /** Ends the server and all its connections, open streams too. May be called twice. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
