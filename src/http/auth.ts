// GET /health/auth and POST /health/auth/refresh: what is known of the Claude credential, and a person's way to have it renewed.
import type { Context } from "hono";
import type { AuthManager, AuthStatus } from "../auth/contract.ts";
import { CcapiError } from "../auth/errors.ts";
import { toErrorBody } from "../openai/error.ts";
import type { AppEnv } from "./app-env.ts";
import { toAuthentication } from "./health.ts";
import { toRetryHeaders } from "./retry-headers.ts";
import { toTimestamp } from "./timestamp.ts";

/** What these routes need. */
export interface AuthPorts {
  readonly auth: Pick<AuthManager, "refresh" | "status">;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Makes the handlers. */
export function authHandlers({ auth, now }: AuthPorts) {
  return {
    status(context: Context<AppEnv>) {
      const status = auth.status();
      return context.json({
        status: toWord(status),
        timestamp: toTimestamp(now()),
        authentication: toDetails(status),
      });
    },
    async refresh(context: Context<AppEnv>) {
      try {
        const result = await auth.refresh({ signal: context.req.raw.signal });
        if (!result.success) context.set("errorCode", "auth_refresh_failed");
        return context.json(
          {
            status: result.success ? "refreshed" : "failed",
            timestamp: toTimestamp(now()),
            result,
            authentication: toDetails(auth.status()),
          },
          result.success ? 200 : 502,
        );
      } catch (error) {
        if (!(error instanceof CcapiError) || error.code !== "auth_refresh_limited") throw error;
        context.set("errorCode", error.code);
        return context.json(
          {
            ...toErrorBody(error),
            status: "limited",
            timestamp: toTimestamp(now()),
            authentication: toDetails(auth.status()),
          },
          429,
          toRetryHeaders(error),
        );
      }
    },
  };
}

function toWord({ isAuthenticated }: AuthStatus): "authenticated" | "unauthenticated" | "unknown" {
  if (isAuthenticated === null) return "unknown";
  return isAuthenticated ? "authenticated" : "unauthenticated";
}

/** All that is told of the credential. */
export function toDetails(status: AuthStatus) {
  const { evidence, credential } = status;
  return {
    ...toAuthentication(status),
    state: status.state,
    since: toTimestamp(status.sinceMs),
    evidence:
      evidence === null
        ? null
        : { source: evidence.source, at: toTimestamp(evidence.atMs), ageMs: Math.round(evidence.ageMs) },
    credential: {
      kind: credential.kind,
      expiresAt: credential.expiresAtMs === null ? null : toTimestamp(credential.expiresAtMs),
      generation: credential.generation,
      renewable: credential.renewable,
    },
    nextAttemptAt: status.nextAttemptAtMs === null ? null : toTimestamp(status.nextAttemptAtMs),
    action: status.action,
    coordination: status.coordination,
    waiting: status.waiting,
  };
}
