// The composition root: configuration → parts → a server that listens → its orderly end. Decides nothing else.
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { CcapiError } from "./auth/errors.ts";
import type { AuthListener } from "./auth/events.ts";
import { type ChildPolicy, type ChildSetup, prepareChild } from "./claude/child-setup.ts";
import { createProcessOwner } from "./claude/process.ts";
import { type RunSpec, startRun } from "./claude/run.ts";
import { createRuntime } from "./claude/runtime.ts";
import { createPool } from "./claude/pool.ts";
import { openCluster } from "./cluster/open.ts";
import { type Config, isLoopback } from "./config.ts";
import { createApp } from "./http/app.ts";
import type { StreamTiming } from "./http/answer.ts";
import { createKeyring } from "./http/keyring.ts";
import { listen, type Listener } from "./http/listener.ts";
import { makeKey } from "./made-key.ts";
import { authLogger } from "./observe/auth-log.ts";
import { errorCode, type Logger } from "./observe/log.ts";
import { downloadImage } from "./media/download.ts";
import { createFetchImages } from "./media/fetch-images.ts";
import { withTurnMetrics } from "./observe/turns.ts";
import { createAdmission } from "./turn/admission.ts";
import { withKeyLimit } from "./turn/key-limit.ts";
import { createLedger } from "./turn/ledger.ts";
import { createModelBlame } from "./turn/model-blame.ts";
import { createTurnRunner } from "./turn/run.ts";
import { createSessionCare } from "./turn/session-care.ts";
import type { Profile, RunTurn } from "./turn/turn.ts";
import { createWorkspaces } from "./turn/workspace.ts";
import { version } from "./version.ts";
import { stateDirOf } from "./config/state-dir.ts";
import { defaultMaxConcurrent } from "./server/capacity.ts";
import { isRunning, nameProcess } from "./server/instance.ts";
import { createObservers } from "./server/observers.ts";
import { openState } from "./server/state.ts";
import { createClaudeAuth } from "./wiring.ts";

const streamTiming: StreamTiming = { hold: { workingMs: 10_000, totalMs: 50_000 }, heartbeatMs: 15_000 };
const sweepEveryMs = 10 * 60_000;

/** A server that listens. */
export interface RunningServer {
  readonly url: string;
  readonly port: number;
  /** The key that was made because the operator set none. */
  readonly madeKey: string | undefined;
  /**
   * Accepts nothing new, lets answers finish for as long as the configuration says, ends every Claude process.
   * A second call cuts what is left at once.
   */
  close(): Promise<void>;
}

/**
 * Starts a server.
 *
 * @throws ConfigError where the configuration can't be used on this machine; else what node throws where the address can't be had.
 */
export async function startServer(config: Config, log: Logger): Promise<RunningServer> {
  const stateDir = stateDirOf(config);
  const madeKey = config.apiKeys.length + config.adminKeys.length === 0 ? makeKey() : undefined;
  const keyring = createKeyring(
    config.apiKeys,
    madeKey === undefined ? config.adminKeys : [{ name: "local", key: madeKey }],
  );

  const cluster = await openCluster({ ...config, log });
  const owner = createProcessOwner();
  const runtime = createRuntime();
  const admission = createAdmission({
    maxRunning: config.maxConcurrent ?? defaultMaxConcurrent(),
    maxWaiting: config.maxQueue,
  });
  const pool = createPool(
    {
      maxIdle: config.poolMaxIdle ?? availableParallelism() * 2,
      maxIdleBytes: config.poolMaxIdleMb * 1_048_576,
      idleMs: config.poolIdleMs,
      maxSpares: config.poolMaxSpares ?? availableParallelism(),
      maxRuns: 200,
      maxStarting: availableParallelism(),
      returnMs: 150,
    },
    { isBusy: () => admission.waiting > 0 },
  );
  const ledger = createLedger(join(stateDir, "ledger"), await nameProcess(process.pid), isRunning);
  const childPolicy: ChildPolicy = {
    environment: config.environment,
    allowTelemetry: config.allowTelemetry,
    clientApp: `ccapi/${version}`,
    privateConfigDir: mayUseStoredLogin(config) ? undefined : join(stateDir, "claude-config"),
  };
  const prepare = () => prepareChild(childPolicy);
  const workspaces = createWorkspaces(stateDir);
  const openWorkspace = (clientName: string, profile: Profile) =>
    profile === "chat" ? workspaces.chat() : workspaces.agent(clientName);
  const { sessions, responses, sessionLock, rates } = openState(stateDir, cluster, {
    timeToLiveMs: config.sessionTtlMs,
    now: Date.now,
    placeOf: async (clientName, profile) => ({
      configDir: (await prepare()).configDir,
      workspace: await openWorkspace(clientName, profile),
    }),
    endSession: (id) => pool.endSession(id),
  });
  const sweep = () => Promise.all([care.sweep(), responses.sweep()]);
  const care = createSessionCare({ sessions, lock: sessionLock, ledger, pool, maxPerClient: config.maxSessionsPerKey });
  const start = (spec: RunSpec, signal: AbortSignal) => startRun(spec, { runtime, owner, pool, now: Date.now }, signal);
  const authListeners: AuthListener[] = [authLogger(log)];
  const auth = createClaudeAuth(config, {
    runtime: {
      ...runtime,
      async reload() {
        pool.retire();
        await runtime.reload();
      },
    },
    prepareChild: prepare,
    startRun: start,
    openWorkspace: workspaces.chat,
    store: cluster?.authStore,
    onEvent(event) {
      for (const tell of authListeners) tell(event);
      // What they were started with is not what the next run is to use.
      if (event.type === "credential-change") pool.renew();
    },
  });
  const observers = createObservers(config, {
    status: () => auth.status(),
    admission,
    owner,
    link: cluster?.link,
    log,
  });
  authListeners.push(...observers.authListeners);
  const runner = createTurnRunner({
    fetchImages: createFetchImages({ isAllowed: config.fetchImages, download: downloadImage }),
    pool,
    blame: createModelBlame({ status: auth.status, now: () => performance.now() }),
    auth,
    admission,
    sessions,
    sessionLock,
    ledger,
    prepareChild: prepare,
    startRun: start,
    openWorkspace: ({ profile }, { client }) => openWorkspace(client.name, profile),
    limits: { maxTurns: config.maxTurns, maxBudgetUsd: config.maxBudgetUsd },
    timeoutMs: config.requestTimeoutMs,
    skipPermissions: config.skipPermissions,
    now: Date.now,
    onTidyError: (error, { requestId }) =>
      log.error({ requestId, reason: errorCode(error) }, "Tidying up after a request failed"),
  });

  const ending = new AbortController();
  const runTurn: RunTurn = (turn, context) =>
    runner.runTurn(turn, { ...context, signal: AbortSignal.any([context.signal, ending.signal]) });
  let isServing = false;
  const app = createApp({
    runTurn: withKeyLimit(withTurnMetrics(runTurn, observers.metrics), config.maxConcurrentPerKey),
    modelAliases: config.modelAliases,
    timing: streamTiming,
    auth,
    isServing: () => isServing,
    now: Date.now,
    sessions: care,
    responses,
    rates,
    sharedRuns: cluster?.runs,
    sessionTtlMs: config.sessionTtlMs,
    log,
    keyring,
    limits: config,
    corsOrigins: config.corsOrigins,
    metrics: observers.metrics,
    history: observers.history,
    allSessions: care,
    metricsAllow: config.metricsAllow,
  });

  const listener = await sweepAndListen().catch(async (error: unknown) => {
    await auth.close();
    await cluster?.close();
    throw error;
  });
  const sweeping = setInterval(() => {
    sweep().catch((error: unknown) =>
      log.error({ reason: errorCode(error) }, "Sweeping sessions and responses failed"),
    );
  }, sweepEveryMs).unref();
  isServing = true;
  for (const warning of config.warnings) log.warn(warning);
  log.info({ url: listener.url, version, credential: await credentialInUse(prepare) }, "Listening");

  async function sweepAndListen(): Promise<Listener> {
    await ledger.sweep();
    await sweep();
    return listen(app.fetch, config);
  }

  let closing: Promise<void> | undefined;
  async function closeInOrder(): Promise<void> {
    log.info({ timeoutMs: config.shutdownTimeoutMs }, "Shutting down");
    isServing = false;
    clearInterval(sweeping);
    const cut = () =>
      ending.abort(new CcapiError("shutting_down", "The server is shutting down.", { retryAfterMs: 5_000 }));
    const timer = setTimeout(cut, config.shutdownTimeoutMs);
    ending.signal.addEventListener("abort", () => setTimeout(listener.destroy, 500).unref(), { once: true });
    // Who watches the dashboard is no request that an end waits for.
    observers.history.close();
    await listener.drain();
    clearTimeout(timer);
    cut();
    observers.close();
    await auth.close();
    await runner.settled();
    await runner.close();
    await pool.close();
    await owner.close();
    await cluster?.close();
    log.info("Shut down");
  }

  return {
    url: listener.url,
    port: listener.port,
    madeKey,
    close() {
      if (closing !== undefined) ending.abort(new CcapiError("shutting_down", "The server was told to stop at once."));
      return (closing ??= closeInOrder());
    },
  };
}

/** For the log: the kind of credential that Claude will use. A stored login is the last resort, so that it may not be there. */
async function credentialInUse(prepare: () => Promise<ChildSetup>): Promise<string> {
  return prepare().then(
    ({ kind }) => kind,
    () => "unreadable",
  );
}

/** Anthropic's terms don't let a service offer a claude.ai login to others: see docs/security.md. */
function mayUseStoredLogin({ host, allowStoredLogin }: Config): boolean {
  return allowStoredLogin || isLoopback(host);
}
