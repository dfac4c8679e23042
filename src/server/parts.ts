// What a server is made of behind its front doors: how turns run, who watches them, what is kept. Wires them to one another, and says in
// which order they end. Listens to nobody, and decides nothing.
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { AuthListener } from "../auth/events.ts";
import type { AuthManager } from "../auth/contract.ts";
import { type ChildPolicy, prepareChild } from "../claude/child-setup.ts";
import { createPool } from "../claude/pool.ts";
import { createProcessOwner } from "../claude/process.ts";
import { type RunSpec, startRun } from "../claude/run.ts";
import { createRuntime } from "../claude/runtime.ts";
import { type Cluster, openCluster, type OwnState } from "../cluster/open.ts";
import { stateDirOf } from "../config/state-dir.ts";
import { type Config, isLoopback } from "../config.ts";
import { downloadImage } from "../media/download.ts";
import { createFetchImages } from "../media/fetch-images.ts";
import { authLogger } from "../observe/auth-log.ts";
import { errorCode, type Logger } from "../observe/log.ts";
import { withTurnMetrics } from "../observe/turns.ts";
import { createAdmission } from "../turn/admission.ts";
import { withKeyLimit } from "../turn/key-limit.ts";
import { createLedger } from "../turn/ledger.ts";
import { createModelBlame } from "../turn/model-blame.ts";
import { createTurnRunner } from "../turn/run.ts";
import { createSessionCare, type SessionCare } from "../turn/session-care.ts";
import type { Profile, RunTurn } from "../turn/turn.ts";
import { createWorkspaces } from "../turn/workspace.ts";
import { version } from "../version.ts";
import { createClaudeAuth } from "../wiring.ts";
import { defaultMaxConcurrent } from "./capacity.ts";
import type { Part } from "./closing.ts";
import { isRunning, nameProcess } from "./instance.ts";
import { createObservers, type Observers } from "./observers.ts";
import { openState } from "./state.ts";

/** The parts that a front door speaks to. */
export interface Parts {
  readonly runTurn: RunTurn;
  readonly auth: AuthManager;
  readonly care: SessionCare;
  readonly responses: OwnState["responses"];
  readonly rates: OwnState["rates"];
  /** Runs that a request at another instance may ask for again. */
  readonly sharedRuns: Cluster["runs"] | undefined;
  readonly observers: Observers;
  /** For the log: the kind of credential that Claude will use. A stored login is the last resort, so that it may not be there. */
  credentialInUse(): Promise<string>;
  /** Deletes what earlier processes of this server have left behind. */
  sweepLedger(): Promise<unknown>;
  /** Deletes what has expired. */
  sweep(): Promise<unknown>;
  /** What has to be closed, in its order. */
  readonly closing: readonly Part[];
}

/** Opens them. @param ending ends every turn when it is aborted. */
export async function openParts(config: Config, log: Logger, ending: AbortSignal): Promise<Parts> {
  const stateDir = stateDirOf(config);
  const name = await nameProcess(process.pid);
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
  const ledger = createLedger(join(stateDir, "ledger"), name, isRunning);
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
  const runTurn: RunTurn = (turn, context) =>
    runner.runTurn(turn, { ...context, signal: AbortSignal.any([context.signal, ending]) });

  return {
    runTurn: withKeyLimit(withTurnMetrics(runTurn, observers.metrics), config.maxConcurrentPerKey),
    auth,
    care,
    responses,
    rates,
    sharedRuns: cluster?.runs,
    observers,
    credentialInUse: () =>
      prepare().then(
        ({ kind }) => kind,
        () => "unreadable",
      ),
    sweepLedger: () => ledger.sweep(),
    sweep: () => Promise.all([care.sweep(), responses.sweep()]),
    closing: [
      { name: "observers", close: observers.close },
      { name: "auth", close: () => auth.close() },
      { name: "runs", close: () => runner.settled() },
      { name: "runner", close: () => runner.close() },
      { name: "pool", close: () => pool.close() },
      { name: "processes", close: () => owner.close() },
      { name: "cluster", close: () => cluster?.close() },
    ],
  };
}

/** Anthropic's terms don't let a service offer a claude.ai login to others: see docs/security.md. */
function mayUseStoredLogin({ host, allowStoredLogin }: Config): boolean {
  return allowStoredLogin || isLoopback(host);
}
