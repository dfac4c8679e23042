// Which conditions hold, from one look to the next: an incident is told once when it begins and once when it is over.
// Sends nothing, and keeps no time of its own.
import { randomUUID } from "node:crypto";
import { type AlertKind, allConditions, type Snapshot, type Thresholds } from "./conditions.ts";

/** What is to be told. */
export interface Notice {
  /** The incident's; the same when it begins and when it is over. */
  readonly incident: string;
  readonly kind: AlertKind;
  readonly status: "firing" | "resolved";
  readonly severity: "critical" | "warning";
  readonly title: string;
  readonly detail: string;
  /** What a person does to mend it, in words. */
  readonly action: string | null;
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
}

/** Follows the conditions. */
export interface Incidents {
  /** Looks at the server as it is now. @returns what is new, in the conditions' order. */
  look(snapshot: Snapshot): Notice[];
}

interface Standing {
  readonly incident: string;
  readonly sinceMs: number;
  isTold: boolean;
}

/** Makes a follower to which nothing has happened yet. */
export function createIncidents(thresholds: Thresholds, makeId: () => string = randomUUID): Incidents {
  const standing = new Map<AlertKind, Standing>();

  return {
    look(snapshot) {
      const notices: Notice[] = [];
      for (const [kind, condition] of allConditions) {
        const { title, titleOfEnd, severity, lastsMs } = condition;
        let held = standing.get(kind);
        if (held === undefined && condition.begins(snapshot, thresholds)) {
          held = { incident: makeId(), sinceMs: snapshot.nowMs, isTold: false };
          standing.set(kind, held);
        }
        if (held === undefined) continue;
        const base = { incident: held.incident, kind, severity, startedAtMs: held.sinceMs };
        if (condition.isOver(snapshot, thresholds)) {
          standing.delete(kind);
          if (held.isTold) {
            const { nowMs: endedAtMs } = snapshot;
            notices.push({ ...base, status: "resolved", title: titleOfEnd, detail: "", action: null, endedAtMs });
          }
        } else if (!held.isTold && snapshot.nowMs - held.sinceMs >= lastsMs) {
          held.isTold = true;
          const { action } = snapshot.auth;
          const detail = condition.detail(snapshot);
          notices.push({ ...base, status: "firing", title, detail, action, endedAtMs: null });
        }
      }
      return notices;
    },
  };
}
