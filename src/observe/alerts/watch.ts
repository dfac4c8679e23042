// Looks at the server again and again, and posts what is new. Nothing calls it but the auth core's events and a timer.
import type { AuthListener } from "../../auth/events.ts";
import type { AuthStatus } from "../../auth/contract.ts";
import type { Thresholds } from "./conditions.ts";
import { createIncidents } from "./incidents.ts";
import type { Outbox } from "./outbox.ts";

/** What is looked at, and who is told. */
export interface AlertOptions {
  readonly thresholds: Thresholds;
  readonly outboxes: readonly Outbox[];
  readonly status: () => AuthStatus;
  readonly isQueueFull: () => boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Alerts under way. */
export interface Alerts {
  /** For the auth core's events. */
  readonly onAuthEvent: AuthListener;
  /** Looks now. */
  look(): void;
  close(): void;
}

const lookEveryMs = 5_000;
const hourMs = 3_600_000;

/** Begins to look. */
export function watchForAlerts({ thresholds, outboxes, status, isQueueFull, now }: AlertOptions): Alerts {
  const incidents = createIncidents(thresholds);
  let refreshesAtMs: number[] = [];

  function look(): void {
    const nowMs = now();
    refreshesAtMs = refreshesAtMs.filter((atMs) => nowMs - atMs < hourMs);
    const snapshot = { nowMs, auth: status(), refreshesInHour: refreshesAtMs.length, isQueueFull: isQueueFull() };
    for (const notice of incidents.look(snapshot)) for (const outbox of outboxes) outbox.post(notice);
  }

  const timer = setInterval(look, lookEveryMs).unref();
  return {
    onAuthEvent({ type }) {
      if (type === "refresh-start") refreshesAtMs.push(now());
      // After the event's cause is done with: its listeners are told in the middle of it.
      if (type === "state-change" || type === "refresh-end") queueMicrotask(look);
    },
    look,
    close() {
      clearInterval(timer);
      for (const outbox of outboxes) outbox.close();
    },
  };
}
