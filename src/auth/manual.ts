// A refresh that a person asks for: joins the one that runs, overrides the lock-out, and is held to its rate.
import type { RefreshResult } from "./contract.ts";
import { CcapiError } from "./errors.ts";
import type { Policy } from "./policy.ts";
import type { Replica } from "./replica.ts";
import type { Runner } from "./runner.ts";
import type { AuthStore } from "./store/store.ts";

/** What it needs. */
export interface ManualPorts {
  readonly store: Pick<AuthStore, "nowMs">;
  readonly replica: Pick<Replica, "facts">;
  readonly runner: Runner;
  readonly policy: Policy;
}

/**
 * Joins or starts a refresh.
 *
 * @throws CcapiError `auth_refresh_limited` with `retryAfterMs`.
 */
export async function joinRefresh({ store, replica, runner, policy }: ManualPorts): Promise<RefreshResult> {
  const running = runner.current;
  const joined = await running;
  if (joined !== undefined) return joined;
  assertAllowed(replica, store.nowMs(), policy);
  const result = await runner.start("manual");
  if (result !== undefined) return result;
  // Another instance was faster, or has failed meanwhile.
  assertAllowed(replica, store.nowMs(), policy);
  throw limited(policy.heartbeatMs, "Another instance refreshes the credential now.");
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
