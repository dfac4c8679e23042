// The last day in memory, for the dashboard: what the metrics count and the log tells, as far as it can be drawn. Listens only.
// Names, numbers, states and codes: nothing of a prompt or a credential comes this way, and nothing is written to a disk.
import type { AuthStatus, PublicState } from "../auth/contract.ts";
import type { AuthEvent, AuthListener } from "../auth/events.ts";
import { tellAuthEvent } from "./auth-log.ts";
import { createEntries, type Entry, type EntryListener, type Level } from "./history/entries.ts";
import { type Columns, createMinutes, type Sample } from "./history/minutes.ts";
import { createUsageAccount, type UsageRow } from "./history/usage.ts";
import type { Gauges, Metrics } from "./metrics.ts";

const dayMs = 24 * 60 * 60_000;
const sampleEveryMs = 10_000;
/** Changes of state, and refreshes: beyond it the oldest go. */
const maxMilestones = 500;

/** What the history looks at. */
export interface HistoryPorts {
  readonly gauges: Pick<Gauges, "running" | "queued" | "processes">;
  readonly status: () => AuthStatus;
  /** Memory of this process and of all Claude processes, bytes. */
  readonly memory: () => Promise<{ readonly serverBytes: number; readonly claudeBytes: number }>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** A change of the credential's state. */
export interface StateChange {
  readonly atMs: number;
  readonly from: PublicState;
  readonly to: PublicState;
}

/** A refresh that has ended. */
export interface RefreshEnd {
  readonly atMs: number;
  readonly trigger: string;
  readonly outcome: string;
  readonly durationMs: number;
}

/** All that is kept, but the entries. */
export interface Snapshot {
  readonly startedAtMs: number;
  readonly sample: Sample;
  readonly states: readonly StateChange[];
  readonly refreshes: readonly RefreshEnd[];
  readonly minutes: Columns;
  readonly usage: readonly UsageRow[];
}

/** The history. */
export interface History extends Pick<Metrics, "onResponse" | "onFirstToken" | "onFinish"> {
  readonly onAuthEvent: AuthListener;
  readonly startedAtMs: number;
  snapshot(): Snapshot;
  /** Entries after this one, oldest first. */
  entriesSince(id: number): readonly Entry[];
  /** @returns what ends the listening */
  subscribe(listener: EntryListener): () => void;
  /** Looks at what can only be looked at. The history does so by itself every 10 s. */
  look(): Promise<void>;
  /** Ends the looking, and tells every listener so. */
  close(): void;
}

/** Begins with nothing. */
export function createHistory({ gauges, status, memory, now }: HistoryPorts): History {
  const startedAtMs = now();
  const minutes = createMinutes(now);
  const usage = createUsageAccount(now);
  const entries = createEntries();
  const states: StateChange[] = [];
  const refreshes: RefreshEnd[] = [];
  let bytes = { serverBytes: 0, claudeBytes: 0 };

  const sample = (): Sample => ({
    running: gauges.running(),
    queued: gauges.queued(),
    parked: status().waiting,
    processes: gauges.processes(),
    ...bytes,
  });
  async function look(): Promise<void> {
    bytes = await memory();
    minutes.addSample(sample());
  }
  const lookSafely = () => void look().catch(() => undefined); // What can't be read now is read the next time.
  const timer = setInterval(lookSafely, sampleEveryMs).unref();
  lookSafely();

  function keep<T extends { readonly atMs: number }>(list: T[], item: T): void {
    list.push(item);
    while (list.length > maxMilestones || (list[0]?.atMs ?? item.atMs) < item.atMs - dayMs) list.shift();
  }

  function count(event: AuthEvent): void {
    if (event.type === "state-change") keep(states, { atMs: now(), from: event.from, to: event.to });
    if (event.type === "failure-report") minutes.add("authFailures", 1);
    if (event.type !== "refresh-end") return;
    const { trigger, outcome } = event;
    minutes.add("refreshes", 1);
    keep(refreshes, { atMs: now(), trigger, outcome, durationMs: Math.round(event.durationMs) });
  }

  return {
    startedAtMs,
    onAuthEvent(event) {
      const [level, text] = tellAuthEvent(event);
      entries.add({ atMs: now(), level, type: event.type, text });
      count(event);
      minutes.addSample(sample());
    },
    onResponse({ method, route, status: code, client, error }) {
      // Strangers' requests are not told of: they could drive all else out.
      if (client === undefined || !(route.startsWith("/v1/") || route === "/dashboard/chat")) return;
      // A stream may break off after its status was sent.
      const isBrokenOff = code < 400 && error !== undefined && error !== "client_closed_request";
      minutes.add(isBrokenOff || code >= 500 ? "failed" : code >= 400 ? "refused" : "answered", 1);
      minutes.addSample(sample());
      if (code < 400 && error === undefined) return;
      const text = `${method} ${route}: ${code}${error === undefined ? "" : ` ${error}`} (${client})`;
      const level: Level = isBrokenOff || code >= 500 ? "warn" : "info";
      entries.add({ atMs: now(), level, type: "request", text });
    },
    onFirstToken: (_profile, durationMs) => minutes.addFirstToken(durationMs),
    onFinish(client, model, finish) {
      const { usage: used, costUsd } = finish;
      usage.add(client, model, used, costUsd);
      minutes.add("tokens", used.inputTokens + used.cacheReadTokens + used.cacheCreationTokens + used.outputTokens);
      minutes.add("costUsd", costUsd);
    },
    snapshot: () => ({
      startedAtMs,
      sample: sample(),
      states: [...states],
      refreshes: [...refreshes],
      minutes: minutes.columns(),
      usage: usage.rows(),
    }),
    entriesSince: (id) => entries.since(id),
    subscribe: (listener) => entries.subscribe(listener),
    look,
    close() {
      clearInterval(timer);
      entries.close();
    },
  };
}
