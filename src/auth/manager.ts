// Keeps one credential working: the parts of this room joined. It runs what the state asks for, and tells what happened.
// No HTTP, no SDK, nothing global: a process may have any number of managers, and none knows of another.
import { Admission, type AdmissionPorts, toSign } from "./admission.ts";
import { classify as standardClassify } from "./classify.ts";
import type { AuthAdmission, AuthManager, RefreshResult } from "./contract.ts";
import { CcapiError } from "./errors.ts";
import type { AuthEvent, AuthListener } from "./events.ts";
import { type Facts, mayWait, passes, publicState } from "./facts.ts";
import { createGate } from "./gate.ts";
import { createLookout } from "./lookout.ts";
import { tellChange } from "./narrator.ts";
import { carryOver } from "./operation.ts";
import { newPassage, type Passage } from "./passage.ts";
import { type Policy, resolvePolicy } from "./policy.ts";
import { type Clock, type CredentialPort, type Prove, type Random, systemClock } from "./ports.ts";
import { createReplica } from "./replica.ts";
import { createRunner } from "./runner.ts";
import type { Classification, Signal } from "./signal.ts";
import { toFailure, toStatus } from "./status.ts";
import { createMemoryStore } from "./store/memory.ts";
import type { AuthStore } from "./store/port.ts";
import type { Strategy } from "./strategies/strategy.ts";
import { joinRefresh } from "./manual.ts";
import { untilAborted } from "./until-aborted.ts";
import { createWatch } from "./watch.ts";

/** What a manager is made of. */
export interface AuthManagerOptions {
  /** How to look at the credential. */
  readonly credential: CredentialPort;
  /** How to ask one question with it. */
  readonly prove: Prove;
  /** Ways to renew it, in the order in which they are tried. */
  readonly strategies: readonly Strategy[];
  /** Numbers that differ from their defaults. */
  readonly policy?: Partial<Policy> | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
  /** Where the state is kept. Default: in this process's memory. */
  readonly store?: AuthStore | undefined;
  readonly classify?: ((signal: Signal) => Classification) | undefined;
  /** Told of everything that happens, for logs and metrics. */
  readonly onEvent?: AuthListener | undefined;
}

/**
 * Makes the manager of one credential. It begins to watch the credential at once, and keeps no process alive.
 *
 * @throws TypeError naming the option that can't be used.
 */
export function createAuthManager(options: AuthManagerOptions): AuthManager {
  assertOptions(options);
  const { credential, clock = systemClock, random = Math.random, classify = standardClassify } = options;
  const policy = resolvePolicy(options.policy);
  const store = options.store ?? createMemoryStore({ clock });
  const inDoubt = new Set<Admission>();
  let nextChange = Promise.withResolvers<void>();
  let closing: Promise<void> | undefined;
  let lastProof: { source: string; atMs: number } | undefined;
  let lastSignAtMs = Number.NEGATIVE_INFINITY;
  let isClosed = false;

  const replica = createReplica(store, policy, onChange);
  const watch = createWatch({ credential, clock, random, policy, tell: (event) => void replica.send(event) });
  const facts = () => replica.facts;
  const times = () => ({ nowMs: store.nowMs(), wallMs: clock.wallMs() });
  const isOpen = () => passes(publicState(replica.facts));
  const failure = () => (isClosed ? shuttingDown() : toFailure(replica.facts, times()));

  const ports: AdmissionPorts = {
    facts,
    nowMs: () => store.nowMs(),
    classify,
    emit,
    inDoubt,
    failure,
    recover,
    noteProof(source) {
      lastProof = { source, atMs: store.nowMs() };
    },
    sendSuccess(generation, source, beganAtMs) {
      replica.send({ type: "success", generation, source, beganAtMs });
    },
    sendSign(report) {
      const before = replica.facts;
      lastSignAtMs = store.nowMs();
      const effects = replica.send(toSign(report, random()));
      if (effects.includes("look")) void watch.look();
      const { operation, generation } = report;
      if (isExpired(replica.facts) && !isExpired(before)) emit({ type: "error-detected", operation, generation });
    },
  };
  const grant = (passage: Passage, ticket?: ConstructorParameters<typeof Admission>[2]) =>
    new Admission(ports, passage, ticket);
  const generation = () => replica.facts.generation;
  const gate = createGate({ clock, policy, emit, generation, isOpen, grant, failure });
  const look = () => watch.look();
  const { prove, strategies } = options;
  const { commit } = replica;
  const onNextChange = () => nextChange.promise;
  const chain = { clock, policy, strategies, prove, gate, emit, facts, commit, look, nextChange: onNextChange };
  const runner = createRunner({ ...chain, random, nowMs: () => store.nowMs() });
  const lookout = createLookout({
    credential,
    clock,
    policy,
    store,
    facts,
    watch,
    runner,
    waiting: () => gate.waiting,
    lastSignAtMs: () => lastSignAtMs,
  });

  function emit(event: AuthEvent): void {
    try {
      options.onEvent?.(event);
    } catch {
      // A listener's fault is the listener's: nothing here may depend on it.
    }
  }

  function onChange(before: Facts, after: Facts): void {
    if (isClosed) return;
    tellChange(before, after, { policy, nowMs: store.nowMs(), emit });
    runner.checkLease();
    if (isOpen()) gate.release();
    else if (!mayWait(publicState(after), after)) gate.failAll(failure);
    for (const admission of inDoubt) admission.revisit();
    nextChange.resolve();
    nextChange = Promise.withResolvers();
    lookout.wake();
  }

  async function enter(
    passage: Passage,
    isRecovering: boolean,
    signal: AbortSignal | undefined,
  ): Promise<AuthAdmission> {
    signal?.throwIfAborted();
    if (isClosed) throw shuttingDown();
    if (isOpen()) return gate.enter(passage, isRecovering);
    if (!mayWait(publicState(replica.facts), replica.facts)) throw failure();
    const admission = gate.wait(passage, { isRecovering, signal });
    lookout.wake();
    return admission;
  }

  async function recover(passage: Passage, signal: AbortSignal | undefined): Promise<AuthAdmission> {
    // The look that a first sign set off may be about to find the credential renewed.
    if (publicState(replica.facts) === "checking") await untilAborted(watch.settled(), signal);
    return enter(passage, true, signal);
  }

  async function close(): Promise<void> {
    isClosed = true;
    lookout.close();
    watch.close();
    gate.failAll(shuttingDown);
    nextChange.promise.catch(() => undefined); // Mostly nobody waits for it.
    nextChange.reject(shuttingDown());
    await runner.close();
    await replica.close();
    // A store that was given is another's to close.
    if (options.store === undefined) await store.close();
  }

  const manager: AuthManager = {
    tryAdmit: (operation) => (!isClosed && isOpen() ? grant(newPassage(operation)) : undefined),
    admit: ({ operation, signal }) => enter(newPassage(operation), false, signal),
    handleAuthError: (operation, context) => carryOver(manager, operation, context),
    isAuthenticationError: (error) => classify({ source: "exception", error }).verdict !== "not_auth",
    async refresh({ signal } = {}): Promise<RefreshResult> {
      signal?.throwIfAborted();
      if (isClosed) throw shuttingDown();
      const manual = { store, replica, runner, policy, nextChange: onNextChange };
      return untilAborted(joinRefresh(manual), signal);
    },
    status: () =>
      toStatus(replica.facts, {
        times: times(),
        policy,
        lastProof,
        coordination: store.coordination,
        waiting: gate.waiting,
      }),
    close: () => (closing ??= close()),
    [Symbol.asyncDispose]: () => manager.close(),
  };
  lookout.begin();
  return manager;
}

function isExpired({ credential }: Facts): boolean {
  return credential.is === "expired";
}

function shuttingDown(): CcapiError {
  return new CcapiError("shutting_down", "The server is shutting down.", { retryAfterMs: 5_000 });
}

function assertOptions(options: AuthManagerOptions): void {
  if (typeof options.credential?.read !== "function") throw new TypeError("credential must have a read function");
  if (typeof options.prove !== "function") throw new TypeError("prove must be a function");
  if (!Array.isArray(options.strategies)) throw new TypeError("strategies must be an array");
  const names = new Set<string>();
  for (const { name, run } of options.strategies) {
    if (!/^[a-z0-9-]{1,40}$/.test(name))
      throw new TypeError("a strategy's name must be of a-z, 0-9 and -, at most 40 long");
    if (names.has(name)) throw new TypeError(`two strategies are named ${name}`);
    if (typeof run !== "function") throw new TypeError(`strategy ${name} must have a run function`);
    names.add(name);
  }
}
