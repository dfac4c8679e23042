// The HTTP app without a port and without processes: turns are scripted, time is the caller's.
import type { AuthStatus } from "../../src/auth/contract.ts";
import { CcapiError } from "../../src/auth/errors.ts";
import { type AppPorts, createApp } from "../../src/http/app.ts";
import { createRateCounter } from "../../src/http/rate-counter.ts";
import { createKeyring } from "../../src/http/keyring.ts";
import { createHistory } from "../../src/observe/history.ts";
import { createMetrics } from "../../src/observe/metrics.ts";
import { createLogger, type Logger } from "../../src/observe/log.ts";
import type { ResponseStore, StoredResponse } from "../../src/turn/responses.ts";
import type { RunTurn, Turn, TurnEvent } from "../../src/turn/turn.ts";
import { watched } from "./watched-answers.ts";

export const clientKey = "client-key";
export const adminKey = "admin-key";

export const status: AuthStatus = {
  isAuthenticated: true,
  lastRefreshAtMs: Date.parse("2026-01-02T03:04:05.678Z"),
  refreshCount: 2,
  consecutiveFailures: 0,
  state: "authenticated",
  sinceMs: Date.parse("2026-01-02T03:04:06Z"),
  evidence: { source: "answer", atMs: Date.parse("2026-01-02T03:04:06Z"), ageMs: 1_500.4 },
  credential: { kind: "api_key", expiresAtMs: null, generation: 3, renewable: true },
  nextAttemptAtMs: null,
  action: null,
  coordination: "local",
  waiting: 0,
};

const gauges = { running: () => 1, queued: () => 0, queueLimit: () => 256, processes: () => 2 };

export interface TestApp {
  /** The app itself, where a request comes with a connection. */
  readonly app: { request(path: string | Request, init: RequestInit, bindings: object): Response | Promise<Response> };
  readonly request: (path: string, init?: RequestInit) => Promise<Response>;
  readonly post: (body: unknown, init?: RequestInit) => Promise<Response>;
  /** Turns that were asked for. */
  readonly turns: Turn[];
  readonly logLines: () => string[];
}

/** What a turn yields for the text "Hello." */
export const hello: readonly TurnEvent[] = [
  { type: "phase", phase: "starting" },
  { type: "phase", phase: "working" },
  { type: "block-start", kind: "text" },
  { type: "delta", kind: "text", text: "Hel" },
  { type: "delta", kind: "text", text: "lo." },
  { type: "block-stop", kind: "text" },
  {
    type: "finish",
    reason: "stop",
    stopSequence: undefined,
    usage: { inputTokens: 5, cacheReadTokens: 2, cacheCreationTokens: 1, outputTokens: 3, reasoningTokens: 0 },
    costUsd: 0.01,
  },
];

export function scripted(events: readonly TurnEvent[], failure?: CcapiError): RunTurn {
  return async function* run() {
    yield* events;
    if (failure !== undefined) throw failure;
  };
}

export function makeApp(overrides: Partial<AppPorts> = {}): TestApp {
  const turns: Turn[] = [];
  const lines: string[] = [];
  const log: Logger = createLogger({
    level: "debug",
    format: "json",
    destination: { write: (line: string) => void lines.push(line) },
  });
  const runTurn = overrides.runTurn ?? scripted(hello);
  const app = createApp({
    modelAliases: new Map([["gpt-4o", "sonnet"]]),
    timing: { hold: { workingMs: 10_000, totalMs: 50_000 }, heartbeatMs: 15_000 },
    auth: {
      status: () => status,
      refresh: async () => ({ success: true, message: "Refreshed.", shouldRetry: true }),
    },
    isServing: () => true,
    now: () => Date.parse("2026-01-02T03:04:07.999Z"),
    sessions: { list: async () => [], get: () => Promise.reject(notFound()), delete: () => Promise.reject(notFound()) },
    allSessions: { overview: async () => [], delete: () => Promise.reject(notFound()) },
    sessionTtlMs: 60_000,
    responses: memoryResponses(),
    keyring: createKeyring([{ name: "client", key: clientKey }], [{ name: "admin", key: adminKey }]),
    rates: createRateCounter(),
    limits: { maxBodyBytes: 10_000, requestsPerMinutePerKey: undefined },
    corsOrigins: [],
    metricsAllow: [],
    metrics: createMetrics(gauges),
    history: createHistory({
      gauges,
      status: () => status,
      memory: async () => ({ serverBytes: 1, claudeBytes: 2 }),
      now: () => Date.parse("2026-01-02T03:04:07.999Z"),
    }),
    ...overrides,
    log,
    runTurn: (turn, context) => {
      turns.push(turn);
      return runTurn(turn, context);
    },
  });
  const request = async (path: string, init: RequestInit = {}) => {
    const headers = { authorization: `Bearer ${clientKey}`, ...(init.headers as Record<string, string>) };
    return watched(init.method ?? "GET", pathOf(path), await app.request(path, { ...init, headers }));
  };
  return {
    app,
    request,
    post: (body, init = {}) =>
      request("/v1/chat/completions", {
        ...init,
        method: "POST",
        body: typeof body === "string" ? body : JSON.stringify(body),
        headers: { "content-type": "application/json", ...(init.headers as Record<string, string>) },
      }),
    turns,
    logLines: () => lines,
  };
}

function pathOf(path: string): string {
  return URL.parse(path, "http://localhost")?.pathname ?? path;
}

function notFound(): CcapiError {
  return new CcapiError("session_not_found", "There is no session of this id, or it has expired.");
}

/** Stored responses without files. */
function memoryResponses(): ResponseStore {
  const records = new Map<string, StoredResponse>();
  const key = (clientName: string, id: string) => JSON.stringify([clientName, id]);
  return {
    get: async (clientName, id) => records.get(key(clientName, id)),
    put: async (record) => void records.set(key(record.clientName, record.id), record),
    touch: async () => undefined,
    delete: async (clientName, id) => records.delete(key(clientName, id)),
    sweep: async () => 0,
  };
}
