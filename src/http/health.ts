// GET /health, /health/live, /health/ready: what is known of this process and its credential. Starts nothing, asks nobody.
import type { Context } from "hono";
import type { AuthManager, AuthStatus } from "../auth/contract.ts";
import type { AppEnv } from "./app-env.ts";
import { toTimestamp } from "./timestamp.ts";

/** What health is told from. */
export interface HealthPorts {
  readonly auth: Pick<AuthManager, "status">;
  /** False while starting and while going down. */
  readonly isServing: () => boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Makes the handlers. */
export function healthHandlers({ auth, isServing, now }: HealthPorts) {
  return {
    /** Always 200 while the process serves; only clients are told of the credential. */
    health(context: Context<AppEnv>) {
      const timestamp = toTimestamp(now());
      if (context.var.client === undefined) return context.json({ status: "healthy", timestamp });
      const status = auth.status();
      return context.json({
        status: status.isAuthenticated === false ? "degraded" : "healthy",
        timestamp,
        authentication: toAuthentication(status),
      });
    },
    live: (context: Context<AppEnv>) => context.json({ status: "healthy", timestamp: toTimestamp(now()) }),
    /** A dead credential must not make an orchestrator restart the fleet: it doesn't count here. */
    ready(context: Context<AppEnv>) {
      const isReady = isServing();
      return context.json(
        { status: isReady ? "ready" : "not_ready", timestamp: toTimestamp(now()) },
        isReady ? 200 : 503,
      );
    },
  };
}

/** The four fields that every view of the credential begins with. */
export function toAuthentication({ isAuthenticated, lastRefreshAtMs, refreshCount, consecutiveFailures }: AuthStatus) {
  return {
    isAuthenticated,
    lastRefresh: lastRefreshAtMs === null ? null : toTimestamp(lastRefreshAtMs),
    refreshCount,
    consecutiveFailures,
  };
}
