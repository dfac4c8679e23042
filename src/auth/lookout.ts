// Wakes when something is due: a look at the credential, a refresh. Everything is reckoned anew at each waking, so that a timer
// that was missed or came late costs nothing.
import type { Facts } from "./facts.ts";
import type { Policy } from "./policy.ts";
import type { Clock, CredentialPort } from "./ports.ts";
import type { Runner } from "./runner.ts";
import { nextDue } from "./schedule.ts";
import type { AuthStore } from "./store/port.ts";
import type { Watch } from "./watch.ts";

/** The longest sleep: the wall clock may be set meanwhile. */
const longestSleepMs = 60_000;
/** How long a refresh is left to instances whose requests it concerns. */
const deferMs = 500;
/** After a refresh that was due was not granted. */
const refusedPauseMs = 1_000;

/** What it needs. */
export interface LookoutPorts {
  readonly credential: CredentialPort;
  readonly clock: Clock;
  readonly policy: Policy;
  readonly store: Pick<AuthStore, "nowMs" | "coordination">;
  readonly facts: () => Facts;
  readonly watch: Watch;
  readonly runner: Runner;
  readonly waiting: () => number;
  /** When a request of this instance last saw a sign, in the store's time. */
  readonly lastSignAtMs: () => number;
}

/** The lookout. */
export interface Lookout {
  /** Looks for the first time, and begins to watch. */
  begin(): void;
  /** Does what is due, and sets the next waking. */
  wake(): void;
  close(): void;
}

/** Makes it. */
export function createLookout(ports: LookoutPorts): Lookout {
  const { credential, clock, policy, store, facts, watch, runner, waiting } = ports;
  let cancelTimer: (() => void) | undefined;
  let stopWatching: (() => void) | undefined;
  let notBeforeMs = 0;
  let isClosed = false;

  /** How often to look now; `undefined`: not at all. */
  function lookIntervalMs(): number | undefined {
    const {
      reading,
      credential: { is },
    } = facts();
    if (reading === null) return policy.pollMs;
    if (reading.watchMode === "cheap") return policy.pollMs;
    if (reading.watchMode === "fixed") return undefined;
    if (is !== "expired" && is !== "refused") return undefined;
    return waiting() > 0 ? policy.waitingPollMs : policy.pollMs;
  }

  async function start(trigger: Parameters<Runner["start"]>[0]): Promise<void> {
    const result = await runner.start(trigger);
    if (result === undefined) notBeforeMs = store.nowMs() + refusedPauseMs;
    wake();
  }

  /** How long to leave it to others: where requests wait, one of them can be the proof. */
  function deferredMs(nowMs: number, dueAtMs = nowMs): number {
    if (store.coordination === "local" || waiting() > 0 || nowMs - ports.lastSignAtMs() < 5_000) return 0;
    return Math.max(dueAtMs, facts().sinceMs) + deferMs - nowMs;
  }

  function startWhatIsDue(): number | undefined {
    const nowMs = store.nowMs();
    const due = nextDue(facts(), { nowMs, wallMs: clock.wallMs() }, policy);
    if (runner.current !== undefined) return undefined; // Its end wakes.
    if (due.trigger !== undefined && nowMs >= notBeforeMs) {
      const restMs = deferredMs(nowMs, due.atMs);
      if (restMs > 0) return restMs;
      void start(due.trigger);
      return undefined;
    }
    return due.atMs === undefined ? undefined : Math.max(due.atMs, notBeforeMs) - nowMs;
  }

  function lookWhereDue(): number | undefined {
    const intervalMs = lookIntervalMs();
    if (intervalMs === undefined) return undefined;
    const leftMs = (watch.lookedAtMs ?? clock.monotonicMs()) + intervalMs - clock.monotonicMs();
    if (leftMs > 0) return leftMs;
    void watch.look().then(wake);
    return intervalMs;
  }

  function wake(): void {
    if (isClosed) return;
    cancelTimer?.();
    const sleepsMs = [startWhatIsDue(), lookWhereDue(), longestSleepMs].filter((sleepMs) => sleepMs !== undefined);
    cancelTimer = clock.setTimer(wake, Math.max(1, Math.min(...sleepsMs)));
  }

  return {
    begin() {
      stopWatching = credential.watch?.(() => {
        const {
          reading,
          credential: { is },
        } = facts();
        // Looking at it runs a program: not for a credential that works.
        if (reading?.watchMode === "costly" && is !== "expired" && is !== "refused") return;
        void watch.look();
      });
      void watch.look().then(wake);
      wake();
    },
    wake,
    close() {
      isClosed = true;
      cancelTimer?.();
      stopWatching?.();
    },
  };
}
