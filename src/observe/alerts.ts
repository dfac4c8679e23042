// Tells an operator of what needs a person, before users do: by webhook, by a program, or both; once for each incident, and its end.
import { hostname } from "node:os";
import type { AuthStatus } from "../auth/contract.ts";
import type { Config } from "../config.ts";
import { createOutbox, type Outbox } from "./alerts/outbox.ts";
import type { Sender } from "./alerts/payload.ts";
import { program } from "./alerts/program.ts";
import { type Alerts, watchForAlerts } from "./alerts/watch.ts";
import { webhook } from "./alerts/webhook.ts";
import type { Logger } from "./log.ts";

/** What alerts look at, and how they are told. */
export interface AlertPorts {
  readonly status: () => AuthStatus;
  readonly isQueueFull: () => boolean;
  readonly log: Logger;
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const attemptTimeoutMs = 10_000;
const programTimeoutMs = 30_000;

/** Begins to watch, where the configuration names somebody to be told; else does nothing. */
export function startAlerts(config: Config, { status, isQueueFull, log, version, now }: AlertPorts): Alerts {
  const sender: Sender = { version, host: hostname() };
  const outboxes: Outbox[] = [];
  if (config.alertWebhookUrl !== undefined) {
    const { alertWebhookUrl: url, alertWebhookSecret: secret, alertFormat: format } = config;
    const send = webhook({ url, secret, format, sender, timeoutMs: attemptTimeoutMs, now });
    outboxes.push(createOutbox({ channel: "webhook", send, log }));
  }
  if (config.alertCommand !== undefined) {
    const environment = programEnvironment(config.environment);
    const send = program({ command: config.alertCommand, environment, sender, timeoutMs: programTimeoutMs });
    outboxes.push(createOutbox({ channel: "program", send, log, retries: 3 }));
  }
  if (outboxes.length === 0) return { onAuthEvent: () => undefined, look: () => undefined, close: () => undefined };
  const thresholds = {
    failures: config.alertFailures,
    refreshesPerHour: config.alertRefreshesPerHour,
    expiryMs: config.alertExpiryMs,
  };
  return watchForAlerts({ thresholds, outboxes, status, isQueueFull, now });
}

/** What programs need to find their way; no credential of ours or of Claude's is among it. */
function programEnvironment(environment: Config["environment"]): Record<string, string> {
  const names = ["PATH", "HOME", "LANG", "TZ", "TMPDIR"];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
