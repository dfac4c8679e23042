// Wires the parts to a listening HTTP server on 127.0.0.1 and hands out the handle that programs hold.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { planChange, readScript } from "./change.ts";
import type { Simulator, SimulatorOptions } from "./contract.ts";
import { createControl } from "./control.ts";
import { createCredentialBook } from "./credentials.ts";
import { createApi } from "./api.ts";
import { createPromptCache } from "./prompt-cache.ts";
import { createRecordLog } from "./record.ts";
import { createRuleBook } from "./rules.ts";

/**
 * Starts the Messages API on loopback. It is ready when the promise resolves.
 *
 * @throws TypeError for an option out of its range
 * @throws the system's error where the port can't be had
 * @example
 * ```ts
 * await using simulator = await startSimulator({ rules: [{ when: "ping", answer: [{ type: "text", text: "pong" }] }] });
 * process.env.ANTHROPIC_BASE_URL = simulator.url;
 * ```
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { port = 0, tokenDelayMs = 0, firstTokenDelayMs = 0, clock = Date.now } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new TypeError("port must be a whole number from 0 to 65535");
  }
  for (const [name, value] of Object.entries({ tokenDelayMs, firstTokenDelayMs })) {
    if (!Number.isFinite(value) || value < 0) throw new TypeError(`${name} must be 0 or more`);
  }

  const credentials = createCredentialBook(options.credentials ?? [], clock);
  const rules = createRuleBook(options.rules ?? []);
  const log = createRecordLog();
  const cache = createPromptCache(clock);
  const pace = { tokenDelayMs, firstTokenDelayMs };
  const api = createApi({ credentials, rules, log, cache, pace, clock });
  const startedAtMs = clock();
  for (const change of readScript(options.script ?? [])) {
    planChange(change, { credentials, clock, startedAtMs });
  }
  const control =
    options.allowControl === false ? null : createControl({ credentials, rules, log, clock, startedAtMs });

  const server = createServer({ keepAliveTimeout: 60_000, noDelay: true }, (request, response) => {
    const answer = (request.url?.startsWith("/_simulator/") && control) || api;
    // Both answer their own failures; what still escapes must not end the program that embeds the simulator.
    answer(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end(`The simulator failed: ${String(error)}\n`);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const bound = (server.address() as AddressInfo).port; // listening on TCP: an AddressInfo

  let closed: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closed ??= new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
    return closed;
  };
  return {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    requests: log.records,
    clearRequests: log.clear,
    setRules: rules.set,
    addRule: rules.add,
    fail: rules.fail,
    clearFaults: rules.clearFaults,
    credentials: {
      add: credentials.add,
      expire: credentials.expire,
      revoke: credentials.revoke,
      restore: credentials.restore,
      rotate: credentials.rotate,
      list: credentials.list,
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
