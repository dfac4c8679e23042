// What is due, and when to look again: the early refresh, the retry after the cooldown, the lock-out's probes, a lost lease.
// Pure, and reckoned from facts and time alone, so that a missed timer, a clock step or a restart changes nothing.
import type { RefreshTrigger } from "./contract.ts";
import type { Facts } from "./facts.ts";
import { claudeRenewsJitterMs, claudeRenewsWithinMs, earlyWindow, type Policy } from "./policy.ts";

/** Both clocks, at one moment. */
export interface Times {
  /** In the store's time. */
  readonly nowMs: number;
  /** Since the epoch. */
  readonly wallMs: number;
}

/** What is to be done now, and when something will be. */
export interface Due {
  /** A refresh that is due now. */
  readonly trigger: RefreshTrigger | undefined;
  /** When the next one will be, in the store's time, as far as can be told. */
  readonly atMs: number | undefined;
}

/** What is due. */
export function nextDue(facts: Facts, times: Times, policy: Policy): Due {
  const { credential, refresher } = facts;
  switch (refresher.is) {
    case "running":
      // Its holder is gone once the lease is over.
      if (refresher.lease.isProbe) return at(refresher.lease.untilMs, "probe", times);
      if (credential.is === "expired" || credential.is === "refused")
        return at(refresher.lease.untilMs, "retry", times);
      if (times.nowMs < refresher.lease.untilMs) return { trigger: undefined, atMs: undefined };
      break;
    case "locked_out":
      return at(refresher.nextProbeAtMs, "probe", times);
    case "cooling_down":
      if (credential.is === "expired") return at(refresher.untilMs, "retry", times);
      break;
    case "idle":
      if (credential.is === "expired") return { trigger: credential.cause, atMs: times.nowMs };
      break;
  }
  const early = earlyAt(facts, times, policy);
  if (early === undefined) return { trigger: undefined, atMs: undefined };
  return at(refresher.is === "cooling_down" ? Math.max(early, refresher.untilMs) : early, "schedule", times);
}

function at(atMs: number, trigger: RefreshTrigger, { nowMs }: Times): Due {
  return { trigger: atMs <= nowMs ? trigger : undefined, atMs };
}

/** When the early refresh is due, in the store's time; `undefined` where there is none. */
function earlyAt({ credential, reading, early }: Facts, { nowMs, wallMs }: Times, policy: Policy): number | undefined {
  if (!policy.refreshEarly || credential.is === "expired" || credential.is === "refused") return undefined;
  if (!reading?.renewable || reading.expiresAtWallMs === null || wallMs >= reading.expiresAtWallMs) return undefined;
  const leftMs = reading.expiresAtWallMs - wallMs;
  if (reading.claudeRenews) {
    // Claude renews it or doesn't: asking twice tells nothing more.
    if (early.attempts > 0) return undefined;
    return nowMs + leftMs - claudeRenewsWithinMs + Math.round((2 * early.chance - 1) * claudeRenewsJitterMs);
  }
  const windowMs = earlyWindow(reading.lifeMs ?? leftMs);
  return Math.max(early.notBeforeMs, nowMs + leftMs - Math.round(windowMs * (1 - 0.2 * early.chance)));
}
