// One process's part in a query: from its start to the point at which it ends, or is left for another one.
import type { AuthAdmission, Decision } from "../auth/contract.ts";
import { CcapiError } from "../auth/errors.ts";
import { processDied } from "../claude/failures.ts";
import { watchHelper } from "../claude/helper-watch.ts";
import type { DrivePorts } from "./drive.ts";
import type { Listener, Orders } from "./listen.ts";
import { type LiveProcess, startProcess } from "./live-process.ts";
import { type Plan, toPlannedOptions } from "./plan.ts";
import type { PreparedChild } from "./source.ts";

/** A process whose input was closed flushes its transcript and ends by itself within this time. */
const ownEndMs = 5_000;
/** A child that may be renewing a stored login is not killed at once: an orphaned lock or a spent token would be left. */
const renewalGraceMs = 10_000;
/** A leave that nothing is begun with is given back: it might be the proof that others wait for. */
const idleLeaveMs = 1_000;

/** How a part ended. */
export type PartEnd =
  /** The conversation is over. */
  | { readonly is: "finished" }
  /** The credential ended it. */
  | { readonly is: "over"; readonly decision: Decision }
  /** A subagent's work was lost with the credential. */
  | { readonly is: "lost" }
  /** Its credential was replaced before a turn began, or was not there. */
  | { readonly is: "stale"; readonly leave: AuthAdmission }
  /** It died. */
  | { readonly is: "died"; readonly error: unknown };

/** What a part needs. */
export interface PartPorts extends DrivePorts {
  readonly listener: Listener;
  readonly plan: Plan;
  /** The leave to start, where no turn is under way that has one. */
  readonly leave: AuthAdmission | undefined;
  readonly admit: () => Promise<AuthAdmission>;
  /** Whether another process can take over before a turn begins. */
  readonly canMove: () => boolean;
}

/** One process's part. */
export interface Part {
  /** How it ended. @throws CcapiError, or what the SDK throws, where the query ends with it. */
  readonly end: Promise<PartEnd>;
  /** Resolves when the process and all that it started are gone. Never rejects. */
  readonly gone: Promise<void>;
}

/** Runs it. */
export function runPart(ports: PartPorts): Part {
  const gone = Promise.withResolvers<void>();
  return { end: run(ports, gone.resolve), gone: gone.promise };
}

async function run(ports: PartPorts, markGone: () => void): Promise<PartEnd> {
  const { listener, input, options, keeper, controls, plan, signal } = ports;
  let { leave } = ports;
  const generation = (leave ?? listener.turn?.admission)?.generation;
  const feeding = new AbortController();
  const heard = new AbortController();
  const ready = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  let child: PreparedChild | undefined;
  let live: LiveProcess | undefined;
  let reached: PartEnd | undefined;
  let failure: { readonly error: unknown } | undefined;
  let stopListening: () => void = () => undefined;
  const idle = setTimeout(() => {
    leave?.release();
    leave = undefined;
  }, idleLeaveMs).unref();

  function leaveFor(end: PartEnd): void {
    reached ??= end;
    live?.leave();
  }
  // Functions, for the compiler can't see that listeners change them.
  const whatIsReached = () => reached;
  const whatFailed = () => failure;
  const onAbort = () => live?.leave();
  const orders: Orders = {
    get takesUpRenewal() {
      return takesUpRenewal(child);
    },
    decide: (decision) => decision.action === "continue" || leaveFor({ is: "over", decision }),
    lose: () => leaveFor({ is: "lost" }),
    answered() {
      heard.abort();
      answered.resolve();
    },
    over: () => over.resolve(),
  };

  function attend({ admission }: { readonly admission: AuthAdmission }): void {
    stopListening();
    stopListening = admission.onDecision(orders.decide);
    if (child === undefined || heard.signal.aborted) return;
    watchHelper(child, heard.signal).catch((error: unknown) => {
      const text = error instanceof Error ? error.message : "";
      // It failed for Claude Code and, run once more, for us: two signs.
      const known = { error: "authentication_failed", status: null } as const;
      listener.report({ source: "api_retry", ...known, attempt: 2 }, orders);
      listener.report({ source: "result", ...known, text }, orders);
    });
  }

  async function begin(mayMove: boolean): Promise<boolean> {
    if (listener.turn !== undefined) return true;
    try {
      const admission = leave ?? (await ports.admit());
      leave = undefined;
      const isStale = admission.generation !== generation && !takesUpRenewal(child);
      if (isStale && mayMove && ports.canMove()) {
        leaveFor({ is: "stale", leave: admission });
        return false;
      }
      listener.begin(admission);
      attend({ admission });
      return true;
    } catch (error) {
      failure = { error };
      live?.leave();
      return false;
    }
  }

  async function prepare(): Promise<PreparedChild | undefined> {
    try {
      return await keeper.prepare();
    } catch (error) {
      if (!(error instanceof CcapiError) || error.code !== "upstream_auth_unavailable") throw error;
      const { message: text } = error;
      const signs = { source: "result", error: "authentication_failed", status: null, text } as const;
      if (listener.turn !== undefined) listener.report(signs, orders);
      else if (leave !== undefined) {
        const decision = leave.report(signs);
        if (decision.action === "fail") throw decision.error;
        if (decision.action !== "continue") leaveFor({ is: "stale", leave: await leave.recovered({ signal }) });
        leave = undefined;
      }
      if (whatIsReached() === undefined) throw error;
      return undefined;
    }
  }

  async function open(prepared: PreparedChild): Promise<LiveProcess> {
    const { maxTurns } = options;
    const { calls = 0 } = listener.turn ?? {};
    const planned = await toPlannedOptions(plan, options, prepared.configDir);
    const isText = input.text !== undefined && plan.is !== "resume" && !controls.hasSettings;
    const first = plan.is === "resume" ? plan.first : undefined;
    const waits = { ready: ready.promise, answered: answered.promise, over: over.promise };
    const feed = { first, ...waits, begin: () => begin(true), signal: feeding.signal };
    signal.throwIfAborted();
    if (isText) input.noteTextHanded();
    const opened = await startProcess({
      ...ports,
      prompt: isText ? (input.text ?? "") : input.feed(feed),
      options: {
        ...planned,
        env: prepared.processEnvironment,
        // Of a conversation of one turn, what is left of it.
        ...(maxTurns === undefined || input.text === undefined ? {} : { maxTurns: Math.max(1, maxTurns - calls) }),
      },
    });
    void (controls.hasSettings ? controls.restore(opened.query) : Promise.resolve()).then(() => {
      if (!feeding.signal.aborted) controls.attach(opened.query);
      ready.resolve();
    });
    return opened;
  }

  /** The process has ended by itself. */
  async function ended(thrown: unknown): Promise<PartEnd> {
    const reason = await live?.exitReason();
    const { turn } = listener;
    if (turn !== undefined) {
      listener.end(orders);
      const text = live?.stderrTail() ?? "";
      if (text !== "" && reason !== "code 0") listener.report({ source: "stderr", text }, orders);
      const end = whatIsReached();
      if (end !== undefined) return end;
      const error = thrown ?? processDied(reason);
      if (reason !== undefined && reason !== "code 0") return { is: "died", error };
    }
    if (thrown !== undefined) throw thrown;
    return { is: "finished" };
  }

  let isFinished = false;
  try {
    signal.addEventListener("abort", onAbort, { once: true });
    if (input.text !== undefined && listener.turn === undefined) await begin(false);
    child = await prepare();
    if (listener.turn !== undefined) attend(listener.turn);
    let thrown: unknown;
    if (child !== undefined && whatIsReached() === undefined && whatFailed() === undefined) {
      live = await open(child);
      if (signal.aborted || whatIsReached() !== undefined) live.leave();
      try {
        for await (const message of live.messages) {
          const isBeginning = message.type === "system" ? message.subtype === "init" : message.type === "assistant";
          // One that Claude Code begins by itself: a task in the background is done.
          if (isBeginning && listener.turn === undefined) await begin(false);
          listener.hear(message, orders);
          if (whatIsReached() !== undefined) break;
        }
      } catch (error) {
        thrown = error;
      }
    }
    signal.throwIfAborted();
    const failed = whatFailed();
    if (failed !== undefined) throw failed.error;
    const end = whatIsReached() ?? (await ended(thrown));
    isFinished = end.is === "finished";
    return end;
  } finally {
    clearTimeout(idle);
    leave?.release();
    signal.removeEventListener("abort", onAbort);
    stopListening();
    heard.abort();
    feeding.abort();
    controls.detach();
    const mayRenew = child?.kind === "stored_login" && reached?.is === "over";
    const closeFirstMs = isFinished ? ownEndMs : mayRenew ? renewalGraceMs : 0;
    void (live?.end({ closeFirstMs }) ?? Promise.resolve()).then(markGone);
  }
}

/**
 * Whether a process that runs finds a renewed credential by itself (measured, Claude Code 2.1.330: its subagents within 2 s); others
 * keep what they were started with.
 */
function takesUpRenewal(child: PreparedChild | undefined): boolean {
  return child?.kind === "api_key_helper" || child?.kind === "stored_login";
}
