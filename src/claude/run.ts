// One run of Claude: a prompt in, TurnEvents out, in a process that is gone, or given back to the pool, when `ended` resolves.
// Reports every sign of a failed credential as a signal and decides nothing about it.
import { CcapiError } from "../auth/errors.ts";
import type { Signal } from "../auth/signal.ts";
import type { ContentBlock, TurnEvent, Usage } from "../turn/turn.ts";
import { readAnswer } from "./answer.ts";
import { createAnswerForm } from "./answer-form.ts";
import type { ChildSetup } from "./child-setup.ts";
import { type ClaudeProcess, startClaudeProcess } from "./sdk-process.ts";
import { processDied, toFailure } from "./failures.ts";
import { keptOpen, watchSilence } from "./hearing.ts";
import { createTalk, goOn, replay } from "./go-on.ts";
import type { Handed } from "./hand-over.ts";
import { HelperFailure, watchHelper } from "./helper-watch.ts";
import type { Pool, Taken } from "./pool-contract.ts";
import type { ProcessOwner } from "./process.ts";
import type { Conversation, RunLimits, TurnSettings } from "./profile.ts";
import type { Runtime } from "./runtime.ts";
import { isOurs } from "./stop-cutter.ts";
import type { SubagentEvent } from "./subagents.ts";
import { createTrace } from "./trace.ts";

/** A process whose input was closed flushes its transcript and ends by itself within this time. */
const ownEndMs = 2_000;

/** What to run. */
export interface RunSpec {
  readonly turn: TurnSettings;
  readonly prompt: readonly ContentBlock[];
  readonly conversation: Conversation;
  readonly workspace: string;
  readonly limits: RunLimits;
  readonly skipPermissions: boolean;
  readonly child: ChildSetup;
  /** Whose process may serve it, and be kept for whom afterwards; `undefined`: one of its own, that ends with it. */
  readonly reuse?: Reuse | undefined;
  /** The process that it goes on in, taken from the pool. */
  readonly taken?: Taken | undefined;
  /** Nothing that has waited may serve it: it was tried, and was of no use. */
  readonly isFresh?: boolean;
}

/** Who is parted from whom. */
export interface Reuse {
  /** The client key's name. */
  readonly client: string;
  readonly endUser: string | undefined;
  /** Its transcript stays: a process may go on with it. */
  readonly isSession: boolean;
}

/** What a run yields: a turn's events, and beside them what its caller must know. */
export type RunEvent =
  | TurnEvent
  /** A sign of failure. After one with `isFinal` the run throws. */
  | {
      readonly type: "signal";
      readonly signal: Signal;
      readonly isFinal: boolean;
      /** A subagent's call failed: the run itself may go on by Claude Code's own retries. */
      readonly isSubagent?: true;
    }
  /** What it says of its subagents and background tasks. */
  | Exclude<SubagentEvent, { type: "signal" }>
  /** The transcript's last assistant message: a later run may resume there. */
  | { readonly type: "checkpoint"; readonly uuid: string; readonly messageId: string }
  /** The model asked for tools: from here on the run has effects outside of itself. Several events may tell of one message. */
  | {
      readonly type: "tool-use";
      readonly messageId: string;
      readonly tools: readonly { readonly id: string; readonly name: string }[];
    }
  /** Tools have answered. */
  | { readonly type: "tool-result"; readonly results: readonly { readonly id: string; readonly block: ContentBlock }[] }
  /** The model has called the client's tools, and the run stops there: `finish` is next. */
  | ({ readonly type: "hand-over" } & Handed)
  /** What the run's calls have used so far. */
  | { readonly type: "usage"; readonly usage: Usage };

/** A run under way. */
export interface ClaudeRun {
  /**
   * Ends after `finish`, or throws CcapiError. Ending it early ends the process.
   */
  readonly events: AsyncGenerator<RunEvent, void, undefined>;
  /** Resolves when the process and everything it started are gone, or kept for another run. Never rejects. */
  readonly ended: Promise<void>;
  /** Whether its process had waited in the pool before. */
  readonly wasKept: boolean;
}

/** A process of the run's own. */
const own = { costBeforeUsd: 0, wasKept: false, waiting: undefined } as const;

/** What a run needs of its surroundings. */
export interface RunPorts {
  readonly runtime: Runtime;
  readonly owner: ProcessOwner;
  /** Processes kept from earlier runs. Absent: every run has its own. */
  readonly pool?: Pool | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Starts a run. Nothing is spawned before the first event is asked for. */
export function startRun(spec: RunSpec, ports: RunPorts, signal: AbortSignal): ClaudeRun {
  let markEnded: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    markEnded = resolve;
  });
  let wasKept = false;
  const onTaken = (taken: Taken) => {
    ({ wasKept } = taken);
  };
  return {
    events: runEvents(spec, ports, signal, markEnded, onTaken),
    ended,
    get wasKept() {
      return wasKept;
    },
  };
}

async function* runEvents(
  spec: RunSpec,
  { runtime, owner, pool, now }: RunPorts,
  signal: AbortSignal,
  markEnded: () => void,
  onTaken: (taken: Taken) => void,
): AsyncGenerator<RunEvent, void, undefined> {
  let claude: ClaudeProcess | undefined;
  let hasEndedItself = false;
  let isKept = false;
  const heard = new AbortController();
  let onAbort: () => void = () => undefined;
  const stop = () => void claude?.end({ closeFirstMs: 0 });
  try {
    const sdk = await runtime.sdk();
    signal.throwIfAborted();
    yield { type: "phase", phase: "starting" };
    signal.throwIfAborted(); // The caller may have taken its time.
    const start = (wanted: RunSpec) => startClaudeProcess(wanted, { sdk, owner });
    const taken = spec.taken ?? (await pool?.take(spec, start, signal)) ?? { process: start(spec), ...own };
    claude = taken.process;
    onTaken(taken);
    signal.throwIfAborted();
    const promptId = goOn(claude, taken, spec);
    const aborted = new Promise<never>((_resolve, reject) => {
      onAbort = () => {
        stop();
        reject(signal.reason as Error); // What its owner aborted with.
      };
    });
    const helperFailed = watchHelper(spec.child, heard.signal);
    const silent = taken.wasKept ? watchSilence(claude, heard.signal) : undefined;
    const broken = Promise.race([aborted, helperFailed, ...(silent === undefined ? [] : [silent])]);
    broken.catch(() => undefined); // Nobody may be waiting when it comes.
    signal.addEventListener("abort", onAbort, { once: true });
    const trace = createTrace(promptId);
    const heardOf = keptOpen(claude, broken);
    const talk = createTalk(claude);
    const form = createAnswerForm(spec.turn.outputFormat);
    let before = taken.waiting;
    for await (const event of form.events(() => readAnswer(heardOf, spec.turn, now, talk), talk.send)) {
      if (event.type !== "phase" && !heard.signal.aborted) {
        heard.abort();
        pool?.heard(claude);
      }
      // It has heard its results: from here on it goes on with what is still to be run.
      if (before !== undefined) yield* replay(before, spec.conversation);
      before = undefined;
      trace.note(event);
      if (event.type !== "finish") {
        yield event;
        continue;
      }
      const isHandedOver = event.reason === "tool_calls";
      hasEndedItself = !isHandedOver && !isCutByUs(event);
      // What the call handed over cost is known when its process goes on to an end.
      const costUsd = isHandedOver ? 0 : event.costUsd - taken.costBeforeUsd;
      const totalUsd = isHandedOver ? taken.costBeforeUsd : event.costUsd;
      // Where it was said more than the client knows of, its conversation is not the client's.
      const mayStay = (hasEndedItself || isHandedOver) && !form.isAltered && !talk.hasSpoken;
      if (mayStay && pool?.give(claude, spec, { ...trace.left(), costUsd: totalUsd }) === true) {
        isKept = true;
        // Before the client hears of the end: what it asks next finds the process.
        markEnded();
      }
      yield { ...event, costUsd };
      return;
    }
    yield* lastWords(claude);
    throw processDied(claude.exitReason());
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof CcapiError) throw error;
    if (error instanceof HelperFailure) {
      const failure: Signal = { source: "result", error: "authentication_failed", status: null, text: error.message };
      // It failed for Claude Code and, run once more, for us: two signs.
      const retry: Signal = { source: "api_retry", error: "authentication_failed", status: null, attempt: 2 };
      yield { type: "signal", signal: retry, isFinal: false };
      yield { type: "signal", signal: failure, isFinal: true };
      throw toFailure(failure, { rateLimit: undefined, nowMs: now() });
    }
    yield* lastWords(claude);
    throw processDied(claude?.exitReason());
  } finally {
    heard.abort();
    signal.removeEventListener("abort", onAbort); // The signal may live as long as the server.
    if (!isKept) {
      const unused = spec.taken?.process ?? claude;
      if (unused !== undefined) pool?.drop(unused);
      claude ??= unused;
      const end = claude?.end({ closeFirstMs: hasEndedItself ? ownEndMs : 0 });
      void (end ?? Promise.resolve()).then(markEnded, markEnded);
    }
  }
}

/** What a process that died wrote to stderr, as a sign. */
function* lastWords(claude: ClaudeProcess | undefined): Generator<RunEvent> {
  const text = claude?.stderrTail() ?? "";
  if (text !== "") yield { type: "signal", signal: { source: "stderr", text }, isFinal: true };
}

/** At its token limit, and at a stop sequence of ours, Claude Code would go on; after all else it waits for its input's end. */
function isCutByUs({ reason, stopSequence }: Extract<TurnEvent, { type: "finish" }>): boolean {
  return reason === "length" || reason === "refusal" || (stopSequence !== undefined && isOurs(stopSequence));
}
