// A made-up day of a server, told to a real history by a clock of its own: for pictures, and for tests of what the page draws.
import type { AuthStatus, PublicState } from "../../src/auth/contract.ts";
import type { AuthEvent } from "../../src/auth/events.ts";
import { createHistory, type History } from "../../src/observe/history.ts";
import type { SessionView } from "../../src/turn/session-care.ts";
import { makeSession } from "./turns.ts";

const minute = 60_000;
const hour = 60 * minute;
/** When the day ends: now, for whoever looks at it. */
export const endOfDayMs = Date.parse("2026-03-12T14:32:20Z");

/** Always the same numbers, in [0, 1). */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

const events = {
  report: {
    type: "failure-report",
    operation: "POST /v1/chat/completions",
    source: "api-error",
    verdict: "auth_refreshable",
    rule: "api-authentication",
    reason: "authentication_error",
    generation: 3,
    isCurrent: true,
  },
  start: { type: "refresh-start", trigger: "request", refreshCount: 5, generation: 3 },
  changed: { type: "credential-change", generation: 4, kind: "api_key_helper", expiresAtMs: null },
  retry: {
    type: "retry",
    operation: "POST /v1/chat/completions",
    method: "replay",
    carriedOver: 1,
    generation: 4,
    isRenewed: true,
  },
} as const satisfies Record<string, AuthEvent>;

const stateChange = (from: PublicState, to: PublicState): AuthEvent => ({
  type: "state-change",
  from,
  to,
  generation: 3,
  action: null,
});
const refreshEnd = (outcome: "success" | "rejected", durationMs: number, consecutiveFailures = 0): AuthEvent => ({
  type: "refresh-end",
  trigger: "request",
  outcome,
  durationMs,
  refreshCount: 5,
  consecutiveFailures,
  message:
    outcome === "success"
      ? "The credential was renewed and a real answer proved it."
      : "The model API rejected the credential.",
});

/** What goes before the present state, and ends in it. */
function leadTo(state: PublicState): readonly (readonly [minutesAgo: number, ...AuthEvent[]])[] {
  const failing = (minutesAgo: number, failures: number) =>
    [minutesAgo, events.report, events.start, refreshEnd("rejected", 1_900, failures)] as const;
  switch (state) {
    case "refreshing":
      return [
        [
          0.1,
          events.report,
          stateChange("authenticated", "checking"),
          stateChange("checking", "refreshing"),
          events.start,
        ],
      ];
    case "locked_out":
      return [
        [9, events.report, stateChange("authenticated", "refreshing")],
        failing(9, 1),
        [8.9, stateChange("refreshing", "cooling_down")],
        failing(8, 2),
        failing(6, 3),
        [
          6,
          stateChange("cooling_down", "locked_out"),
          { type: "lock-out", consecutiveFailures: 3, nextProbeAtMs: endOfDayMs + minute, action: null },
        ],
      ];
    case "needs_login":
      return [[4, events.report, stateChange("authenticated", "needs_login")]];
    default:
      return [];
  }
}

/** The status of a state at the day's end. */
export function statusOf(state: PublicState): AuthStatus {
  const isGood = state === "authenticated";
  const isKnown = state === "unknown" ? null : isGood || state === "checking";
  const actions: Partial<Record<PublicState, string>> = {
    locked_out:
      "see why the program of `apiKeyHelper` prints a key that the model API rejects, or run `ccapi refresh` once it prints a good one",
    needs_login: "run `claude auth login` on this host as the server's user",
  };
  return {
    isAuthenticated: isKnown,
    lastRefreshAtMs: endOfDayMs - (state === "locked_out" ? 6 * minute : 4.3 * hour),
    refreshCount: state === "locked_out" ? 7 : 4,
    consecutiveFailures: state === "locked_out" ? 3 : 0,
    state,
    sinceMs:
      endOfDayMs -
      ({ authenticated: 4.3 * hour, refreshing: 4_000, locked_out: 6 * minute, needs_login: 4 * minute }[
        state as "refreshing"
      ] ?? minute),
    evidence: { source: isGood ? "answer" : "api-error", atMs: endOfDayMs - 2_000, ageMs: 2_000 },
    credential: {
      kind: state === "needs_login" ? "claude_login" : "api_key_helper",
      expiresAtMs: state === "needs_login" ? endOfDayMs - 5 * minute : endOfDayMs + 5.2 * hour,
      generation: 4,
      renewable: true,
    },
    nextAttemptAtMs: state === "locked_out" ? endOfDayMs + 50_000 : null,
    action: actions[state] ?? null,
    coordination: "local",
    waiting: state === "refreshing" ? 6 : 0,
  };
}

/** Sessions of some clients. */
export const someSessions: readonly SessionView[] = [
  ["support-7f3a", "helpdesk", "sonnet", 12, 0.4182, 0.4, "working"],
  ["nightly-report", "reports", "claude-code", 31, 2.9107, 3, "kept"],
  ["u-2219", "open-webui", "opus", 5, 0.8734, 11, "kept"],
  ["u-1840", "open-webui", "sonnet", 2, 0.0311, 52, "none"],
].map(([id, clientName, model, turns, costUsd, minutesAgo, process]) => ({
  record: makeSession({
    id: String(id),
    clientName: String(clientName),
    model: String(model),
    turns: Number(turns),
    costUsd: Number(costUsd),
    createdAtMs: endOfDayMs - 5 * hour,
    lastUsedAtMs: endOfDayMs - Number(minutesAgo) * minute,
  }),
  process: process as SessionView["process"], // One of the words above.
}));

/** A day that ends in this state. */
export async function tellDay(state: PublicState): Promise<History> {
  const roll = dice(7);
  let nowMs = endOfDayMs - 23.2 * hour;
  let load = { running: 0, queued: 0, processes: 0 };
  const history = createHistory({
    gauges: { running: () => load.running, queued: () => load.queued, processes: () => load.processes },
    status: () => statusOf(state),
    memory: async () => ({
      serverBytes: (96 + 9 * roll()) * 1_048_576,
      claudeBytes: load.processes * (128 + 12 * roll()) * 1_048_576,
    }),
    now: () => nowMs,
  });
  const clients = ["open-webui", "helpdesk", "reports"] as const;
  const models = ["sonnet", "opus", "claude-code", "haiku"] as const;
  const incidents = new Map<number, readonly AuthEvent[]>([
    [1, [stateChange("unknown", "authenticated")]],
    [560, [events.report, stateChange("authenticated", "refreshing"), events.start]],
    [562, [events.changed, refreshEnd("success", 1_240), events.retry, stateChange("refreshing", "authenticated")]],
    [
      1_120,
      [
        events.report,
        events.report,
        stateChange("authenticated", "refreshing"),
        events.start,
        refreshEnd("rejected", 2_100, 1),
      ],
    ],
    [1_121, [stateChange("refreshing", "cooling_down")]],
    [
      1_133,
      [
        events.changed,
        refreshEnd("success", 910),
        stateChange("cooling_down", "authenticated"),
        { type: "recovery-end", durationMs: 780_000 },
      ],
    ],
  ]);
  const lead = leadTo(state);
  const downSince = state === "locked_out" ? 8 : state === "needs_login" ? 4 : 0;
  for (let index = 0; nowMs < endOfDayMs; index += 1, nowMs += minute) {
    for (const event of incidents.get(index) ?? []) history.onAuthEvent(event);
    const minutesLeft = (endOfDayMs - nowMs) / minute;
    const busy = 0.35 + 0.65 * Math.max(0, Math.sin(((nowMs / hour - 5) / 24) * 2 * Math.PI));
    const isDown = minutesLeft < downSince;
    load = {
      running: Math.round(busy * (2 + 5 * roll())),
      queued: roll() > 0.9 ? Math.round(4 * roll()) : 0,
      processes: 4 + Math.round(busy * (2 + 5 * roll())),
    };
    await history.look();
    for (let count = Math.round(busy * (5 + 9 * roll())); count > 0; count -= 1) {
      const isRefused = roll() > 0.985;
      const error = isDown ? "upstream_auth_unavailable" : isRefused ? "rate_limit_exceeded" : undefined;
      const client = clients[Math.floor(roll() * roll() * 3)] ?? "reports";
      history.onResponse({
        method: "POST",
        route: "/v1/chat/completions",
        status: isDown ? 503 : isRefused ? 429 : 200,
        durationMs: 2_000,
        client,
        error,
      });
      if (error !== undefined) continue;
      history.onFirstToken("chat", 280 + 260 * roll() + (roll() > 0.93 ? 900 * roll() : 0));
      const model = models[Math.floor(roll() * roll() * 4)] ?? "haiku";
      const scale = { sonnet: 1, opus: 5, "claude-code": 2, haiku: 0.3 }[model];
      history.onFinish(client, model, {
        type: "finish",
        reason: "stop",
        stopSequence: undefined,
        usage: {
          inputTokens: Math.round(200 + 900 * roll()),
          cacheReadTokens: Math.round(2_000 * roll()),
          cacheCreationTokens: 0,
          outputTokens: Math.round(80 + 500 * roll()),
          reasoningTokens: 0,
        },
        costUsd: 0.004 * scale * (0.5 + roll()),
      });
    }
    for (const [minutesAgo, ...due] of lead) {
      if (minutesAgo <= minutesLeft && minutesAgo > minutesLeft - 1)
        for (const event of due) history.onAuthEvent(event);
    }
  }
  nowMs = endOfDayMs;
  return history;
}
