// Lets the turns of one process begin, each with a leave of the credential's manager; moves the conversation to another process
// where the one that is there holds a credential that has been replaced.
import type { AuthAdmission } from "../auth/contract.ts";
import type { Signal } from "../auth/signal.ts";
import type { Listener } from "./listen.ts";

/** A leave that nothing is begun with is given back: it might be the proof that others wait for. */
const idleLeaveMs = 1_000;

/** What it needs. */
export interface TurnstilePorts {
  readonly listener: Listener;
  /** The leave with which the process was started; `undefined`: a turn is under way that has one. */
  readonly leave: AuthAdmission | undefined;
  readonly admit: () => Promise<AuthAdmission>;
  /** Whether another process can take over before a turn begins. */
  readonly canMove: () => boolean;
  /** Whether the process finds a renewed credential by itself. */
  readonly keepsUp: () => boolean;
  readonly signal: AbortSignal;
  readonly onBegin: () => void;
  /** Another process is to begin the turn, with this leave. */
  readonly onStale: (leave: AuthAdmission) => void;
  /** No leave is to be had. */
  readonly onError: (error: unknown) => void;
}

/** One process's turnstile. */
export interface Turnstile {
  /** `true`: a turn is under way. `false`: it can't begin here. Never rejects. */
  begin(options: { readonly mayMove: boolean }): Promise<boolean>;
  /** There is no credential to start with, and no turn yet that could say so. */
  report(signal: Signal): Promise<void>;
  close(): void;
}

/** Makes one. */
export function createTurnstile({ listener, signal, ...ports }: TurnstilePorts): Turnstile {
  let { leave } = ports;
  const generation = (leave ?? listener.turn?.admission)?.generation;
  const giveBack = () => {
    leave?.release();
    leave = undefined;
  };
  const idle = setTimeout(giveBack, idleLeaveMs).unref();

  return {
    async begin({ mayMove }) {
      if (listener.turn !== undefined) return true;
      try {
        const admission = leave ?? (await ports.admit());
        leave = undefined;
        const isStale = admission.generation !== generation && !ports.keepsUp();
        if (isStale && mayMove && ports.canMove()) {
          ports.onStale(admission);
          return false;
        }
        listener.begin(admission);
        ports.onBegin();
        return true;
      } catch (error) {
        ports.onError(error);
        return false;
      }
    },
    async report(sign) {
      const decision = leave?.report(sign);
      if (leave === undefined || decision === undefined) return;
      if (decision.action === "fail") throw decision.error;
      if (decision.action !== "continue") ports.onStale(await leave.recovered({ signal }));
      leave = undefined;
    },
    close() {
      clearTimeout(idle);
      giveBack();
    },
  };
}
