// Joins the auth core to Claude: the credential that its processes use, the query that proves it, the ways to renew it.
import type { AuthListener } from "./auth/events.ts";
import { type AuthManagerOptions, createAuthManager } from "./auth/manager.ts";
import { systemClock } from "./auth/ports.ts";
import { commandStrategy } from "./auth/strategies/command.ts";
import { reloadStrategy } from "./auth/strategies/reload.ts";
import { rereadStrategy } from "./auth/strategies/reread.ts";
import type { Strategy } from "./auth/strategies/strategy.ts";
import { testQueryStrategy } from "./auth/strategies/test-query.ts";
import type { AuthManager } from "./auth/contract.ts";
import { createProof, type ProofPorts } from "./claude/proof.ts";
import type { Runtime } from "./claude/runtime.ts";
import { createWatchedCredential } from "./claude/watched-credential.ts";
import type { AuthStore } from "./auth/store/port.ts";
import type { Config } from "./config.ts";

/** What the auth core is joined to. */
export interface AuthParts extends Omit<ProofPorts, "model"> {
  readonly runtime: Runtime;
  readonly onEvent: AuthListener;
  /** Where several instances share what is known; its time is milliseconds since the epoch. */
  readonly store?: AuthStore | undefined;
}

/** Which credential it is, and what is done to keep it working. */
export interface ClaudeAuthSettings {
  /** The environment in which `*_FILE` variables are looked up and the refresh command runs. */
  readonly environment: Config["environment"];
  /** Program and arguments of a command that renews the credential. */
  readonly refreshCommand: readonly string[] | undefined;
  /** Model of the test query. */
  readonly testModel: string;
  readonly policy: AuthManagerOptions["policy"];
  /** What instances that share a store have in common. */
  readonly clusterSecret?: string | undefined;
}

/** The manager of the credential that this server's Claude processes use. */
export function createClaudeAuth(config: Config, parts: AuthParts): AuthManager {
  const { environment, authRefreshCommand: refreshCommand, authTestModel: testModel, clusterSecret } = config;
  return joinClaudeAuth({ environment, refreshCommand, testModel, policy: policy(config), clusterSecret }, parts);
}

/** The manager of a credential that Claude processes use. */
export function joinClaudeAuth(
  settings: ClaudeAuthSettings,
  { runtime, onEvent, store, ...proof }: AuthParts,
): AuthManager {
  const credential = createWatchedCredential({
    prepareChild: proof.prepareChild,
    environment: settings.environment,
    hasRefreshCommand: settings.refreshCommand !== undefined,
    sharedSecret: store === undefined ? undefined : settings.clusterSecret,
  });
  return createAuthManager({
    credential,
    prove: createProof({ ...proof, model: settings.testModel }),
    strategies: strategies(settings, runtime),
    policy: settings.policy,
    // With a store for all there is one clock for all, whatever this host's says.
    ...(store === undefined ? {} : { store, clock: { ...systemClock, wallMs: () => store.nowMs() } }),
    onEvent(event) {
      // Told before the look that follows: what that finds is then known to have come back.
      if (event.type === "failure-report" && event.isCurrent && saysMissing(event)) credential.noteAbsence();
      onEvent(event);
    },
  });
}

/** Rules that say that there was no credential at all. */
const missingRules: ReadonlySet<string> = new Set([
  "helper-failing",
  "credential-missing",
  "credential-words",
  "not-logged-in",
]);

function saysMissing({ rule }: { readonly rule: string }): boolean {
  return missingRules.has(rule);
}

/** In the order in which they are tried: what costs least first. */
function strategies({ refreshCommand, environment }: ClaudeAuthSettings, runtime: Runtime): Strategy[] {
  const [program, ...args] = refreshCommand ?? [];
  return [
    rereadStrategy(),
    ...(program === undefined
      ? []
      : [commandStrategy({ command: [program, ...args], environment: withoutOwn(environment) })]),
    testQueryStrategy(),
    reloadStrategy(() => runtime.reload()),
  ];
}

function policy(config: Config): AuthManagerOptions["policy"] {
  return {
    cooldownMs: config.authCooldownMs,
    maxFailures: config.authMaxFailures,
    refreshTimeoutMs: config.authTimeoutMs,
    stepTimeoutMs: config.authStepTimeoutMs,
    testQueryTimeoutMs: config.authTestTimeoutMs,
    testQueriesPerHour: config.authMaxTestQueriesPerHour,
    parkMs: config.authParkMs,
    maxWaiting: config.maxQueue,
  };
}

/** The command is the operator's own program, but this server's keys are none of its business. */
function withoutOwn(environment: Config["environment"]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !entry[0].startsWith("CCAPI_"),
    ),
  );
}
