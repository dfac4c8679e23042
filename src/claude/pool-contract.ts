// What the pool of Claude processes promises to those who run them. Types only.
import type { Message } from "../turn/turn.ts";
import type { Handed } from "./hand-over.ts";
import type { IdleLimits } from "./idle-processes.ts";
import type { RunSpec } from "./run.ts";
import type { ClaudeProcess } from "./sdk-process.ts";
import type { Left } from "./trace.ts";

/** What the pool may hold. */
export interface PoolLimits extends IdleLimits {
  /** Of those that wait, the ones started ahead. 0: none is. */
  readonly maxSpares: number;
  /** Runs that one process serves. */
  readonly maxRuns: number;
  /** Processes that are started at the same time: more than there are cores are slower, all of them. */
  readonly maxStarting: number;
  /** How long a run waits for a process that is about to be free before another is started, in milliseconds. */
  readonly returnMs: number;
}

/** What else it needs. */
export interface PoolPorts {
  /** Whether requests wait for leave to run: no time to start anything ahead. */
  readonly isBusy?: () => boolean;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** A process for a run. Give it back by `give` or `drop`, once. */
export interface Taken {
  readonly process: ClaudeProcess;
  /** What Claude Code has reckoned for it before this run, US dollars; 0 where that is this conversation's own. */
  readonly costBeforeUsd: number;
  /** It has waited here: what it is worth shows when it is asked. */
  readonly wasKept: boolean;
  /** The calls whose results it waits for: the run brings them. */
  readonly waiting: Handed | undefined;
  readonly lastPrompt?: string;
}

/** A process started ahead, with the id under which its transcript will be. */
export interface TakenSpare extends Taken {
  readonly sessionId: string;
}

/** Starts a process. */
export type StartProcess = (spec: RunSpec) => ClaudeProcess;

/** The pool. */
export interface Pool {
  /** Processes that wait for a run. */
  readonly idle: number;
  /** Whether a process stands right at the end of this session's last turn. */
  hasSession(sessionId: string, resumeAt: string): boolean;
  /** A process in whose memory a chat stands right after these messages. Taken at once: `drop` it where the run does not begin. */
  takeChat(spec: RunSpec, history: readonly Message[]): Taken | undefined;
  /** A process started ahead for a new conversation with a transcript. Taken at once: `drop` it where the run does not begin. */
  takeSpare(spec: RunSpec): Promise<TakenSpare | undefined>;
  /** A process that can begin the run; `start` makes one. Rejects with the signal's reason. */
  take(spec: RunSpec, start: StartProcess, signal: AbortSignal): Promise<Taken>;
  /** The run has its first words: nothing waits for its process any more. */
  heard(process: ClaudeProcess): void;
  /** Hands a process over whose run has ended well. @returns whether it is kept; if not, it is dropped and still to be ended. */
  give(process: ClaudeProcess, spec: RunSpec, left: Left & { readonly costUsd: number }): boolean;
  /** The run ended otherwise: the caller ends the process. */
  drop(process: ClaudeProcess): void;
  /** Ends the process of a session that is deleted. */
  endSession(sessionId: string): Promise<void>;
  /** The credential was replaced: ends what waits, and keeps none of those that run now, but for those that read it themselves. */
  renew(): void;
  /** Ends every process that waits, and keeps none of those that run now. */
  retire(): void;
  /** Ends everything, and keeps nothing any more. */
  close(): Promise<void>;
}
