// Claude processes kept between runs: live ones for the next turn of their conversation, and ones whose conversation can be taken
// back for a new one of the same client. A process serves one client key, end user, model, credential and set of options, ever.
import { randomBytes } from "node:crypto";
import type { ContentBlock, Message } from "../turn/turn.ts";
import { speaks } from "./hearing.ts";
import type { Handed } from "./hand-over.ts";
import type { ClaudeProcess } from "./sdk-process.ts";
import { memoryOf } from "./process-memory.ts";
import { conversationKey, processKey } from "./pool-keys.ts";
import type { Conversation } from "./profile.ts";
import type { RunSpec } from "./run.ts";
import { type ChatBefore, isFree, mayFollow, type Stands, standsAt } from "./standing.ts";
import { createStartGate } from "./start-gate.ts";
import type { Left } from "./trace.ts";

/** What the pool may hold. */
export interface PoolLimits {
  /** Processes that wait for a run. 0: none is ever kept. */
  readonly maxIdle: number;
  /** Memory of those, in bytes. */
  readonly maxIdleBytes: number;
  /** How long one waits, in milliseconds. */
  readonly idleMs: number;
  /** Runs that one process serves. */
  readonly maxRuns: number;
  /** Processes that are started at the same time: more than there are cores are slower, all of them. */
  readonly maxStarting: number;
  /** How long a run waits for a process that is about to be free before another is started, in milliseconds. */
  readonly returnMs: number;
}

/** A process for a run. Give it back by `give` or `drop`, once. */
export interface Taken {
  readonly process: ClaudeProcess;
  /** What Claude Code has reckoned for it before this run, US dollars; 0 where that is this conversation's own. */
  readonly costBeforeUsd: number;
  /** It has served another run before. */
  readonly wasKept: boolean;
  /** The calls whose results it waits for: the run brings them. */
  readonly waiting: Handed | undefined;
  readonly lastPrompt?: string;
}

/** The pool. */
export interface Pool {
  /** Processes that wait for a run. */
  readonly idle: number;
  /** Whether a process stands right at the end of this session's last turn. */
  hasSession(sessionId: string, resumeAt: string): boolean;
  /** A process in whose memory a chat stands right after these messages. Taken at once: `drop` it where the run does not begin. */
  takeChat(spec: RunSpec, history: readonly Message[]): Taken | undefined;
  /** A process that can begin the run; `start` makes one. Rejects with the signal's reason. */
  take(spec: RunSpec, start: () => ClaudeProcess, signal: AbortSignal): Promise<Taken>;
  /** Hands a process over whose run has ended well. @returns whether it is kept; if not, it is dropped and still to be ended. */
  give(process: ClaudeProcess, spec: RunSpec, left: Left & { readonly costUsd: number }): boolean;
  /** The run ended otherwise: the caller ends the process. */
  drop(process: ClaudeProcess): void;
  /** Ends the process of a session that is deleted. */
  endSession(sessionId: string): Promise<void>;
  /** Ends every process that waits, and keeps none of those that run now. */
  retire(): void;
  /** Ends everything, and keeps nothing any more. */
  close(): Promise<void>;
}

/** A process between two runs. */
interface Kept {
  readonly process: ClaudeProcess;
  readonly key: string;
  readonly costUsd: number;
  readonly runs: number;
  readonly stands: Stands;
  readonly timer: NodeJS.Timeout;
  bytes: number;
}

/** A process at work. */
interface AtWork extends ChatBefore {
  readonly key: string;
  readonly runs: number;
  readonly epoch: number;
}

/** How long an idle process may take to end by itself. */
const ownEndMs = 2_000;

/** Makes a pool. */
export function createPool(limits: PoolLimits): Pool {
  const secret = randomBytes(32);
  const idle = new Set<Kept>();
  const atWork = new Map<ClaudeProcess, AtWork>();
  const ending = new Set<Promise<void>>();
  const gate = createStartGate<Kept>(limits.maxStarting, limits.returnMs);
  let epoch = 0;
  let isClosed = false;

  function remove(kept: Kept): void {
    idle.delete(kept);
    clearTimeout(kept.timer);
  }

  function end(kept: Kept): void {
    remove(kept);
    const ended = kept.process.end({ closeFirstMs: ownEndMs }).finally(() => ending.delete(ended));
    ending.add(ended);
  }

  /** Between two runs it has nothing to say: one that speaks out of turn, or dies, is of no further use. */
  async function watch(kept: Kept): Promise<void> {
    for (;;) {
      const step = await kept.process.peek().catch(() => undefined);
      if (!idle.has(kept)) return; // Taken: the message is its run's.
      if (step === undefined || step.done === true || speaks(step.value)) return end(kept);
      await kept.process.next();
    }
  }

  async function weigh(kept: Kept): Promise<void> {
    kept.bytes = await memoryOf(kept.process.pid);
    let sum = [...idle].reduce((bytes, each) => bytes + each.bytes, 0);
    for (const each of idle) {
      if (sum <= limits.maxIdleBytes) break;
      sum -= each.bytes;
      end(each); // In the order of their waiting: the longest first.
    }
  }

  function keep(parts: Omit<Kept, "timer" | "bytes">): void {
    const kept: Kept = { ...parts, bytes: 0, timer: setTimeout(() => end(kept), limits.idleMs).unref() };
    if (isFree(kept.stands) && gate.offer(kept.key, kept)) return clearTimeout(kept.timer);
    idle.add(kept);
    void watch(kept);
    void weigh(kept);
    const oldest = idle.size > limits.maxIdle ? idle.values().next().value : undefined;
    if (oldest !== undefined) end(oldest);
  }

  function begin(kept: Kept, history: readonly Message[], first: string | undefined): Taken {
    remove(kept);
    atWork.set(kept.process, { key: kept.key, runs: kept.runs, history, first, epoch });
    const { process, stands } = kept;
    const costBeforeUsd = stands.is === "session" ? 0 : kept.costUsd;
    const lastPrompt = stands.is === "chat" ? { lastPrompt: stands.last } : {};
    return { process, costBeforeUsd, wasKept: true, waiting: stands.waiting, ...lastPrompt };
  }

  /** Begins a new conversation in a process that has had another. */
  async function clear(kept: Kept): Promise<Taken | undefined> {
    if (kept.stands.is !== "chat") return undefined;
    const taken = begin(kept, [], undefined);
    if (await kept.process.rewind(kept.stands.first, kept.stands.last)) return taken;
    atWork.delete(kept.process);
    end(kept);
    return undefined;
  }

  /** The process of this very turn; any other of the session is ended first, for both would write to its transcript. */
  async function takeSession(
    key: string,
    { sessionId, resumeAt }: Extract<Conversation, { kind: "resume" }>,
    prompt: readonly ContentBlock[],
  ): Promise<Taken | undefined> {
    for (const kept of idle) {
      if (kept.stands.is !== "session" || kept.stands.sessionId !== sessionId) continue;
      const isThere = kept.key === key && kept.stands.resumeAt === resumeAt;
      if (isThere && mayFollow(kept.stands, prompt)) return begin(kept, [], undefined);
      end(kept);
    }
    await Promise.all(ending);
    return undefined;
  }

  async function takeCleared(key: string): Promise<Taken | undefined> {
    for (const kept of [...idle].filter((each) => each.key === key && isFree(each.stands))) {
      const taken = idle.has(kept) ? await clear(kept) : undefined;
      if (taken !== undefined) return taken;
    }
    return undefined;
  }

  return {
    get idle() {
      return idle.size;
    },
    hasSession: (sessionId, resumeAt) =>
      [...idle].some(
        ({ stands }) => stands.is === "session" && stands.sessionId === sessionId && stands.resumeAt === resumeAt,
      ),
    takeChat(spec, history) {
      if (spec.reuse === undefined) return undefined;
      const key = processKey(spec, secret);
      const conversation = conversationKey(history, secret);
      for (const kept of idle) {
        const { stands } = kept;
        if (kept.key !== key || stands.is !== "chat" || stands.conversation !== conversation) continue;
        if (!mayFollow(stands, spec.prompt)) continue;
        return begin(kept, stands.history, stands.first);
      }
      return undefined;
    },
    async take(spec, start, signal) {
      const { conversation, reuse } = spec;
      if (reuse === undefined || isClosed)
        return { process: start(), costBeforeUsd: 0, wasKept: false, waiting: undefined };
      const key = processKey(spec, secret);
      if (conversation.kind === "resume") {
        const live = await takeSession(key, conversation, spec.prompt);
        if (live !== undefined) return live;
      }
      const isNewChat = conversation.kind === "none";
      // Nothing is waited for where nothing is idle: what comes back meanwhile is offered to who stands at the gate.
      const cleared = isNewChat && idle.size > 0 ? await takeCleared(key) : undefined;
      if (cleared !== undefined) return cleared;
      const mayReturn = isNewChat && [...atWork.values()].some((each) => each.key === key);
      const leave = await gate.enter({ key: isNewChat ? key : undefined, mayReturn, signal });
      if (leave.offered !== undefined) {
        const returned = await clear(leave.offered);
        if (returned !== undefined) return returned;
      }
      const process = start();
      void process.ready.then(leave.started);
      atWork.set(process, { key, runs: 0, history: [], first: undefined, epoch });
      return { process, costBeforeUsd: 0, wasKept: false, waiting: undefined };
    },
    give(process, spec, left) {
      const work = atWork.get(process);
      atWork.delete(process);
      if (work === undefined || isClosed || work.epoch !== epoch || left.isBusy) return false;
      const runs = work.runs + 1;
      const stands = standsAt(spec, left, work, secret);
      if (stands === undefined || runs >= limits.maxRuns || limits.maxIdle === 0) return false;
      keep({ process, key: work.key, costUsd: left.costUsd, runs, stands });
      return true;
    },
    drop: (process) => void atWork.delete(process),
    async endSession(sessionId) {
      for (const kept of idle) if (kept.stands.is === "session" && kept.stands.sessionId === sessionId) end(kept);
      await Promise.all(ending);
    },
    retire() {
      epoch += 1;
      for (const kept of idle) end(kept);
    },
    async close() {
      isClosed = true;
      for (const kept of idle) end(kept);
      await Promise.all(ending);
    },
  };
}
