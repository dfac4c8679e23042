// The numbers of the auth core, each with its default and range, and the delays that are reckoned from them.
// Knows no clock and no chance: both are handed in.

/** How the auth core behaves, in numbers. Every one may be set; `Ms` is milliseconds. */
export interface Policy {
  /** How long no refresh starts after a failed one ended. 0–3 600 000; default 30 000. */
  readonly cooldownMs: number;
  /** The cooldown is lengthened by up to this part of itself. 0–1; default 0.2. */
  readonly cooldownJitter: number;
  /** Failed refreshes in a row until the lock-out. 1–100; default 3. */
  readonly maxFailures: number;
  /** A whole refresh, proof included. 1 000–3 600 000; default 300 000. */
  readonly refreshTimeoutMs: number;
  /** One strategy, or one waiting request's proof. 100–3 600 000; default 60 000. */
  readonly stepTimeoutMs: number;
  /** One test query. 100–600 000; default 30 000. */
  readonly testQueryTimeoutMs: number;
  /** Test queries in any hour, whatever asks for them. 0–3 600; default 24. */
  readonly testQueriesPerHour: number;
  /** How long one request waits for the credential in all. 0–3 600 000; default 45 000. */
  readonly parkMs: number;
  /** Requests that may wait at once. 0–100 000; default 256. */
  readonly maxWaiting: number;
  /** Waiting requests let go at once when the credential is mended. 1–100 000; default 8. */
  readonly releaseBatch: number;
  /** Time between two such batches. 0–60 000; default 50. */
  readonly releaseIntervalMs: number;
  /** Delays of the lock-out's probes; the last one repeats. Each 1 000–86 400 000; default 60, 120, 240, 300 s. */
  readonly probeDelaysMs: readonly number[];
  /** Each probe comes up to this part of its delay sooner or later. 0–0.5; default 0.1. */
  readonly probeJitter: number;
  /** How often the credential is looked at. 100–600 000; default 5 000. */
  readonly pollMs: number;
  /** How often one that is costly to look at is, while requests wait for it. 100–600 000; default 2 000. */
  readonly waitingPollMs: number;
  /** One look at the credential. 100–600 000; default 15 000. */
  readonly lookTimeoutMs: number;
  /** How long a refresh is another's to leave alone after its last sign of life. 1 000–3 600 000; default 30 000. */
  readonly leaseMs: number;
  /** How often a refresh gives a sign of life; below `leaseMs`. 100–600 000; default 10 000. */
  readonly heartbeatMs: number;
  /** The least time between the beginnings of two refreshes that people ask for. 0–3 600 000; default 10 000. */
  readonly manualIntervalMs: number;
  /** Whether a credential whose expiry is known is refreshed ahead of it. Default true. */
  readonly refreshEarly: boolean;
}

type NumberName = { [K in keyof Policy]: Policy[K] extends number ? K : never }[keyof Policy];

/** Default, least, most. */
const numbers: Readonly<Record<NumberName, readonly [number, number, number]>> = {
  cooldownMs: [30_000, 0, 3_600_000],
  cooldownJitter: [0.2, 0, 1],
  maxFailures: [3, 1, 100],
  refreshTimeoutMs: [300_000, 1_000, 3_600_000],
  stepTimeoutMs: [60_000, 100, 3_600_000],
  testQueryTimeoutMs: [30_000, 100, 600_000],
  testQueriesPerHour: [24, 0, 3_600],
  parkMs: [45_000, 0, 3_600_000],
  maxWaiting: [256, 0, 100_000],
  releaseBatch: [8, 1, 100_000],
  releaseIntervalMs: [50, 0, 60_000],
  probeJitter: [0.1, 0, 0.5],
  pollMs: [5_000, 100, 600_000],
  waitingPollMs: [2_000, 100, 600_000],
  lookTimeoutMs: [15_000, 100, 600_000],
  leaseMs: [30_000, 1_000, 3_600_000],
  heartbeatMs: [10_000, 100, 600_000],
  manualIntervalMs: [10_000, 0, 3_600_000],
};
const defaultProbeDelaysMs = [60_000, 120_000, 240_000, 300_000];

/**
 * The whole policy from its settings.
 *
 * @throws TypeError naming the number that is out of range.
 */
export function resolvePolicy(settings: Partial<Policy> = {}): Policy {
  const resolved: Record<string, number> = {};
  for (const [name, [standard, least, most]] of Object.entries(numbers)) {
    const value = settings[name as NumberName] ?? standard;
    assertWithin(name, value, least, most);
    resolved[name] = value;
  }
  const probeDelaysMs = settings.probeDelaysMs ?? defaultProbeDelaysMs;
  if (probeDelaysMs.length === 0) throw new TypeError("policy.probeDelaysMs must hold a delay");
  for (const delay of probeDelaysMs) assertWithin("probeDelaysMs", delay, 1_000, 86_400_000);
  const policy = { ...resolved, probeDelaysMs, refreshEarly: settings.refreshEarly ?? true } as unknown as Policy; // Every number is there: the table's type says so.
  if (policy.heartbeatMs >= policy.leaseMs) throw new TypeError("policy.heartbeatMs must be below policy.leaseMs");
  return Object.freeze(policy);
}

function assertWithin(name: string, value: number, least: number, most: number): void {
  if (!(value >= least && value <= most)) throw new TypeError(`policy.${name} must be from ${least} to ${most}`);
}

/** The cooldown after a failed refresh. `chance` is in [0, 1). */
export function cooldownDelay(policy: Policy, chance: number): number {
  return Math.round(policy.cooldownMs * (1 + policy.cooldownJitter * chance));
}

/** The delay before the lock-out's next probe, when `probes` have failed. */
export function probeDelay(policy: Policy, probes: number, chance: number): number {
  const delay = policy.probeDelaysMs[Math.min(probes, policy.probeDelaysMs.length - 1)] ?? 300_000;
  return Math.round(delay * (1 + policy.probeJitter * (2 * chance - 1)));
}

/**
 * How long before its expiry a credential is refreshed.
 * Windows as the AWS SDK for Go has them (2026): 5 min for a life up to 20 min, 15 min below 90 min, else 60 min; never more than half its life.
 */
export function earlyWindow(lifeMs: number): number {
  const minute = 60_000;
  const window = lifeMs <= 20 * minute ? 5 * minute : lifeMs < 90 * minute ? 15 * minute : 60 * minute;
  return Math.min(window, lifeMs / 2);
}

/** Claude Code renews a stored login in about the last five minutes; earlier a query changes nothing (measured, 2.1.330). */
export const claudeRenewsWithinMs = 240_000;
/** A login is asked about up to this much sooner or later. */
export const claudeRenewsJitterMs = 30_000;
