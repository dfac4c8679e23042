// One attempt of a turn: opens its conversation or goes on in one, runs Claude, reports every sign of a failed credential and does
// as it is told. Decides nothing about the credential itself.
import type { AuthAdmission, Decision } from "../auth/contract.ts";
import { CcapiError } from "../auth/errors.ts";
import type { ChildSetup } from "../claude/child-setup.ts";
import type { Pool } from "../claude/pool-contract.ts";
import type { ClaudeRun, RunSpec } from "../claude/run.ts";
import { createTrace } from "../claude/trace.ts";
import { addUsage, noUsage } from "../claude/usage.ts";
import type { OpenConversation } from "./conversation.ts";
import type { HandOvers } from "./hand-overs.ts";
import { type ModelBlame, modelRefused } from "./model-blame.ts";
import { type Beginning, type OpenPorts, openRun } from "./open-run.ts";
import { prepare } from "./prepare.ts";
import { createProgress, type Progress } from "./progress.ts";
import { afterSideEffects, afterTools, notRenewed, type Resumption, startOf, toResumption } from "./recover.ts";
import type { Turn, TurnContext, TurnEvent } from "./turn.ts";

/** What an attempt needs. */
export interface AttemptPorts extends OpenPorts {
  readonly pool: (OpenPorts["pool"] & Pick<Pool, "endSession">) | undefined;
  readonly prepareChild: () => Promise<ChildSetup>;
  readonly startRun: (spec: RunSpec, signal: AbortSignal) => ClaudeRun;
  readonly blame: ModelBlame;
}

/** How an attempt ended that threw nothing. */
export type AttemptEnd =
  | { readonly is: "finished" }
  /** The credential ended it: another attempt, with a renewed one, begins anew or goes on where this one stopped. */
  | { readonly is: "carry-over"; readonly resumption: Resumption | undefined }
  /** The process was of no use, and nothing had been said or done: another does the same. */
  | { readonly is: "again"; readonly resumption: Resumption | undefined }
  /** Its process died between two calls: another goes on. */
  | { readonly is: "revive"; readonly resumption: Resumption };

/** One attempt under way. */
export interface Attempt {
  /** Its events; returns how it ended. @throws CcapiError the turn's failure. */
  readonly events: AsyncGenerator<TurnEvent, AttemptEnd, undefined>;
  /** Ends what it left running. Call once, whatever happened; resolves when nothing is left. */
  tidyUp(): Promise<void>;
}

/**
 * Makes an attempt with the leave that the turn has. Nothing happens before its first event is asked for.
 *
 * @param beginning where it begins; it then owns the conversation of the attempt before it.
 */
export function createAttempt(
  turn: Turn,
  context: TurnContext,
  auth: AuthAdmission,
  signal: AbortSignal,
  ports: AttemptPorts & { readonly handOvers: HandOvers },
  beginning: Beginning,
): Attempt {
  const { resumed, isFresh } = beginning;
  const progress = createProgress(context.delivery, turn.outputFormat !== undefined);
  const trace = createTrace("");
  /** Words that nobody has been sent: those of a call that breaks off were never said. */
  const unsaid: TurnEvent[] = [];
  let run: ClaudeRun | undefined;
  let opened: OpenConversation | undefined = resumed?.opened;
  let isHandedOn = false;
  /** The model has answered with the very credential of this attempt: what fails then is not the model. */
  let hasAnswered = false;

  async function* events(): AsyncGenerator<TurnEvent, AttemptEnd, undefined> {
    const replaced = new AbortController();
    let decision: Decision = { action: "continue" };
    let isHeldOn = false;
    const decide = (next: Decision) => {
      if (decision.action !== "continue" || next.action === "continue") return;
      if (isHeldOn && next.action !== "fail") return;
      decision = next;
      replaced.abort(new CcapiError("upstream_auth_unavailable", "The credential is being replaced."));
    };
    // A function, for the compiler can't see that listeners change it.
    const latest = (): Decision => decision;
    const isDecided = () => latest().action !== "continue";
    const stopListening = auth.onDecision(decide);
    try {
      const child = await prepare(ports.prepareChild, auth, decide);
      if (child !== undefined) {
        const begun = await openRun(turn, context, child, beginning, ports);
        ({ opened } = begun);
        run = ports.startRun(begun.run, AbortSignal.any([signal, replaced.signal]));
        for await (const event of run.events) {
          progress.note(event);
          trace.note(event);
          switch (event.type) {
            case "signal":
              isHeldOn = event.isSubagent === true && takesUpRenewal(child);
              decide(
                !(hasAnswered && event.isSubagent !== true) &&
                  ports.blame.isAboutModel(turn.requestedModel, auth, event.signal)
                  ? { action: "fail", error: modelRefused() }
                  : auth.report(event.signal),
              );
              break;
            case "checkpoint":
              hasAnswered = true;
              break;
            case "subagent-lost":
              throw afterSideEffects(progress, turn.sessionId);
            case "tool-result":
              yield* unsaid.splice(0);
              break;
            case "tool-use":
            case "hand-over":
            case "task":
            case "usage":
              break;
            case "finish":
              yield* unsaid.splice(0);
              yield await conclude(event, begun.opened);
              return { is: "finished" };
            case "phase":
              yield event;
              break;
            default:
              ports.blame.clear(turn.requestedModel);
              auth.succeeded("answer");
              if (context.delivery === "stream") yield event;
              else unsaid.push(event);
          }
          if (isDecided()) break;
        }
      }
    } catch (error) {
      // What the end of a replaced run throws says nothing that the decision doesn't.
      if (!isDecided() || signal.aborted) {
        // Nothing was said or done: another process does the same, once.
        if (isDeath(error) && !signal.aborted && !isFresh && progress.standing.is === "untouched") {
          return { is: "again", resumption: sameAgain() };
        }
        const mayRevive = isDeath(error) && !signal.aborted && resumed?.isRevived !== true;
        const resumption = mayRevive ? handOn() : undefined;
        if (resumption === undefined) throw afterTools(error, toolsOf(progress), turn.sessionId);
        return { is: "revive", resumption: { ...resumption, isRevived: true } };
      }
    } finally {
      stopListening();
    }
    const told = latest();
    if (told.action === "fail") throw notRenewed(told.error, toolsOf(progress), turn.sessionId);
    return carryOver(progress);
  }

  /** What the turn has started so far. */
  function toolsOf({ tools }: Progress): readonly string[] {
    return [...(resumed?.tools ?? []), ...tools];
  }

  async function conclude(
    event: Extract<TurnEvent, { type: "finish" }>,
    conversation: OpenConversation,
  ): Promise<TurnEvent> {
    const { costBeforeUsd } = conversation;
    // A run that we cut short doesn't know its cost: the next one's total holds it.
    const costUsd = Math.max(event.costUsd, costBeforeUsd);
    const { checkpoint, answer, waiting } = trace.left();
    if (checkpoint !== undefined) await conversation.commit({ checkpoint, costUsd, answer, waiting });
    auth.succeeded("answer");
    return {
      ...event,
      usage: addUsage(resumed?.usage ?? noUsage, event.usage),
      costUsd: Math.max(0, event.costUsd - costBeforeUsd),
    };
  }

  /** Where the next attempt may go on, if it may; the conversation is its own from then on. */
  function handOn(): Resumption | undefined {
    const resumption = opened && toResumption(progress, opened, resumed);
    isHandedOn = resumption !== undefined;
    return resumption;
  }

  /** Of an attempt that resumed a conversation and got nowhere the next one does the same again. */
  function sameAgain(): Resumption | undefined {
    const same = resumed ?? (opened && startOf(opened));
    isHandedOn = same !== undefined;
    return same;
  }

  function carryOver({ standing }: Progress): AttemptEnd {
    if (standing.is === "untouched") return { is: "carry-over", resumption: sameAgain() };
    const resumption = handOn();
    if (resumption === undefined) throw afterSideEffects(progress, turn.sessionId);
    return { is: "carry-over", resumption };
  }

  return {
    events: events(),
    async tidyUp() {
      await run?.ended;
      if (!isHandedOn) await opened?.close();
    },
  };
}

/**
 * Whether a process that runs finds a renewed credential by itself (measured, 2.1.330: its subagents within 2 s). Others would
 * ask with the old one for minutes, and what a subagent did can't be carried over to another process.
 */
function takesUpRenewal({ kind }: ChildSetup): boolean {
  return kind === "api_key_helper" || kind === "stored_login";
}

function isDeath(error: unknown): boolean {
  return error instanceof CcapiError && error.code === "upstream_process_died";
}
