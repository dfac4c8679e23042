// Hears a query's messages: passes on what the caller is to see, keeps back the signs of a failed credential and reports them.
// What is to be done about a sign is the manager's decision; it is handed on and not carried out here.
import type { SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import { classify } from "../auth/classify.ts";
import type { AuthAdmission, Decision } from "../auth/contract.ts";
import type { Signal } from "../auth/signal.ts";
import { toFailure } from "../claude/failures.ts";
import { isSynthetic, toSignal } from "../claude/signals.ts";
import { type ModelBlame, modelRefused } from "../turn/model-blame.ts";
import { type FollowedTurn, followTurn } from "./followed-turn.ts";
import type { Input } from "./input.ts";
import { createShown } from "./shown.ts";
import { createTotals } from "./sum.ts";

type ResultMessage = Extract<SDKMessage, { type: "result" }>;

/** What hearing needs. */
export interface ListenerPorts {
  readonly input: Input;
  readonly put: (message: SDKMessage) => void;
  readonly blame: ModelBlame;
  /** The model that was asked for, as far as that is known. */
  readonly model: () => string;
  /** The totals of the query's processes begin with a conversation of another's. */
  readonly beganElsewhere: boolean;
  /** Each call tells what it used. */
  readonly hasPartials: boolean;
}

/** What is asked of the one who drives the process that is heard now. */
export interface Orders {
  /** Whether the process finds a renewed credential by itself, its subagents included. */
  readonly takesUpRenewal: boolean;
  readonly decide: (decision: Decision) => void;
  /** A subagent gave up: the turn can't be saved. */
  readonly lose: () => void;
  /** The model has answered. */
  readonly answered: () => void;
  /** The turn is over, and no other waits in the process. */
  readonly over: () => void;
}

/** One query's listener. */
export interface Listener {
  readonly turn: FollowedTurn | undefined;
  readonly sessionId: string | undefined;
  /** The last assistant message of the turns that are over. */
  readonly checkpoint: string | undefined;
  /** A turn that is over left something at work. */
  readonly leftTasks: boolean;
  begin(admission: AuthAdmission): void;
  /** Another process takes over. */
  takeOver(): void;
  hear(message: SDKMessage, orders: Orders): void;
  /** The process is gone. Reports what it was about to say of its failure; passes on what was kept back if that is nothing. */
  end(orders: Orders): void;
  report(signal: Signal, orders: Orders): void;
}

/** Begins to hear. */
export function createListener({ input, put, blame, model, ...more }: ListenerPorts): Listener {
  const shown = createShown({ isOurs: input.isOurs });
  const totals = createTotals(more);
  let turn: FollowedTurn | undefined;
  let sessionId: string | undefined;
  let checkpoint: string | undefined;
  let lastAnswer: string | undefined;
  let leftTasks = false;
  /** A failure that Claude Code told of in the model's place, and what came after it: the result says what it was. */
  let held: SDKMessage[] = [];
  /** The caller's messages that Claude Code has taken up. */
  const started = new Set<string>();

  function show(message: SDKMessage): void {
    const passed = shown.pass(message, turn);
    if (passed !== undefined) put(passed);
  }

  function flush(): void {
    for (const message of held.splice(0)) show(message);
  }

  function report(signal: Signal, orders: Orders, isSubagent = false): void {
    if (turn === undefined) return;
    if (isSubagent && orders.takesUpRenewal) {
      const decision = turn.admission.report(signal);
      // It will have the renewed credential itself; only what can't be renewed ends it.
      if (decision.action === "fail") orders.decide(decision);
    } else if (blame.isAboutModel(model(), turn.admission, signal)) {
      orders.decide({ action: "fail", error: modelRefused() });
    } else {
      orders.decide(turn.admission.report(signal));
    }
  }

  /** Whether it was about the credential. */
  function reportFinal(signal: Signal, orders: Orders): boolean {
    if (classify(signal).verdict === "not_auth") return false;
    report(signal, orders);
    // Whatever was decided: a message about logging in is no answer.
    orders.decide({ action: "fail", error: toFailure(signal, { rateLimit: undefined, nowMs: Date.now() }) });
    held = [];
    return true;
  }

  function settle(message: SDKMessage): void {
    const named = (message as { readonly user_message_uuids?: readonly string[] }).user_message_uuids ?? []; // Of several kinds of messages.
    const ids = [...started, ...named];
    for (const id of named) if (!input.isOurs(id)) turn?.answering.add(id);
    // A single text has no id, and nothing else can have been taken up.
    if (input.text !== undefined || (ids.length === 0 && message.type === "result")) input.settleFirst();
    else input.settle(ids);
    started.clear();
  }

  function finish(result: ResultMessage, orders: Orders): void {
    if (turn === undefined) return show(result);
    const failure = held.find(isFailure);
    const signal = toFinalSignal(failure, result);
    if (signal !== undefined && reportFinal(signal, orders)) return;
    flush();
    settle(result);
    show(totals.add(result, turn));
    checkpoint = lastAnswer ?? checkpoint;
    leftTasks = turn.hasOpenTasks;
    const { admission } = turn;
    // Others of the caller's messages are with the process already: their turn begins by itself, with the same leave.
    turn = input.handed.length > 0 ? followTurn(admission) : undefined;
    if (turn !== undefined) return;
    admission.release();
    if (!leftTasks) orders.over();
  }

  return {
    get turn() {
      return turn;
    },
    get sessionId() {
      return sessionId;
    },
    get checkpoint() {
      return checkpoint;
    },
    get leftTasks() {
      return leftTasks;
    },
    begin(admission) {
      turn = followTurn(admission);
    },
    takeOver() {
      turn?.nextProcess();
      shown.takeOver();
      started.clear();
      held = [];
    },
    hear(message, orders) {
      if (message.type === "system" && message.subtype === "init") ({ session_id: sessionId } = message);
      const startedId = toStarted(message);
      if (startedId !== undefined) started.add(startedId);
      if (message.type === "result") return finish(message, orders);
      if (turn === undefined) return show(message);
      const { signals, isLost, isAnswer } = turn.note(message);
      if (isAnswer) {
        settle(message);
        flush();
        if (message.type === "assistant") lastAnswer = message.uuid;
        turn.admission.succeeded("answer");
        blame.clear(model());
        orders.answered();
      }
      if (isLost) return orders.lose();
      let isSign = false;
      for (const { signal, isSubagent } of signals) {
        isSign ||= classify(signal).verdict !== "not_auth";
        report(signal, orders, isSubagent);
      }
      if (isSign) return;
      if (held.length > 0 || isFailure(message)) held.push(message);
      else show(message);
    },
    end(orders) {
      const failure = held.find(isFailure);
      const signal = failure === undefined ? undefined : toSignal(failure);
      if (signal === undefined || !reportFinal(signal, orders)) flush();
    },
    report,
  };
}

/** Claude Code's own words about a failed call, in the main run. */
function isFailure(message: SDKMessage): boolean {
  if (message.type !== "assistant" || message.parent_tool_use_id !== null) return false;
  return isSynthetic(message) && message.error !== undefined;
}

/** The assistant's message knows the kind of an error, the result its status: together they say more. */
function toFinalSignal(failure: SDKMessage | undefined, result: ResultMessage): Signal | undefined {
  const signal = failure === undefined ? undefined : toSignal(failure);
  if (signal?.source !== "assistant") return toSignal(result);
  const status = ("api_error_status" in result ? result.api_error_status : null) ?? null;
  return { ...signal, status };
}

/** A message of the caller's that Claude Code takes up now. The SDK (0.3.330) has no type for what tells of it. */
function toStarted(message: object): string | undefined {
  if (!("type" in message) || message.type !== "command_lifecycle") return undefined;
  return "state" in message && message.state === "started" && "command_uuid" in message
    ? String(message.command_uuid)
    : undefined;
}
