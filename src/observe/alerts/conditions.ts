// DATA: what an operator is told of, one row a kind: when it begins, when it is over, how long it has to last to be told.
// docs/operations.md has a paragraph for each kind; a test compares the two.
import type { AuthStatus } from "../../auth/contract.ts";

/** What the server is like at one moment, as far as conditions look. */
export interface Snapshot {
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  readonly auth: Pick<AuthStatus, "state" | "isAuthenticated" | "consecutiveFailures" | "action" | "credential">;
  /** Refreshes begun within the last hour. */
  readonly refreshesInHour: number;
  /** Whether as many requests wait as may wait. */
  readonly isQueueFull: boolean;
}

/** Where conditions begin; each the operator's to set. */
export interface Thresholds {
  /** Failed refreshes in a row. */
  readonly failures: number;
  /** Refreshes in an hour. */
  readonly refreshesPerHour: number;
  /** Time before the end of a credential that can't be renewed, in milliseconds. */
  readonly expiryMs: number;
}

/** One kind of condition. */
interface Condition {
  /** In a few words, for people. */
  readonly title: string;
  /** The same, when it is over. */
  readonly titleOfEnd: string;
  readonly severity: "critical" | "warning";
  /** How long it has to last before anybody is told, in milliseconds. */
  readonly lastsMs: number;
  /** What there is to say beside the title; holds no secret and no client's words. */
  readonly detail: (snapshot: Snapshot) => string;
  readonly begins: (snapshot: Snapshot, thresholds: Thresholds) => boolean;
  /** Not the opposite of `begins`: between the two it goes on, so that it does not come and go. */
  readonly isOver: (snapshot: Snapshot, thresholds: Thresholds) => boolean;
}

const worksAgain = ({ auth }: Snapshot): boolean => auth.isAuthenticated === true;

/** Every condition by its kind. The kinds are API. */
export const conditions = {
  login_needed: {
    title: "The Claude credential was refused: a person must act",
    titleOfEnd: "The Claude credential works again",
    severity: "critical",
    lastsMs: 0,
    detail: () => "Requests are answered with 503 until it is mended.",
    begins: ({ auth }) => auth.state === "needs_login",
    isOver: worksAgain,
  },
  locked_out: {
    title: "The Claude credential could not be renewed: the server is locked out",
    titleOfEnd: "The Claude credential works again",
    severity: "critical",
    lastsMs: 0,
    detail: ({ auth }) => `${auth.consecutiveFailures} refreshes failed in a row. Requests are answered with 503.`,
    begins: ({ auth }) => auth.state === "locked_out",
    isOver: worksAgain,
  },
  many_failures: {
    title: "Refreshes of the Claude credential keep failing",
    titleOfEnd: "Refreshes of the Claude credential succeed again",
    severity: "warning",
    lastsMs: 0,
    detail: ({ auth }) => `${auth.consecutiveFailures} refreshes failed in a row.`,
    begins: ({ auth }, { failures }) => auth.consecutiveFailures >= failures,
    isOver: ({ auth }) => auth.consecutiveFailures === 0,
  },
  frequent_refreshes: {
    title: "The Claude credential is refreshed too often",
    titleOfEnd: "The Claude credential is refreshed as often as usual again",
    severity: "warning",
    lastsMs: 0,
    detail: ({ refreshesInHour }) => `${refreshesInHour} refreshes within an hour.`,
    begins: ({ refreshesInHour }, { refreshesPerHour }) => refreshesInHour > refreshesPerHour,
    isOver: ({ refreshesInHour }, { refreshesPerHour }) => refreshesInHour <= refreshesPerHour / 2,
  },
  credential_expiring: {
    title: "The Claude credential will expire, and nothing here can renew it",
    titleOfEnd: "The Claude credential no longer expires soon",
    severity: "warning",
    lastsMs: 0,
    detail: ({ auth }) => `It expires at ${new Date(auth.credential.expiresAtMs ?? 0).toISOString()}.`,
    begins: (snapshot, { expiryMs }) => expiresWithin(snapshot, expiryMs),
    isOver: (snapshot, { expiryMs }) => !expiresWithin(snapshot, expiryMs),
  },
  queue_full: {
    title: "The queue has been full for a minute: requests are turned away",
    titleOfEnd: "The queue has room again",
    severity: "warning",
    lastsMs: 60_000,
    detail: () => "More is asked of this server than it may run at once.",
    begins: ({ isQueueFull }) => isQueueFull,
    isOver: ({ isQueueFull }) => !isQueueFull,
  },
} as const satisfies Record<string, Condition>;

/** A kind of condition. */
export type AlertKind = keyof typeof conditions;

/** Every kind with its condition. */
export const allConditions = Object.entries(conditions) as readonly (readonly [AlertKind, Condition])[]; // The keys of this very table.

function expiresWithin({ auth: { credential }, nowMs }: Snapshot, withinMs: number): boolean {
  return credential.expiresAtMs !== null && !credential.renewable && credential.expiresAtMs - nowMs < withinMs;
}
