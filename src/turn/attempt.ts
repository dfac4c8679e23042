// One attempt of a turn: opens its conversation, runs Claude, reports every sign of a failed credential and does as it is told.
// Decides nothing about the credential itself.
import type { AuthAdmission, Decision } from "../auth/contract.ts";
import { CcapiError } from "../auth/errors.ts";
import type { ChildSetup } from "../claude/child-setup.ts";
import type { RunLimits } from "../claude/profile.ts";
import type { ClaudeRun, RunSpec } from "../claude/run.ts";
import { openConversation, type OpenConversation } from "./conversation.ts";
import type { Ledger } from "./ledger.ts";
import type { SessionStore } from "./sessions.ts";
import type { Turn, TurnContext, TurnEvent } from "./turn.ts";

/** What an attempt needs. */
export interface AttemptPorts {
  readonly sessions: SessionStore;
  readonly ledger: Ledger;
  readonly prepareChild: () => Promise<ChildSetup>;
  readonly startRun: (spec: RunSpec, signal: AbortSignal) => ClaudeRun;
  /** Makes sure of the folder that a turn's Claude works in. */
  readonly openWorkspace: (turn: Turn, context: TurnContext) => Promise<string>;
  readonly limits: RunLimits;
  readonly skipPermissions: boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** How an attempt ended that threw nothing. */
export type AttemptEnd = "finished" | "carry-over";

/** One attempt under way. */
export interface Attempt {
  /** Its events; returns how it ended. @throws CcapiError the turn's failure. */
  readonly events: AsyncGenerator<TurnEvent, AttemptEnd, undefined>;
  /** Ends what it left running. Call once, whatever happened; resolves when nothing is left. */
  tidyUp(): Promise<void>;
}

/** Makes an attempt with the leave that the turn has. Nothing happens before its first event is asked for. */
export function createAttempt(
  turn: Turn,
  context: TurnContext,
  auth: AuthAdmission,
  signal: AbortSignal,
  ports: AttemptPorts,
): Attempt {
  let run: ClaudeRun | undefined;
  let opened: OpenConversation | undefined;

  async function* events(): AsyncGenerator<TurnEvent, AttemptEnd, undefined> {
    const replaced = new AbortController();
    let decision: Decision = { action: "continue" };
    let reach: Reach = "nothing";
    const decide = (next: Decision) => {
      if (decision.action !== "continue" || next.action === "continue") return;
      decision = next;
      replaced.abort(new CcapiError("upstream_auth_unavailable", "The credential is being replaced."));
    };
    const stopListening = auth.onDecision(decide);
    try {
      const child = await prepare(ports, auth, decide);
      if (child !== undefined) {
        const workspace = await ports.openWorkspace(turn, context);
        opened = await openConversation(turn, context.client, { configDir: child.configDir, workspace }, ports);
        const { conversation, prompt, system, costBeforeUsd } = opened;
        const { limits, skipPermissions } = ports;
        run = ports.startRun(
          { turn: { ...turn, system }, prompt, conversation, workspace, limits, skipPermissions, child },
          AbortSignal.any([signal, replaced.signal]),
        );
        let checkpoint: string | undefined;
        for await (const event of run.events) {
          switch (event.type) {
            case "signal":
              decide(auth.report(event.signal));
              break;
            case "checkpoint":
              checkpoint = event.uuid;
              break;
            case "tool-use":
              reach = "tools";
              break;
            case "finish":
              if (checkpoint !== undefined) {
                // A run that we cut short doesn't know its cost: the next one's total holds it.
                await opened.commit({ checkpoint, costUsd: Math.max(event.costUsd, costBeforeUsd) });
              }
              auth.succeeded("answer");
              yield { ...event, costUsd: Math.max(0, event.costUsd - costBeforeUsd) };
              return "finished";
            case "phase":
              yield event;
              break;
            default:
              auth.succeeded("answer");
              if (reach === "nothing") reach = "text";
              yield event;
          }
          if (isDecided(decision)) break;
        }
      }
    } catch (error) {
      // What the end of a replaced run throws says nothing that the decision doesn't.
      if (!isDecided(decision) || signal.aborted) throw error;
    } finally {
      stopListening();
    }
    return conclude(decision, reach);
  }

  return {
    events: events(),
    async tidyUp() {
      await run?.ended;
      await opened?.close();
    },
  };
}

/** How far an attempt came that can be seen from outside of it. */
type Reach = "nothing" | "text" | "tools";

function conclude(decision: Decision, reach: Reach): AttemptEnd {
  if (decision.action === "fail") throw decision.error;
  if (reach === "nothing") return "carry-over";
  throw new CcapiError(
    "upstream_auth_failed_after_side_effects",
    reach === "tools"
      ? "The Claude credential failed after tools had run. Running the request again would run them again."
      : "The Claude credential failed in the middle of the answer.",
    { shouldRetry: false },
  );
}

/** A function, for the compiler can't see that listeners change it. */
function isDecided({ action }: Decision): boolean {
  return action !== "continue";
}

/** `undefined`: there is no usable credential, and what to do about it is decided. */
async function prepare(
  { prepareChild }: AttemptPorts,
  auth: AuthAdmission,
  decide: (decision: Decision) => void,
): Promise<ChildSetup | undefined> {
  try {
    return await prepareChild();
  } catch (error) {
    if (!(error instanceof CcapiError) || error.code !== "upstream_auth_unavailable") throw error;
    const { message: text } = error;
    const decision = auth.report({ source: "result", error: "authentication_failed", status: null, text });
    if (decision.action === "continue") throw error;
    decide(decision);
    return undefined;
  }
}
