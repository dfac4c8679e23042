// All that watches one server: metrics, alerts, the dashboard's history. They listen, and nothing waits for them.
import type { AuthStatus } from "../auth/contract.ts";
import type { AuthListener } from "../auth/events.ts";
import type { ProcessOwner } from "../claude/process.ts";
import type { Config } from "../config.ts";
import { startAlerts } from "../observe/alerts.ts";
import { createAuthMetrics } from "../observe/auth-metrics.ts";
import { createHistory, type History } from "../observe/history.ts";
import type { Logger } from "../observe/log.ts";
import { createMetrics, type Metrics } from "../observe/metrics.ts";
import type { Admission } from "../turn/admission.ts";
import { version } from "../version.ts";

/** What they look at. */
export interface ObservedParts {
  readonly status: () => AuthStatus;
  readonly admission: Pick<Admission, "running" | "waiting" | "isFull">;
  readonly owner: Pick<ProcessOwner, "count" | "memory">;
  readonly link: { readonly isUp: boolean } | undefined;
  readonly log: Logger;
}

/** The observers of one server. */
export interface Observers {
  /** Tells the history, too. */
  readonly metrics: Metrics;
  readonly history: History;
  readonly authListeners: readonly AuthListener[];
  close(): void;
}

/** Makes them, and begins to watch. */
export function createObservers(config: Config, { status, admission, owner, link, log }: ObservedParts): Observers {
  const gauges = {
    running: () => admission.running,
    queued: () => admission.waiting,
    queueLimit: () => config.maxQueue,
    processes: () => owner.count,
  };
  const counters = createMetrics(gauges);
  const history = createHistory({
    gauges,
    status,
    memory: async () => ({ serverBytes: process.memoryUsage.rss(), claudeBytes: await owner.memory() }),
    now: Date.now,
  });
  const alerts = startAlerts(config, {
    status,
    isQueueFull: () => admission.waiting >= config.maxQueue && admission.isFull,
    log,
    version,
    now: Date.now,
  });
  return {
    metrics: {
      registry: counters.registry,
      onResponse(response) {
        counters.onResponse(response);
        history.onResponse(response);
      },
      onFirstToken(profile, durationMs) {
        counters.onFirstToken(profile, durationMs);
        history.onFirstToken(profile, durationMs);
      },
      onFinish(client, model, finish) {
        counters.onFinish(client, model, finish);
        history.onFinish(client, model, finish);
      },
    },
    history,
    authListeners: [createAuthMetrics(counters.registry, status, link), alerts.onAuthEvent, history.onAuthEvent],
    close() {
      alerts.close();
      history.close();
    },
  };
}
