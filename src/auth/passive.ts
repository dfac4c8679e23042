// The auth core without a refresh system: lets everybody in, and ends a run with a clear error at the first sign of a failure.
// Holds the place of the manager, behind the same contract.
import { classify } from "./classify.ts";
import type { AuthAdmission, AuthManager, AuthStatus, Decision } from "./contract.ts";
import { CcapiError } from "./errors.ts";

/** What {@link createPassiveAuth} offers of the contract. */
export type PassiveAuth = Pick<AuthManager, "tryAdmit" | "admit" | "refresh" | "status">;

/** Makes it. `action` says what a person does to mend the credential. */
export function createPassiveAuth(action: () => string, now: () => number): PassiveAuth {
  let isAuthenticated: boolean | null = null;
  let sinceMs = now();

  function learn(isGood: boolean): void {
    if (isAuthenticated === isGood) return;
    isAuthenticated = isGood;
    sinceMs = now();
  }

  function unavailable(): CcapiError {
    return new CcapiError("upstream_auth_unavailable", "Claude rejected the credential of this server.", {
      state: "unauthenticated",
      action: action(),
      retryAfterMs: 30_000,
    });
  }

  function admission(operation: string): AuthAdmission {
    return {
      operation,
      generation: 1,
      isCanary: false,
      carriedOver: 0,
      waitedMs: 0,
      report(signal): Decision {
        if (classify(signal).verdict === "not_auth") return { action: "continue" };
        learn(false);
        return { action: "fail", error: unavailable() };
      },
      onDecision: () => () => undefined,
      recovered: () => Promise.reject(unavailable()),
      succeeded: () => learn(true),
      release: () => undefined,
    };
  }

  return {
    tryAdmit: admission,
    admit: async ({ operation }) => admission(operation),
    refresh: () => Promise.reject(new CcapiError("not_found", "This version can't refresh the credential by itself.")),
    status: (): AuthStatus => ({
      isAuthenticated,
      lastRefreshAtMs: null,
      refreshCount: 0,
      consecutiveFailures: 0,
      state: isAuthenticated === true ? "authenticated" : "unknown",
      sinceMs,
      evidence: null,
      credential: { kind: null, expiresAtMs: null, generation: 1, renewable: false },
      nextAttemptAtMs: null,
      action: isAuthenticated === false ? action() : null,
      coordination: "local",
      waiting: 0,
    }),
  };
}
