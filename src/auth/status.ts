// The facts as people and programs are told them: the status, and the error of a request that the credential fails.
// Reads only; nothing told here is a secret, or a hash that could be tested against one.
import type { AuthStatus } from "./contract.ts";
import { CcapiError } from "./errors.ts";
import { type Facts, isAuthenticated, mayWait, passes, publicState } from "./facts.ts";
import type { Policy } from "./policy.ts";
import { nextDue, type Times } from "./schedule.ts";

const unknownAction = "renew the Claude credential of this host";

/** What a person does to mend it; `null` where it works or isn't known not to. */
export function actionOf(facts: Facts): string | null {
  const state = publicState(facts);
  if (passes(state) || state === "refreshing") return null;
  return facts.reading?.action ?? unknownAction;
}

/** What a status is made of beside the facts. */
export interface StatusContext {
  readonly times: Times;
  readonly policy: Policy;
  /** The newest answer that changed no state, in the store's time. */
  readonly lastProof: { readonly source: string; readonly atMs: number } | undefined;
  readonly coordination: AuthStatus["coordination"];
  readonly waiting: number;
}

/** The status. */
export function toStatus(facts: Facts, { times, policy, lastProof, coordination, waiting }: StatusContext): AuthStatus {
  const toWall = (atMs: number) => Math.round(times.wallMs - (times.nowMs - atMs));
  const { reading } = facts;
  const isProofNewer = lastProof !== undefined && (facts.evidence === null || lastProof.atMs > facts.evidence.atMs);
  const evidence = isProofNewer && facts.credential.is === "valid" ? lastProof : facts.evidence;
  const dueAtMs = nextDue(facts, times, policy).atMs;
  const isRunning = facts.refresher.is === "running";
  return {
    isAuthenticated: isAuthenticated(facts),
    lastRefreshAtMs: facts.lastRefreshAtMs === null ? null : toWall(facts.lastRefreshAtMs),
    refreshCount: facts.refreshCount,
    consecutiveFailures: facts.failures,
    state: publicState(facts),
    sinceMs: toWall(facts.sinceMs),
    evidence: evidence && {
      source: evidence.source,
      atMs: toWall(evidence.atMs),
      ageMs: Math.max(0, Math.round(times.nowMs - evidence.atMs)),
    },
    credential: {
      kind: reading?.kind ?? null,
      expiresAtMs: reading?.expiresAtWallMs ?? null,
      generation: facts.generation,
      renewable: reading?.renewable ?? false,
    },
    nextAttemptAtMs: dueAtMs === undefined || isRunning ? null : toWall(dueAtMs),
    action: actionOf(facts),
    coordination,
    waiting,
  };
}

/** The error of a request that the credential fails now. */
export function toFailure(facts: Facts, { nowMs }: Pick<Times, "nowMs">): CcapiError {
  const state = publicState(facts);
  const action = facts.reading?.action ?? unknownAction;
  const { refresher } = facts;
  const nextMs =
    refresher.is === "cooling_down"
      ? refresher.untilMs - nowMs
      : refresher.is === "locked_out"
        ? refresher.nextProbeAtMs - nowMs
        : 0;
  const isHopeful = passes(state) || mayWait(state, facts);
  const message = passes(state)
    ? "Claude rejected this request's credential, and whether the credential as a whole has failed is not known yet; try again."
    : isHopeful
      ? "The Claude credential of this server is being renewed; try again soon."
      : `The Claude credential of this server does not work: ${action}.`;
  return new CcapiError("upstream_auth_unavailable", message, {
    state,
    action,
    retryAfterMs: Math.max(1_000, Math.ceil(nextMs)),
    shouldRetry: state !== "needs_login",
  });
}
