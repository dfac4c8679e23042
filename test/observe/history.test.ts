// The last day in memory: what it counts, what it tells, and that it never grows beyond its bounds.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AuthEvent } from "../../src/auth/events.ts";
import { createHistory, type History } from "../../src/observe/history.ts";
import type { Entry } from "../../src/observe/history/entries.ts";
import { status } from "../helpers/app.ts";

const minute = 60_000;
const day = 24 * 60 * minute;
let nowMs: number;
let load: { running: number; queued: number; processes: number };
let history: History;
beforeEach(() => {
  vi.useFakeTimers();
  nowMs = day;
  load = { running: 1, queued: 2, processes: 3 };
  history = createHistory({
    gauges: { running: () => load.running, queued: () => load.queued, processes: () => load.processes },
    status: () => status,
    memory: async () => ({ serverBytes: 4, claudeBytes: 5 }),
    now: () => nowMs,
  });
});
afterEach(() => {
  history.close();
  vi.useRealTimers();
});

const answer = (code: number, more: { client?: string | undefined; error?: string; route?: string } = {}) =>
  history.onResponse({
    method: "POST",
    route: "/v1/chat/completions",
    status: code,
    durationMs: 1,
    client: "alice",
    error: undefined,
    ...more,
  });
const failure: AuthEvent = {
  type: "failure-report",
  operation: "chat",
  source: "sdk",
  verdict: "auth_refreshable",
  rule: "r",
  reason: "text",
  generation: 1,
  isCurrent: true,
};
const change = (to: "authenticated" | "checking"): AuthEvent => ({
  type: "state-change",
  from: "unknown",
  to,
  generation: 1,
  action: null,
});
const finish = (costUsd = 0.5) => ({
  type: "finish" as const,
  reason: "stop" as const,
  stopSequence: undefined,
  usage: { inputTokens: 1, cacheReadTokens: 10, cacheCreationTokens: 100, outputTokens: 1_000, reasoningTokens: 0 },
  costUsd,
});

describe("the minutes", () => {
  it("count the clients' requests by how they ended, a stream that broke off among the failed", () => {
    answer(200);
    answer(200, { error: "client_closed_request" });
    answer(200, { error: "upstream_error" });
    answer(429, { error: "rate_limit_exceeded" });
    answer(503, { error: "shutting_down" });
    answer(200, { route: "/health" });
    answer(401, { client: undefined });
    nowMs += minute;
    answer(200);
    expect(history.snapshot().minutes).toMatchObject({
      atMs: [day, day + minute],
      answered: [2, 1],
      refused: [1, 0],
      failed: [2, 0],
    });
  });

  it("keep the peak of what was seen", async () => {
    await history.look();
    load = { running: 7, queued: 0, processes: 1 };
    await history.look();
    expect(history.snapshot().minutes).toMatchObject({
      running: [7],
      queued: [2],
      processes: [3],
      parked: [0],
      serverBytes: [4],
      claudeBytes: [5],
    });
    expect(history.snapshot().sample).toMatchObject({ running: 7, queued: 0 });
  });

  it("look by themselves every ten seconds", async () => {
    await vi.advanceTimersByTimeAsync(1);
    load.running = 9;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(history.snapshot().minutes.running).toEqual([9]);
  });

  it("tell the median and the 95th percentile of the first tokens, now and later", () => {
    for (let ms = 1; ms <= 100; ms += 1) history.onFirstToken("chat", ms);
    expect(history.snapshot().minutes).toMatchObject({ firstTokenP50Ms: [51], firstTokenP95Ms: [96] });
    nowMs += minute;
    answer(200);
    expect(history.snapshot().minutes).toMatchObject({ firstTokenP50Ms: [51, null], firstTokenP95Ms: [96, null] });
  });

  it("are 1,440 at most, with whatever gaps, and a clock set back ends none", () => {
    for (let count = 0; count < 3_000; count += 1) {
      answer(200);
      nowMs += minute;
    }
    expect(history.snapshot().minutes.atMs).toHaveLength(1_440);
    nowMs -= 30 * minute;
    answer(200);
    const { atMs } = history.snapshot().minutes;
    expect(atMs).toEqual(atMs.toSorted((a, b) => a - b));
    nowMs += 10 * day;
    answer(200);
    expect(history.snapshot().minutes.atMs).toHaveLength(1);
    nowMs -= 5 * day;
    answer(200);
    expect(history.snapshot().minutes.answered).toEqual([1]);
  });
});

describe("tokens and cost", () => {
  it("add up by hour, key and model", () => {
    history.onFinish("alice", "sonnet", finish());
    history.onFinish("alice", "sonnet", finish());
    history.onFinish("bob", "opus", finish(2));
    nowMs += 60 * minute;
    history.onFinish("alice", "sonnet", finish());
    expect(history.snapshot().usage).toEqual([
      { atMs: day, client: "alice", model: "sonnet", turns: 2, inputTokens: 222, outputTokens: 2_000, costUsd: 1 },
      { atMs: day, client: "bob", model: "opus", turns: 1, inputTokens: 111, outputTokens: 1_000, costUsd: 2 },
      {
        atMs: day + 60 * minute,
        client: "alice",
        model: "sonnet",
        turns: 1,
        inputTokens: 111,
        outputTokens: 1_000,
        costUsd: 0.5,
      },
    ]);
    expect(history.snapshot().minutes.costUsd).toEqual([3, 0.5]);
  });

  it("have a hundred rows of their own in an hour and one for the rest, for a day", () => {
    for (let hour = 0; hour < 50; hour += 1) {
      for (let name = 0; name < 150; name += 1) history.onFinish(`key-${name}`, "sonnet", finish());
      nowMs += 60 * minute;
    }
    const { usage } = history.snapshot();
    expect(usage).toHaveLength(25 * 101);
    expect(usage.at(-1)).toMatchObject({ client: "(others)", turns: 50 });
  });
});

describe("the story", () => {
  it("is the log's, with failed requests of clients, newest 2,000", () => {
    history.onAuthEvent(failure);
    answer(503, { error: "upstream_auth_unavailable" });
    answer(200);
    expect(history.entriesSince(0)).toEqual([
      {
        id: 1,
        atMs: day,
        level: "warn",
        type: "failure-report",
        text: "Authentication failure in chat (source: sdk, verdict: auth_refreshable, rule: r)",
      },
      {
        id: 2,
        atMs: day,
        level: "warn",
        type: "request",
        text: "POST /v1/chat/completions: 503 upstream_auth_unavailable (alice)",
      },
    ]);
    for (let count = 0; count < 5_000; count += 1) history.onAuthEvent(failure);
    expect(history.entriesSince(0)).toHaveLength(2_000);
    expect(history.entriesSince(5_000)).toHaveLength(2);
  });

  it("keeps changes of state and refreshes for a day, 500 of each, whatever else happens", () => {
    history.onAuthEvent(change("checking"));
    const ended = {
      type: "refresh-end",
      trigger: "request",
      outcome: "success",
      durationMs: 12.3,
      refreshCount: 1,
      consecutiveFailures: 0,
      message: "m",
    } as const;
    history.onAuthEvent(ended);
    for (let count = 0; count < 3_000; count += 1) history.onAuthEvent(failure);
    expect(history.snapshot()).toMatchObject({
      states: [{ atMs: day, from: "unknown", to: "checking" }],
      refreshes: [{ atMs: day, trigger: "request", outcome: "success", durationMs: 12 }],
      minutes: { authFailures: [3_000], refreshes: [1] },
    });
    nowMs += day + 1;
    for (let count = 0; count < 600; count += 1) history.onAuthEvent(change("authenticated"));
    expect(history.snapshot().states).toHaveLength(500);
    expect(history.snapshot().states.every(({ to }) => to === "authenticated")).toBe(true);
  });

  it("reaches every listener, whoever of them fails, and tells its end", () => {
    const heard: (Entry | "end")[] = [];
    const good = { onEntry: (entry: Entry) => void heard.push(entry), onClose: () => void heard.push("end") };
    history.subscribe({
      onEntry() {
        throw new Error("made up");
      },
      onClose: () => undefined,
    });
    const leave = history.subscribe({ ...good });
    history.subscribe(good);
    history.onAuthEvent(failure);
    leave();
    history.onAuthEvent(failure);
    history.close();
    history.subscribe(good);
    expect(heard.map((each) => (each === "end" ? each : each.id))).toEqual([1, 1, 2, "end", "end"]);
  });
});
