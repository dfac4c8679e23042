// A server and a simulator for benches, in this process: what the log says and what is read from disk is seen with its time.
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { loadConfig, programPath } from "../src/config.ts";
import type { Logger } from "../src/observe/log.ts";
import { startServer } from "../src/server.ts";
import { type Simulator, startSimulator } from "../src/simulator/index.ts";
import { type Asked, createAsk, createRequest } from "./client.ts";

/** What a bench does with its server. */
export interface RunningBench {
  readonly simulator: Simulator;
  readonly url: string;
  /** Opens it, for clients elsewhere. */
  readonly key: string;
  ask(text: string, model: string): Promise<Asked>;
  refresh(): Promise<void>;
  health(): Promise<{ refreshCount: number }>;
  /** Times of the log's events of a kind, by `performance.now()`. */
  logged(event: string): number[];
  /** Times at which the credential's file was read. */
  readonly reads: readonly number[];
  /** Calls for an answer so far, and those of them that the simulator turned down. */
  calls(): number;
  rejected(): number;
  lastBodyBytes(): number;
  /** @throws Error where it is not so within half a minute. */
  until(what: string, isSo: () => boolean): Promise<void>;
  stop(): Promise<void>;
}

const key = "bench-key";
const untilLimitMs = 30_000;

/** Starts both. `file` is the credential's. */
export async function startBench(options: {
  readonly home: string;
  readonly file: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly credentials: readonly string[];
}): Promise<RunningBench> {
  const simulator = await startSimulator({ credentials: options.credentials.map((value) => ({ value })) });
  const events: { event: unknown; at: number }[] = [];
  const note = (fields: unknown) => {
    if (typeof fields === "object" && fields !== null && "event" in fields) {
      events.push({ event: fields.event, at: performance.now() });
    }
  };
  const log: Logger = { debug: note, info: note, warn: note, error: note };
  const reads: number[] = [];
  const readFile = fs.readFile;
  const watched = (...given: Parameters<typeof readFile>) => {
    if (given[0] === options.file) reads.push(performance.now());
    return readFile(...given);
  };
  fs.readFile = watched as typeof readFile; // The same function, with an eye on it.
  syncBuiltinESMExports();
  const config = loadConfig({
    flags: { port: "0", "admin-keys": `bench=${key}`, "api-keys": `client=${key}-client` },
    environment: {
      PATH: programPath(),
      HOME: options.home,
      LANG: "C.UTF-8",
      IS_SANDBOX: "1",
      ANTHROPIC_BASE_URL: simulator.url,
      ...options.environment,
    },
  });
  const server = await startServer(config, log);
  const request = createRequest(server.url, key);
  const answers = () => simulator.requests.filter(({ path }) => /^\/v1\/messages(?:\?|$)/.test(path));
  return {
    simulator,
    reads,
    url: server.url,
    key,
    ask: createAsk(server.url, key),
    async refresh() {
      await (await request("/health/auth/refresh", {})).text();
    },
    async health() {
      const body = (await (await request("/health/auth")).json()) as { authentication: { refreshCount: number } };
      return body.authentication;
    },
    logged: (event) => events.filter((entry) => entry.event === event).map(({ at }) => at),
    calls: () => answers().length,
    rejected: () => answers().filter(({ outcome }) => outcome === "rejected").length,
    lastBodyBytes: () => answers().at(-1)?.bodyBytes ?? 0,
    async until(what, isSo) {
      const startedAt = performance.now();
      while (!isSo()) {
        if (performance.now() - startedAt > untilLimitMs) throw new Error(`Not within ${untilLimitMs} ms: ${what}`);
        await sleep(10);
      }
    },
    async stop() {
      await server.close();
      await simulator.close();
      fs.readFile = readFile;
      syncBuiltinESMExports();
    },
  };
}
