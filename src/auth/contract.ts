// What the auth core promises to the rest: the manager, an admission, a decision, the status. Types only.
import type { CcapiError } from "./errors.ts";
import type { Signal } from "./signal.ts";

/** The public state, as `/health/auth` tells it. */
export type PublicState =
  /** Proven by a real answer. Requests pass. */
  | "authenticated"
  /** Nothing proven yet, or replaced since. Requests pass; the next answer is the proof. */
  | "unknown"
  /** One sign of a failure, being confirmed. Requests pass. */
  | "checking"
  /** Rejected; a refresh is on. Requests wait, bounded. */
  | "refreshing"
  /** The last refresh failed; the next one is held back. Requests wait if the credential can be renewed. */
  | "cooling_down"
  /** Too many failed refreshes in a row. Requests fail at once, slow probes go on. */
  | "locked_out"
  /** A person must act. Requests fail at once. */
  | "needs_login";

/** What set a refresh off. */
export type RefreshTrigger = "request" | "retry" | "schedule" | "manual" | "probe" | "change";

/** What a run does after it has reported a signal. */
export type Decision =
  /** Not about the credential, or a first sign: go on as if nothing was. */
  | { readonly action: "continue" }
  /** The credential has been replaced since: end this attempt and go on with the new one; `recovered()` does not wait. */
  | { readonly action: "carry-over"; readonly generation: number }
  /** The credential is being renewed: end this attempt, then await `recovered()`. */
  | { readonly action: "wait" }
  /** Nothing more can be done for this request: end it with this error. */
  | { readonly action: "fail"; readonly error: CcapiError };

/** What a request asks for when it wants in. */
export interface AdmitOptions {
  /** As logs name it: `processRequest for session abc123`. */
  readonly operation: string;
  /** Ends this request's waiting; never the shared refresh. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * One attempt's leave to use the credential. Report every signal of the attempt to it, and its first real answer; release it at
 * the end, in `finally`. After `recovered()` has given a new admission the old one is spent.
 */
export interface AuthAdmission {
  readonly operation: string;
  /** Which credential this attempt uses: counts up with every change. */
  readonly generation: number;
  /** True where this attempt is the proof that all others wait for. */
  readonly isCanary: boolean;
  /** How often this request has been carried over an expiry; at most 2. */
  readonly carriedOver: number;
  /** How long this request has waited for the credential in all, in milliseconds. */
  readonly waitedMs: number;

  /**
   * Reports what was seen; says what to do now. A `continue` after a first sign may be revised: see `onDecision`.
   * Never throws.
   */
  report(signal: Signal): Decision;

  /**
   * Tells of a decision that falls after `report` said `continue` to a sign: `carry-over` when a look found the credential
   * renewed, `wait` when others' signs confirmed the failure, `fail`. Called at most once for an admission.
   *
   * @returns what ends the listening.
   */
  onDecision(listener: (decision: Decision) => void): () => void;

  /**
   * After `wait` or `carry-over`, with the attempt ended: the leave for the next attempt.
   *
   * @throws CcapiError `upstream_auth_unavailable` when the wait ends without a working credential or this request was carried
   *   over as often as it may; the signal's reason where it is aborted.
   * @param options `method`: how the next attempt goes on, for metrics: run again (default) or resumed where it stopped.
   */
  recovered(options?: {
    readonly signal?: AbortSignal | undefined;
    readonly method?: "replay" | "resume" | undefined;
  }): Promise<AuthAdmission>;

  /**
   * A real answer came back: the proof. Call it at each; only the first costs anything.
   *
   * @param source where it was seen, e.g. `answer`.
   */
  succeeded(source: string): void;

  /** Ends the attempt. Calling it again does nothing. */
  release(): void;
}

/** How a refresh ended, as `POST /health/auth/refresh` tells it. */
export interface RefreshResult {
  /** True only where a real answer proved the credential. */
  readonly success: boolean;
  readonly message: string;
  /** Whether trying again can help without a person acting first. */
  readonly shouldRetry: boolean;
}

/** What is known of the credential at this moment. */
export interface AuthStatus {
  /** `null` until something was proven. */
  readonly isAuthenticated: boolean | null;
  /** When the last refresh operation ended, milliseconds since the epoch. */
  readonly lastRefreshAtMs: number | null;
  /** Refresh operations begun, whatever set them off. */
  readonly refreshCount: number;
  /** Refreshes in a row that left the credential known not to work. */
  readonly consecutiveFailures: number;
  readonly state: PublicState;
  /** Since when it is so, milliseconds since the epoch. */
  readonly sinceMs: number;
  /** What the state rests on. `ageMs` is measured by a clock that no step moves. */
  readonly evidence: {
    readonly source: string;
    readonly atMs: number;
    readonly ageMs: number;
  } | null;
  readonly credential: {
    readonly kind: string | null;
    readonly expiresAtMs: number | null;
    readonly generation: number;
    readonly renewable: boolean;
  };
  /** When the next refresh or probe is due, milliseconds since the epoch. */
  readonly nextAttemptAtMs: number | null;
  /** What a person does to mend it; `null` where nothing is to be done. */
  readonly action: string | null;
  /** `shared`: several instances; `local`: this process alone, be it that there are no others or that they can't be reached now. */
  readonly coordination: "local" | "shared";
  /** Requests that wait for the credential now. */
  readonly waiting: number;
}

/** What an operation under {@link AuthManager.handleAuthError} is given. */
export interface Attempt {
  readonly generation: number;
  /** 0 for the first attempt; at most 2. */
  readonly carriedOver: number;
  readonly signal: AbortSignal;
}

/** How {@link AuthManager.handleAuthError} runs an operation. */
export interface OperationContext<T> {
  /** As logs name it. */
  readonly operation: string;
  readonly signal?: AbortSignal | undefined;
  /** Whether a result proves that the credential works. Default: every result does. */
  readonly isProof?: ((result: T) => boolean) | undefined;
}

/**
 * Keeps one credential working: one manager per credential, and none knows of another.
 */
export interface AuthManager {
  /**
   * The quick way in: the admission where requests pass now, else `undefined` (then use `admit`). Synchronous, a few hundred
   * nanoseconds.
   */
  tryAdmit(operation: string): AuthAdmission | undefined;

  /**
   * Lets a request in: at once where requests pass; else it waits until the credential is mended, at most `parkMs`.
   *
   * @throws CcapiError `upstream_auth_unavailable` (with `state`, `action`, `retryAfterMs`, `shouldRetry`) where waiting can't
   *   help or has not helped; `queue_full` where too many wait; `shutting_down` after `close`; the signal's reason where it is
   *   aborted.
   */
  admit(options: AdmitOptions): Promise<AuthAdmission>;

  /**
   * Runs an async operation and carries it over an expiry: where it fails of the credential, the credential is renewed and the
   * operation run again, at most twice. It must be safe to run again.
   *
   * @throws what the operation threw, where that was not about the credential; else as `admit`.
   */
  handleAuthError<T>(operation: (attempt: Attempt) => Promise<T>, context: OperationContext<T>): Promise<T>;

  /** Whether an error says that the credential failed, be it expired or dead. */
  isAuthenticationError(error: unknown): boolean;

  /**
   * Refreshes now, as a person asked: joins a refresh that runs, overrides the lock-out. Aborting ends the caller's wait, not
   * the refresh.
   *
   * @throws CcapiError `auth_refresh_limited` with `retryAfterMs` within the cooldown or when asked for too often;
   *   `shutting_down` after `close`.
   */
  refresh(options?: { readonly signal?: AbortSignal | undefined }): Promise<RefreshResult>;

  /** What is known now. Synchronous and cheap: starts nothing. */
  status(): AuthStatus;

  /** Ends timers and watches, fails what waits, ends a refresh that runs. Resolves when nothing is left. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
