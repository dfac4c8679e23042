// Tells the story of the Claude credential in the log: each transition once, in words that are API (docs/operations.md).
// Listens only; no event holds a secret or a prompt, and nothing is added here.
import type { AuthEvent, AuthListener } from "../auth/events.ts";

/** Where it is told: fields first, then the message. */
export type AuthLog = Record<"debug" | "info" | "warn" | "error", (fields: object, message: string) => void>;

/** Makes the listener. */
export function authLogger(log: AuthLog): AuthListener {
  return (event) => {
    const { type, ...fields } = event;
    const [level, message] = tellAuthEvent(event);
    log[level]({ event: type, ...fields }, message);
  };
}

/** An event in words, and how grave it is. */
export function tellAuthEvent(event: AuthEvent): [level: keyof AuthLog, message: string] {
  switch (event.type) {
    case "error-detected":
      return ["info", `Authentication error detected in ${event.operation}, attempting refresh`];
    case "retry":
      return event.isRenewed
        ? ["info", `Authentication refreshed, retrying ${event.operation}`]
        : ["info", `Trying ${event.operation} once more: one sign is no proof`];
    case "too-many-failures": {
      const { consecutiveFailures, maxAllowed } = event;
      const counts = `consecutiveFailures: ${consecutiveFailures}, maxAllowed: ${maxAllowed}`;
      return ["warn", `Too many consecutive auth failures, not retrying (${counts})`];
    }
    case "refresh-end":
      return tellRefreshEnd(event);
    case "failure-report": {
      const { source, verdict, rule, operation } = event;
      return ["warn", `Authentication failure in ${operation} (source: ${source}, verdict: ${verdict}, rule: ${rule})`];
    }
    case "retry-decision":
      return event.decision === "continue"
        ? ["debug", `Not retrying ${event.operation} yet: one sign is no proof`]
        : ["warn", `Retry decision for ${event.operation}: ${event.decision}`];
    case "refresh-start":
      return ["info", `Authentication refresh started (trigger: ${event.trigger})`];
    case "strategy-end":
      return ["debug", `Refresh strategy ${event.strategy}: ${event.outcome}`];
    case "cooldown-start":
      return ["debug", `Next refresh held back for ${Math.round(event.delayMs)} ms`];
    case "test-query":
      return ["debug", `Test query: ${event.outcome}`];
    case "wait-start":
      return ["debug", `Waiting for the credential: ${event.operation}`];
    case "wait-end":
      return ["debug", `Wait ended (${event.outcome}): ${event.operation}`];
    case "release":
      return ["debug", `Released ${event.count} waiting requests`];
    case "retry-end":
      return ["debug", `Retry ${event.outcome}: ${event.operation}`];
    case "state-change":
      return ["info", `Authentication state: ${event.from} -> ${event.to}`];
    case "lock-out":
      return ["error", `Authentication locked out, requests fail at once until it is mended${hint(event.action)}`];
    case "credential-change":
      return ["info", `Credential changed (generation: ${event.generation})`];
    case "recovery-end":
      return ["info", `Authentication recovered after ${Math.round(event.durationMs)} ms`];
  }
}

function tellRefreshEnd(event: Extract<AuthEvent, { type: "refresh-end" }>): [level: keyof AuthLog, message: string] {
  const { outcome, trigger, refreshCount, message } = event;
  const durationMs = Math.round(event.durationMs);
  switch (outcome) {
    case "success": {
      const figures = `refreshCount: ${refreshCount}, timeTaken: ${durationMs}ms`;
      return ["info", `Claude Code authentication refresh successful (${figures})`];
    }
    case "unproven":
      return ["warn", `Authentication refresh without proof (refreshCount: ${refreshCount}): ${message}`];
    case "abandoned":
      return ["debug", `Authentication refresh given up (refreshCount: ${refreshCount})`];
    default:
      // An early one that fails harms nobody yet.
      return [
        trigger === "schedule" ? "warn" : "error",
        `Authentication refresh failed (refreshCount: ${refreshCount}, timeTaken: ${durationMs}ms): ${message}`,
      ];
  }
}

function hint(action: string | null): string {
  return action === null ? "" : `: ${action}`;
}
