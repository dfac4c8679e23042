// Prometheus metrics of the Claude credential: a listener on the auth core's events, and its status read when asked for.
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { AuthStatus, PublicState } from "../auth/contract.ts";
import type { AuthListener } from "../auth/events.ts";

/** Each state has a series: one that is missing here fails to compile. */
const states = Object.keys({
  authenticated: true,
  unknown: true,
  checking: true,
  refreshing: true,
  cooling_down: true,
  locked_out: true,
  needs_login: true,
} satisfies Record<PublicState, true>);
const seconds = [0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 45, 60, 120, 300];

/** Makes the metrics in a registry. `status` and `redis` are read whenever they are asked for; without `redis` nothing is told of it. */
export function createAuthMetrics(
  registry: Registry,
  status: () => AuthStatus,
  redis?: { readonly isUp: boolean },
): AuthListener {
  const registers = [registry];
  const gauge = (name: string, help: string, read: (status: AuthStatus) => number | null) =>
    new Gauge({
      name: `ccapi_${name}`,
      help,
      registers,
      collect() {
        // Not 0 where nothing is known: that would be a time, long ago.
        this.set(read(status()) ?? NaN);
      },
    });
  const counter = <const Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Counter({ name: `ccapi_${name}`, help, labelNames, registers });
  const histogram = <const Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Histogram({ name: `ccapi_${name}`, help, labelNames, buckets: seconds, registers });

  registry.registerMetric(
    new Gauge({
      name: "ccapi_auth_state",
      help: "1 for the state that the credential is in, 0 for the others.",
      labelNames: ["state"],
      registers: [],
      collect() {
        const { state } = status();
        for (const name of states) this.set({ state: name }, name === state ? 1 : 0);
      },
    }),
  );
  gauge("auth_consecutive_failures", "Failed refreshes in a row.", ({ consecutiveFailures }) => consecutiveFailures);
  gauge(
    "auth_credential_generation",
    "Which credential is in use; counts up with every change.",
    ({ credential }) => credential.generation,
  );
  gauge(
    "auth_credential_expiry_timestamp_seconds",
    "When the credential expires, where that is known.",
    ({ credential }) => (credential.expiresAtMs === null ? null : credential.expiresAtMs / 1_000),
  );
  gauge("auth_credential_renewable", "1 where the credential can change without a restart, else 0.", ({ credential }) =>
    credential.renewable ? 1 : 0,
  );
  gauge(
    "auth_last_success_timestamp_seconds",
    "When a real answer last proved the credential.",
    ({ isAuthenticated, evidence }) => (isAuthenticated === true && evidence !== null ? evidence.atMs / 1_000 : null),
  );
  if (redis !== undefined) {
    gauge("redis_up", "1 while Redis can be reached, else 0.", () => (redis.isUp ? 1 : 0));
    gauge(
      "auth_coordination_shared",
      "1 while the state of the credential is shared with other instances, 0 while this one is alone.",
      ({ coordination }) => (coordination === "shared" ? 1 : 0),
    );
  }
  gauge("auth_requests_waiting", "Requests that wait for the credential.", ({ waiting }) => waiting);

  const failures = counter("auth_failures_total", "Failures of authentication that were reported.", [
    "source",
    "verdict",
  ]);
  const attempts = counter("auth_refresh_attempts_total", "Strategies tried, by how each ended.", [
    "trigger",
    "strategy",
    "outcome",
  ]);
  const refreshes = histogram("auth_refresh_duration_seconds", "Duration of whole refreshes.", []);
  const queries = counter("auth_test_queries_total", "Test queries to the model.", ["outcome"]);
  const waits = histogram("auth_wait_duration_seconds", "How long requests waited for the credential.", ["outcome"]);
  const retries = counter("auth_request_retries_total", "Requests carried over a failure of the credential.", [
    "method",
    "outcome",
  ]);
  const recoveries = histogram(
    "auth_recovery_duration_seconds",
    "From the first sign of a failure to a working credential.",
    [],
  );

  return (event) => {
    switch (event.type) {
      case "failure-report":
        failures.inc({ source: event.source, verdict: event.verdict });
        break;
      case "strategy-end":
        attempts.inc({ trigger: event.trigger, strategy: event.strategy, outcome: event.outcome });
        break;
      case "refresh-end":
        refreshes.observe(event.durationMs / 1_000);
        break;
      case "test-query":
        queries.inc({ outcome: event.outcome });
        break;
      case "wait-end":
        waits.observe({ outcome: event.outcome }, event.durationMs / 1_000);
        break;
      case "retry-end":
        retries.inc({ method: event.method, outcome: event.outcome });
        break;
      case "recovery-end":
        recoveries.observe(event.durationMs / 1_000);
        break;
      default:
    }
  };
}
