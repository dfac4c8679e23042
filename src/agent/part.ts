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
import { createTurnstile } from "./turnstile.ts";

/** A process whose input was closed flushes its transcript and ends by itself within this time. */
const ownEndMs = 5_000;

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

/** What ends the query with it. */
interface Failed {
  readonly is: "failed";
  readonly error: unknown;
}

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
  const feeding = new AbortController();
  const heard = new AbortController();
  const ready = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  let child: PreparedChild | undefined;
  let live: LiveProcess | undefined;
  let reached: PartEnd | Failed | undefined;
  let stopListening: () => void = () => undefined;
  function leaveFor(end: PartEnd | Failed): void {
    reached ??= end;
    live?.leave();
  }
  // A function, for the compiler can't see that listeners change it.
  const whatIsReached = () => reached;
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

  function attend(): void {
    stopListening();
    stopListening = listener.turn?.admission.onDecision(orders.decide) ?? (() => undefined);
    if (child === undefined || heard.signal.aborted) return;
    watchHelper(child, heard.signal).catch((error: unknown) => {
      const text = error instanceof Error ? error.message : "";
      // It failed for Claude Code and, run once more, for us: two signs.
      const known = { error: "authentication_failed", status: null } as const;
      listener.report({ source: "api_retry", ...known, attempt: 2 }, orders);
      listener.report({ source: "result", ...known, text }, orders);
    });
  }
  const turnstile = createTurnstile({
    ...ports,
    keepsUp: () => takesUpRenewal(child),
    onBegin: attend,
    onStale: (leave) => leaveFor({ is: "stale", leave }),
    onError: (error) => leaveFor({ is: "failed", error }),
  });

  async function prepare(): Promise<PreparedChild | undefined> {
    try {
      return await keeper.prepare();
    } catch (error) {
      if (!(error instanceof CcapiError) || error.code !== "upstream_auth_unavailable") throw error;
      const { message: text } = error;
      const sign = { source: "result", error: "authentication_failed", status: null, text } as const;
      if (listener.turn !== undefined) listener.report(sign, orders);
      else await turnstile.report(sign);
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
    const feed = { first, ...waits, begin: () => turnstile.begin({ mayMove: true }), signal: feeding.signal };
    signal.throwIfAborted();
    if (isText) input.noteTextHanded();
    const opened = await startProcess({
      ...ports,
      loginDir: prepared.kind === "stored_login" ? prepared.configDir : undefined,
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
  async function ended(thrown: unknown): Promise<PartEnd | Failed> {
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
    if (input.text !== undefined && listener.turn === undefined) await turnstile.begin({ mayMove: false });
    child = await prepare();
    attend();
    let thrown: unknown;
    if (child !== undefined && whatIsReached() === undefined) {
      live = await open(child);
      if (signal.aborted || whatIsReached() !== undefined) live.leave();
      try {
        for await (const message of live.messages) {
          const isBeginning = message.type === "system" ? message.subtype === "init" : message.type === "assistant";
          // One that Claude Code begins by itself: a task in the background is done.
          if (isBeginning && listener.turn === undefined) await turnstile.begin({ mayMove: false });
          listener.hear(message, orders);
          if (whatIsReached() !== undefined) break;
        }
      } catch (error) {
        thrown = error;
      }
    }
    signal.throwIfAborted();
    const end = whatIsReached() ?? (await ended(thrown));
    if (end.is === "failed") throw end.error;
    isFinished = end.is === "finished";
    return end;
  } finally {
    turnstile.close();
    signal.removeEventListener("abort", onAbort);
    stopListening();
    heard.abort();
    feeding.abort();
    controls.detach();
    void (live?.end({ closeFirstMs: isFinished ? ownEndMs : 0 }) ?? Promise.resolve()).then(markGone);
  }
}

/**
 * Whether a process that runs finds a renewed credential by itself (measured, Claude Code 2.1.330: its subagents within 2 s); others
 * keep what they were started with.
 */
function takesUpRenewal(child: PreparedChild | undefined): boolean {
  return child?.kind === "api_key_helper" || child?.kind === "stored_login";
}
