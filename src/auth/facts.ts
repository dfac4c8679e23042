// What is known of one credential: plain data that several instances can share, and the public state that follows from it.
// Holds no material and no clock. Times are in the store's own time (`Ms` of `AuthStore.nowMs`), unless named `wall`.
import type { PublicState, RefreshTrigger } from "./contract.ts";
import type { CredentialReading } from "./ports.ts";

/** Is the credential good? Each state carries only its own data. */
export type Credential =
  | { readonly is: "unknown" }
  | { readonly is: "valid" }
  /** One sign of a failure. `wasValid`: proven before it. */
  | { readonly is: "suspect"; readonly wasValid: boolean; readonly firstSignAtMs: number }
  /** Rejected, or replaced after it was and not proven since (`cause`: what its refresh is for). */
  | { readonly is: "expired"; readonly cause: "request" | "change"; readonly firstSignAtMs: number }
  /** Only a person can mend it. */
  | { readonly is: "refused"; readonly reason: string; readonly firstSignAtMs: number };

/** Who refreshes, and since when. */
export interface Lease {
  readonly id: string;
  /** Over at this time, unless renewed. */
  readonly untilMs: number;
  readonly beganAtMs: number;
  readonly trigger: RefreshTrigger;
  /** The generation whose failure it is to mend. */
  readonly generation: number;
  /** A probe within the lock-out, which goes on while it runs. */
  readonly isProbe: boolean;
}

/** Is the refresher busy? */
export type Refresher =
  | { readonly is: "idle" }
  | { readonly is: "running"; readonly lease: Lease }
  | { readonly is: "cooling_down"; readonly untilMs: number }
  | { readonly is: "locked_out"; readonly nextProbeAtMs: number };

/** What a look showed, as it is kept. */
export interface KnownReading extends Omit<CredentialReading, "expiresAtMs" | "lifeMs"> {
  /** By the wall clock. */
  readonly expiresAtWallMs: number | null;
  readonly lifeMs: number | null;
}

/** All that is known. Plain data: survives JSON. */
export interface Facts {
  /** Counts up with every change and every renewal. */
  readonly generation: number;
  /** The generation in which the present material was first seen. */
  readonly materialGeneration: number;
  readonly reading: KnownReading | null;
  readonly credential: Credential;
  readonly refresher: Refresher;
  /** Refreshes in a row that left the credential known not to work. */
  readonly failures: number;
  readonly refreshCount: number;
  readonly lastRefreshAtMs: number | null;
  readonly lastManualAtMs: number | null;
  /** Probes of the present lock-out that failed. */
  readonly probes: number;
  /** Whether a change may be believed that could be a reading's own unsteadiness: once for each failure. */
  readonly mayTrustChange: boolean;
  /** When the test queries of the last hour were spent. */
  readonly testQueriesAtMs: readonly number[];
  /** Early refreshes of this material: how many there were, from when on the next may start, and its share of chance. */
  readonly early: { readonly attempts: number; readonly notBeforeMs: number; readonly chance: number };
  readonly evidence: { readonly source: string; readonly atMs: number } | null;
  /** Since when the public state is what it is. */
  readonly sinceMs: number;
}

/** What is known at first: nothing. */
export function initialFacts(nowMs: number): Facts {
  return {
    generation: 1,
    materialGeneration: 1,
    reading: null,
    credential: { is: "unknown" },
    refresher: { is: "idle" },
    failures: 0,
    refreshCount: 0,
    lastRefreshAtMs: null,
    lastManualAtMs: null,
    probes: 0,
    mayTrustChange: true,
    testQueriesAtMs: [],
    early: { attempts: 0, notBeforeMs: 0, chance: 0 },
    evidence: null,
    sinceMs: nowMs,
  };
}

/** The one public state of every pair of credential and refresher. */
export function publicState({ credential, refresher }: Pick<Facts, "credential" | "refresher">): PublicState {
  switch (credential.is) {
    case "valid":
      return "authenticated";
    case "refused":
      return "needs_login";
    case "suspect":
      return "checking";
    case "unknown":
      return isLockedOut(refresher) ? "locked_out" : "unknown";
    case "expired":
      if (isLockedOut(refresher)) return "locked_out";
      return refresher.is === "cooling_down" ? "cooling_down" : "refreshing";
  }
}

function isLockedOut(refresher: Refresher): boolean {
  return refresher.is === "locked_out" || (refresher.is === "running" && refresher.lease.isProbe);
}

/** Whether requests pass in a state. */
export function passes(state: PublicState): boolean {
  return state === "authenticated" || state === "unknown" || state === "checking";
}

/** Whether requests wait in a state: something is about to happen that may mend it. */
export function mayWait(state: PublicState, facts: Facts): boolean {
  return state === "refreshing" || (state === "cooling_down" && facts.reading?.renewable !== false);
}

/** Whether the credential is known to work, known not to, or neither. */
export function isAuthenticated({ credential }: Facts): boolean | null {
  switch (credential.is) {
    case "unknown":
      return null;
    case "valid":
      return true;
    case "suspect":
      return credential.wasValid ? true : null;
    default:
      return false;
  }
}
