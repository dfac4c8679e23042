// A refresh that a person asks for: joins the one that runs, overrides the lock-out, and is held to its rate.
import type { RefreshResult } from "./contract.ts";
import { CcapiError } from "./errors.ts";
import { publicState, type Refresher } from "./facts.ts";
import type { Policy } from "./policy.ts";
import type { Replica } from "./replica.ts";
import type { Runner } from "./runner.ts";
import type { AuthStore } from "./store/port.ts";

/** What it needs. */
export interface ManualPorts {
  readonly store: Pick<AuthStore, "nowMs">;
  readonly replica: Pick<Replica, "facts">;
  readonly runner: Runner;
  readonly policy: Policy;
  /** Resolves at the next change of what is known. */
  readonly nextChange: () => Promise<void>;
}

/**
 * Joins or starts a refresh.
 *
 * @throws CcapiError `auth_refresh_limited` with `retryAfterMs`.
 */
export async function joinRefresh(ports: ManualPorts): Promise<RefreshResult> {
  const { store, replica, runner, policy } = ports;
  if (runner.current !== undefined) {
    const joined = await runner.current;
    if (joined !== undefined) return joined;
  }
  const { refresher } = replica.facts;
  if (refresher.is === "running" && store.nowMs() < refresher.lease.untilMs) return joinElsewhere(ports, refresher);
  assertAllowed(replica, store.nowMs(), policy);
  const result = await runner.start("manual");
  if (result !== undefined) return result;
  // Another instance was faster, or has failed meanwhile.
  assertAllowed(replica, store.nowMs(), policy);
  throw limited(policy.heartbeatMs, "Another instance refreshes the credential now.");
}

/** The end of a refresh that another instance runs. */
async function joinElsewhere({ replica, nextChange }: ManualPorts, running: Refresher): Promise<RefreshResult> {
  const leaseOf = (refresher: Refresher) => (refresher.is === "running" ? refresher.lease.id : undefined);
  while (leaseOf(replica.facts.refresher) === leaseOf(running)) await nextChange();
  const success = replica.facts.credential.is === "valid";
  const message = success
    ? "Another instance has refreshed the credential."
    : "Another instance could not refresh the credential.";
  return { success, message, shouldRetry: !success && publicState(replica.facts) !== "needs_login" };
}

function assertAllowed({ facts }: Pick<Replica, "facts">, nowMs: number, policy: Policy): void {
  const { refresher, lastManualAtMs } = facts;
  if (refresher.is === "cooling_down" && nowMs < refresher.untilMs) {
    throw limited(refresher.untilMs - nowMs, "The last refresh failed; the cooldown is not over.");
  }
  const nextMs = lastManualAtMs === null ? 0 : lastManualAtMs + policy.manualIntervalMs;
  if (nowMs < nextMs) throw limited(nextMs - nowMs, "The credential was refreshed by hand only just now.");
}

function limited(retryAfterMs: number, message: string): CcapiError {
  return new CcapiError("auth_refresh_limited", message, { retryAfterMs: Math.max(1, Math.ceil(retryAfterMs)) });
}
