// Prometheus metrics: the HTTP server's, the runs', and this process's own. Each is told what happened and asks nobody.
// Labels hold names that we chose or the operator did, never a client's words: their number is bounded.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { TurnEvent } from "../turn/turn.ts";

/** What can be counted at any moment, read when metrics are asked for. */
export interface Gauges {
  /** Runs under way. */
  readonly running: () => number;
  /** Requests that wait for a run. */
  readonly queued: () => number;
  /** Requests that may wait for a run. */
  readonly queueLimit: () => number;
  /** Claude processes alive. */
  readonly processes: () => number;
}

/** An answer that has been sent. */
export interface ResponseFacts {
  readonly method: string;
  /** A path's pattern. */
  readonly route: string;
  readonly status: number;
  readonly durationMs: number;
  /** Name of the key that asked, where one did. */
  readonly client: string | undefined;
  /** Our code for what went wrong. */
  readonly error: string | undefined;
}

/** Records what happens to requests. */
export interface Metrics {
  readonly registry: Registry;
  /** An answer has been sent in full, or its client has gone. */
  onResponse(response: ResponseFacts): void;
  /** The model's first word came. */
  onFirstToken(profile: string, durationMs: number): void;
  /** A turn ended well. */
  onFinish(client: string, model: string, finish: Extract<TurnEvent, { type: "finish" }>): void;
}

const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

/** Makes the metrics of one server, in a registry of their own. */
export function createMetrics(gauges: Gauges): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, prefix: "ccapi_" });
  // Gauges whose names end as only counters' may: Prometheus' own tool objects. The same counts stand in others by type.
  for (const kind of ["handles", "requests", "resources"])
    registry.removeSingleMetric(`ccapi_nodejs_active_${kind}_total`);

  const responses = new Counter({
    name: "ccapi_http_requests_total",
    help: "Requests answered.",
    labelNames: ["method", "route", "status"],
    registers,
  });
  const durations = new Histogram({
    name: "ccapi_http_request_duration_seconds",
    help: "Time from a request's arrival to the end of its answer.",
    labelNames: ["route"],
    buckets: seconds,
    registers,
  });
  const firstToken = new Histogram({
    name: "ccapi_first_token_seconds",
    help: "Time from a turn's beginning to the model's first word.",
    labelNames: ["profile"],
    buckets: seconds,
    registers,
  });
  const tokens = new Counter({
    name: "ccapi_tokens_total",
    help: "Tokens of turns that ended well.",
    labelNames: ["client", "model", "kind"],
    registers,
  });
  const cost = new Counter({
    name: "ccapi_cost_usd_total",
    help: "US dollars, as Claude Code reckons them.",
    labelNames: ["client", "model"],
    registers,
  });
  gauge("ccapi_runs_running", "Runs under way.", gauges.running);
  gauge("ccapi_runs_queued", "Requests that wait for a run.", gauges.queued);
  gauge("ccapi_runs_queue_limit", "Requests that may wait for a run.", gauges.queueLimit);
  gauge("ccapi_claude_processes", "Claude processes alive.", gauges.processes);

  function gauge(name: string, help: string, read: () => number): void {
    registry.registerMetric(
      new Gauge({
        name,
        help,
        registers: [],
        collect() {
          this.set(read());
        },
      }),
    );
  }

  return {
    registry,
    onResponse({ method, route, status, durationMs }) {
      responses.inc({ method, route, status: String(status) });
      durations.observe({ route }, durationMs / 1_000);
    },
    onFirstToken: (profile, durationMs) => firstToken.observe({ profile }, durationMs / 1_000),
    onFinish(client, model, { usage, costUsd }) {
      tokens.inc({ client, model, kind: "input" }, usage.inputTokens);
      tokens.inc({ client, model, kind: "cache_read" }, usage.cacheReadTokens);
      tokens.inc({ client, model, kind: "cache_creation" }, usage.cacheCreationTokens);
      tokens.inc({ client, model, kind: "output" }, usage.outputTokens);
      cost.inc({ client, model }, costUsd);
    },
  };
}
