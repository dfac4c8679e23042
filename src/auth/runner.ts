// Holds the lease of a refresh while it runs: takes it, keeps it alive, publishes the end, and gives it up when it is lost.
// One at a time in this process; the lease sees to it in all others.
import { randomUUID } from "node:crypto";
import type { RefreshResult, RefreshTrigger } from "./contract.ts";
import { deadline } from "./deadline.ts";
import type { RefreshOutcome } from "./events.ts";
import { publicState } from "./facts.ts";
import type { Random } from "./ports.ts";
import { cutShort, type RefreshEnding, type RefreshPorts, runChain } from "./refresh.ts";

/** What holding a lease needs beside what a refresh does. */
export interface RunnerPorts extends RefreshPorts {
  readonly random: Random;
  /** The store's time. */
  readonly nowMs: () => number;
}

/** The refreshes of one manager. */
export interface Runner {
  /** The refresh that runs here: from before its lease is asked for until its end is published. */
  readonly current: Promise<RefreshResult | undefined> | undefined;
  /** Starts a refresh where the state grants it. Resolves to its result, or to `undefined` where it was not granted. Never rejects. */
  start(trigger: RefreshTrigger): Promise<RefreshResult | undefined>;
  /** Gives up a refresh whose lease is no longer held. */
  checkLease(): void;
  /** Ends the one that runs and leaves the lease to others. */
  close(): Promise<void>;
}

/** Makes a runner. */
export function createRunner(ports: RunnerPorts): Runner {
  const { clock, policy, facts, commit, emit } = ports;
  const closing = new AbortController();
  let current: Promise<RefreshResult | undefined> | undefined;
  let held: { readonly id: string; readonly lost: AbortController } | undefined;

  function holds(id: string): boolean {
    const { refresher } = facts();
    return refresher.is === "running" && refresher.lease.id === id;
  }

  async function run(trigger: RefreshTrigger): Promise<RefreshResult | undefined> {
    const id = randomUUID();
    if (!(await commit({ type: "refresh-start", lease: id, trigger }))) return undefined;
    const { generation, refreshCount } = facts();
    const beganAtMs = clock.monotonicMs();
    emit({ type: "refresh-start", trigger, refreshCount, generation });
    const lost = new AbortController();
    held = { id, lost };
    const limit = deadline(clock, policy.refreshTimeoutMs, AbortSignal.any([lost.signal, closing.signal]));
    const stopHeartbeat = beat(id);
    const ending = await limit
      .race(runChain(ports, { id, trigger, generation }, limit))
      .catch(() => interrupted(limit.signal));
    limit.end();
    stopHeartbeat();
    held = undefined;
    const isOurs = await commit({ type: "refresh-end", lease: id, ...ending, chance: ports.random() });
    const result = toResult(ending, isOurs);
    const durationMs = clock.monotonicMs() - beganAtMs;
    const { failures: consecutiveFailures } = facts();
    const outcome = isOurs ? toOutcome(ending) : "abandoned";
    emit({
      type: "refresh-end",
      trigger,
      outcome,
      durationMs,
      refreshCount,
      consecutiveFailures,
      message: result.message,
    });
    tellCooldown();
    return result;
  }

  function beat(id: string): () => void {
    let isOver = false;
    let cancel: () => void;
    const schedule = () => {
      cancel = clock.setTimer(
        () => void commit({ type: "lease-renew", lease: id }).then(() => isOver || schedule()),
        policy.heartbeatMs,
      );
    };
    schedule();
    return () => {
      isOver = true;
      cancel();
    };
  }

  function interrupted(signal: AbortSignal): RefreshEnding {
    return cutShort(!closing.signal.aborted && signal.aborted && held?.lost.signal.aborted === false);
  }

  function toResult({ outcome, reason }: RefreshEnding, isOurs: boolean): RefreshResult {
    const success = facts().credential.is === "valid" && (outcome === "proved" || !isOurs);
    return { success, message: reason, shouldRetry: !success && publicState(facts()) !== "needs_login" };
  }

  function tellCooldown(): void {
    const { refresher, failures } = facts();
    if (refresher.is !== "cooling_down") return;
    const delayMs = refresher.untilMs - ports.nowMs();
    emit({ type: "cooldown-start", untilMs: refresher.untilMs, delayMs, consecutiveFailures: failures });
  }

  return {
    get current() {
      return current;
    },
    start(trigger) {
      const started = (current ?? Promise.resolve(undefined)).then(() =>
        closing.signal.aborted ? undefined : run(trigger),
      );
      const mine = started.finally(() => {
        if (current === mine) current = undefined;
      });
      current = mine;
      return mine;
    },
    checkLease() {
      if (held !== undefined && !holds(held.id)) held.lost.abort();
    },
    async close() {
      closing.abort();
      await current;
    },
  };
}

function toOutcome({ outcome, isTimeout }: RefreshEnding): RefreshOutcome {
  if (isTimeout) return "timed-out";
  return outcome === "proved" ? "success" : outcome;
}
