// The composition root: configuration → parts → a server that listens → its orderly end. Decides nothing else.
import { CcapiError } from "./auth/errors.ts";
import type { Config } from "./config.ts";
import type { StreamTiming } from "./http/answer.ts";
import { createApp } from "./http/app.ts";
import { createKeyring } from "./http/keyring.ts";
import { listen, type Listener } from "./http/listener.ts";
import { makeKey } from "./made-key.ts";
import { errorCode, type Logger } from "./observe/log.ts";
import { closeAll } from "./server/closing.ts";
import { openParts } from "./server/parts.ts";
import { version } from "./version.ts";

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
  const madeKey = config.apiKeys.length + config.adminKeys.length === 0 ? makeKey() : undefined;
  const keyring = createKeyring(
    config.apiKeys,
    madeKey === undefined ? config.adminKeys : [{ name: "local", key: madeKey }],
  );
  const ending = new AbortController();
  const parts = await openParts(config, log, ending.signal);
  const { runTurn, auth, care, responses, rates, sharedRuns, observers } = parts;
  let isServing = false;
  const app = createApp({
    runTurn,
    modelAliases: config.modelAliases,
    timing: streamTiming,
    auth,
    isServing: () => isServing,
    now: Date.now,
    sessions: care,
    responses,
    rates,
    sharedRuns,
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
    await closeAll(parts.closing, log);
    throw error;
  });
  const sweeping = setInterval(() => {
    parts
      .sweep()
      .catch((error: unknown) => log.error({ reason: errorCode(error) }, "Sweeping sessions and responses failed"));
  }, sweepEveryMs).unref();
  isServing = true;
  for (const warning of config.warnings) log.warn(warning);
  log.info({ url: listener.url, version, credential: await parts.credentialInUse() }, "Listening");

  async function sweepAndListen(): Promise<Listener> {
    await parts.sweepLedger();
    await parts.sweep();
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
    await closeAll([{ name: "listener", close: listener.drain }], log);
    clearTimeout(timer);
    cut();
    await closeAll(parts.closing, log);
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
