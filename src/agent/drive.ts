// Drives one query from process to process, each with the leave of its credential's manager, until the conversation is over.
// What messages mean is listen.ts's to say, and where the next process begins plan.ts's.
import type { Options, SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import type { AuthAdmission } from "../auth/contract.ts";
import type { ProcessOwner } from "../claude/process.ts";
import type { Runtime } from "../claude/runtime.ts";
import { cannotGoOn, notRenewed } from "./broken-off.ts";
import type { Controls } from "./controls.ts";
import type { Input } from "./input.ts";
import type { Keeper } from "./keepers.ts";
import { createListener, type Listener } from "./listen.ts";
import { type Part, type PartEnd, runPart } from "./part.ts";
import { type Plan, planNext } from "./plan.ts";

/** What driving needs. */
export interface DrivePorts {
  readonly input: Input;
  readonly options: Options;
  readonly keeper: Keeper;
  readonly controls: Controls;
  readonly runtime: Runtime;
  readonly owner: ProcessOwner;
  readonly put: (message: SDKMessage) => void;
  /** Ends everything. */
  readonly signal: AbortSignal;
  /** Told of each process's part when it begins. */
  readonly onPart: (part: Part) => void;
}

/** Resolves when the conversation is over. @throws CcapiError, or what the SDK throws. */
export async function drive(ports: DrivePorts): Promise<void> {
  const { input, options, keeper, signal } = ports;
  const listener = createListener({
    input,
    put: ports.put,
    blame: keeper.blame,
    model: () => options.model ?? "",
    beganElsewhere: options.resume !== undefined || options.continue === true,
    hasPartials: options.includePartialMessages === true,
  });
  const operation = () => (listener.sessionId === undefined ? "query" : `query for session ${listener.sessionId}`);
  const admit = async () =>
    keeper.manager.tryAdmit(operation()) ?? keeper.manager.admit({ operation: operation(), signal });
  const next = (from: Plan) =>
    planNext({
      standing: listener.turn?.standing ?? { is: "untouched" },
      plan: from,
      options,
      sessionId: listener.sessionId,
      checkpoint: listener.checkpoint,
    });
  let plan: Plan = { is: "begin" };
  let leave: AuthAdmission | undefined;
  try {
    leave = await admit();
    for (;;) {
      const canMove = () => !listener.leftTasks && next(plan) !== undefined;
      const part = runPart({ ...ports, listener, plan, leave, admit, canMove });
      leave = undefined; // The part's now.
      ports.onPart(part);
      const end = await part.end;
      if (end.is === "finished") return;
      plan = goOn(end, next(plan), listener, input);
      if (end.is === "stale") ({ leave } = end);
      if (end.is === "over") await renew(listener, plan, signal);
      // The next process writes to the same transcript.
      await part.gone;
      input.rewind();
      listener.takeOver();
    }
  } finally {
    leave?.release();
    listener.turn?.admission.release();
  }
}

/** @throws what ends the query where it can't go on. */
function goOn(end: PartEnd, next: Plan | undefined, listener: Listener, input: Input): Plan {
  const { turn, sessionId } = listener;
  const broken = { tools: turn?.tools ?? [], sessionId };
  if (end.is === "over" && end.decision.action === "fail") throw notRenewed(end.decision.error, broken);
  if (end.is === "lost") throw cannotGoOn("while a subagent was at work", broken);
  const isBetweenCalls = next?.is === "resume" && next.first !== undefined;
  if (end.is === "died") {
    if (turn === undefined || turn.isRevived || !isBetweenCalls) throw end.error;
    turn.isRevived = true;
  }
  const hasPrompt = end.is === "stale" || isBetweenCalls || input.hasUnsettled;
  if (next === undefined || !hasPrompt) throw cannotGoOn(whereOf(listener), broken);
  return next;
}

async function renew({ turn, sessionId }: Listener, plan: Plan, signal: AbortSignal): Promise<void> {
  if (turn === undefined) return;
  const method = plan.is === "resume" && plan.first !== undefined ? "resume" : "replay";
  try {
    turn.admission = await turn.admission.recovered({ signal, method });
  } catch (error) {
    throw signal.aborted ? error : notRenewed(error, { tools: turn.tools, sessionId });
  }
}

function whereOf({ turn }: Listener): string {
  switch (turn?.standing.is) {
    case "mid-tool":
      return "while a tool was at work";
    case "mid-answer":
      return "in the middle of the answer";
    default:
      return "in a conversation that is kept nowhere, or in a store of the caller's";
  }
}
