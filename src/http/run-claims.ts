// The port by which a server knows what requests with an Idempotency-Key others have begun or answered. Types alone.

/** An answer as it is kept for others. */
export interface SharedAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  /** In base64. */
  readonly body: string;
}

/** A request that this server runs for all. */
export interface OwnRun {
  /** It was answered; `undefined`: by something too large to be kept. */
  keep(answer: SharedAnswer | undefined): void;
  /** It failed: asking again, anywhere, may mend it. */
  forget(): void;
}

/** What is known of a key. */
export type Claim =
  | { readonly is: "mine"; readonly run: OwnRun }
  /** Another server's, which lives. */
  | { readonly is: "running" }
  /** `undefined`: too large to be kept. */
  | { readonly is: "kept"; readonly answer: SharedAnswer | undefined }
  /** The server that ran it is gone, and how far it came nobody knows. */
  | { readonly is: "lost" }
  /** It was used with another body. */
  | { readonly is: "reused" };

/** One request with a key. */
export interface KeyedRequest {
  readonly clientName: string;
  readonly key: string;
  readonly bodyHash: string;
  /** Nothing comes of it but its answer: a run that was lost may be begun again. */
  readonly isRepeatable: boolean;
}

/** What the servers know together. */
export interface SharedRuns {
  /** Takes the request for this server where nobody has it. Never rejects: without the others everything is this server's. */
  claim(request: KeyedRequest): Promise<Claim>;
  /** Milliseconds after which to ask again while it is another's. */
  readonly askAgainMs: number;
}
