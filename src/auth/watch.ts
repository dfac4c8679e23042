// Looks at the credential, one look at a time, and tells the state what was seen. Knows nothing of requests or refreshes.
import type { Clock, CredentialPort, CredentialReading, Random } from "./ports.ts";
import type { Policy } from "./policy.ts";
import type { StateEvent } from "./state.ts";
import { deadline } from "./deadline.ts";

/** Readings this far apart that agree are steady: a key made anew in each second is not. */
const steadyAfterMs = 1_500;

/** A credential that seems to be gone is looked at once more after this time: a file is empty for a moment while it is written. */
const goneAfterMs = 250;

/** What looking needs. */
export interface WatchPorts {
  readonly credential: CredentialPort;
  readonly clock: Clock;
  readonly random: Random;
  readonly policy: Policy;
  readonly tell: (event: Extract<StateEvent, { type: "looked" }>) => void;
}

/** The eye on the credential. */
export interface Watch {
  /** A look that begins after this call. Resolves to `undefined` where it can't tell. Never rejects. */
  look(): Promise<CredentialReading | undefined>;
  /** When the last look ended, by the monotonic clock. */
  readonly lookedAtMs: number | undefined;
  /** The look that runs now, with all that wait for another; resolves at once where there is none. */
  settled(): Promise<void>;
  close(): void;
}

/** Makes it. */
export function createWatch({ credential, clock, random, policy, tell }: WatchPorts): Watch {
  const closing = new AbortController();
  let running: Promise<CredentialReading | undefined> | undefined;
  let next: Promise<CredentialReading | undefined> | undefined;
  let lookedAtMs: number | undefined;
  let last: { readonly fingerprint: string; readonly sinceMs: number; readonly isSteady: boolean } | undefined;
  let told: string | undefined;
  let wasPresent = false;

  function note(reading: CredentialReading): void {
    const nowMs = clock.monotonicMs();
    const isSame = last?.fingerprint === reading.fingerprint;
    const isCheap = reading.watchMode !== "costly";
    // A difference is a change where what was there before had stayed, or where the new one stays.
    const hasStayed = last !== undefined && isSame && nowMs - last.sinceMs >= steadyAfterMs;
    const isSteady = isCheap || hasStayed || (last?.isSteady ?? false);
    const sinceMs = isSame && last !== undefined ? last.sinceMs : nowMs;
    last = { fingerprint: reading.fingerprint, sinceMs, isSteady: isCheap || hasStayed || (isSame && isSteady) };
    // What was told once and stayed is not told again: another instance may know of something newer.
    const summary = JSON.stringify(reading);
    if (isSteady && told === summary) return;
    told = isSteady ? summary : undefined;
    tell({ type: "looked", reading, isSteady, wallMs: clock.wallMs(), chance: random() });
  }

  async function read(): Promise<CredentialReading | undefined> {
    const limit = deadline(clock, policy.lookTimeoutMs, closing.signal);
    try {
      const beganAtMs = clock.monotonicMs();
      let reading = await limit.race(credential.read(limit.signal));
      // Of a helper that hangs two reads would not fit into one look.
      const wasQuick = clock.monotonicMs() - beganAtMs < policy.lookTimeoutMs / 3;
      if (!reading.present && wasPresent && wasQuick) {
        await limit.race(new Promise<void>((resolve) => clock.setTimer(resolve, goneAfterMs)));
        reading = await limit.race(credential.read(limit.signal));
      }
      wasPresent = reading.present;
      note(reading);
      return reading;
    } catch {
      return undefined; // "Can't tell now" is an answer: the next look comes soon.
    } finally {
      limit.end();
      lookedAtMs = clock.monotonicMs();
    }
  }

  function start(): Promise<CredentialReading | undefined> {
    const look = read().finally(() => {
      if (running === look) running = undefined;
    });
    running = look;
    return look;
  }

  return {
    look() {
      if (closing.signal.aborted) return Promise.resolve(undefined);
      if (running === undefined) return start();
      // The one that runs may have looked before what is asked about; all who ask meanwhile share the next.
      next ??= running.then(() => {
        next = undefined;
        return start();
      });
      return next;
    },
    get lookedAtMs() {
      return lookedAtMs;
    },
    async settled() {
      await (next ?? running);
    },
    close: () => closing.abort(),
  };
}
