// What a turn holds while it runs: its session's lock (or that of the conversation that waits for its results), its leave to use the credential, its slot among the runs.
// Whoever waits for the credential holds no slot: those who could prove it must find one.
import type { AuthAdmission, AuthManager } from "../auth/contract.ts";
import type { Admission } from "./admission.ts";
import type { KeyedLock } from "./lock.ts";
import type { HandOvers } from "./hand-overs.ts";
import { sessionKey } from "./session-care.ts";
import type { Turn, TurnContext, TurnEvent } from "./turn.ts";

type Phases = AsyncGenerator<TurnEvent, void, undefined>;

/** What taking a seat needs. */
export interface SeatPorts {
  readonly auth: Pick<AuthManager, "tryAdmit" | "admit">;
  readonly admission: Admission;
  readonly sessionLock: KeyedLock;
}

/** A turn's seat. */
export interface Seat {
  /** Takes all three, in an order that can't lock up. @throws CcapiError where one is not to be had. */
  take(): Phases;
  /** The leave that it holds now. */
  readonly auth: AuthAdmission;
  /** After an attempt that the credential ended: waits for the credential without a slot, then takes one again. */
  renew(): Phases;
  /** Gives the leave back at once: others may be waiting for what it would have proven. */
  leave(): void;
  /** Gives back all that is left. Any number of calls. */
  release(): void;
}

/** For how long a turn may try. */
export interface SeatLimits {
  /** Aborted when its client is gone or its time is up. */
  readonly signal: AbortSignal;
  /** When that is, by `performance.now()`. */
  readonly endsAtMs: number;
}

/** Makes a seat, empty. */
export function createSeat(
  turn: Turn,
  context: TurnContext,
  { signal, endsAtMs }: SeatLimits,
  ports: SeatPorts & { readonly handOvers: Pick<HandOvers, "lockKey"> },
): Seat {
  const operation = `processRequest for ${turn.sessionId === undefined ? `request ${context.requestId}` : `session ${turn.sessionId}`}`;
  let auth: AuthAdmission | undefined;
  let releaseSlot: (() => void) | undefined;
  let releaseSession: (() => void) | undefined;

  async function* takeSession(): Phases {
    const key =
      turn.sessionId === undefined
        ? ports.handOvers.lockKey(turn, context.client)
        : sessionKey(context.client.name, turn.sessionId);
    if (key === undefined) return;
    if (ports.sessionLock.isHeld(key)) yield { type: "phase", phase: "queued" };
    releaseSession = await ports.sessionLock.acquire(key, signal);
  }

  async function* takeAuth(): Phases {
    auth = ports.auth.tryAdmit(operation);
    if (auth !== undefined) return;
    yield { type: "phase", phase: "refreshing" };
    auth = await ports.auth.admit({ operation, signal });
  }

  async function* takeSlot(isReturning: boolean): Phases {
    if (ports.admission.isFull) yield { type: "phase", phase: "queued" };
    releaseSlot = await ports.admission.acquire(signal, { key: context.client.name, isReturning, endsAtMs });
  }

  function giveSlot(): void {
    releaseSlot?.();
    releaseSlot = undefined;
  }

  return {
    get auth() {
      if (auth === undefined) throw new TypeError("The seat is not taken.");
      return auth;
    },
    async *take() {
      // The session first: whoever waits for the credential may become its proof, and must not wait for anybody then.
      yield* takeSession();
      yield* takeAuth();
      for (;;) {
        const waited = ports.admission.isFull;
        yield* takeSlot(false);
        // The credential may have failed, or been replaced, while this request waited in line.
        if (!waited || auth?.isCanary === true) return;
        auth?.release();
        auth = ports.auth.tryAdmit(operation);
        if (auth !== undefined) return;
        giveSlot();
        yield* takeAuth();
      }
    },
    async *renew() {
      if (auth === undefined) throw new TypeError("The seat is not taken.");
      giveSlot();
      yield { type: "phase", phase: "refreshing" };
      auth = await auth.recovered({ signal });
      yield* takeSlot(true);
    },
    leave() {
      auth?.release();
    },
    release() {
      auth?.release();
      giveSlot();
      releaseSession?.();
    },
  };
}
