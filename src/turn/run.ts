// One turn from the front door to Claude and back: takes its place in line, opens its conversation, runs, tidies up.
// Knows nothing of HTTP, and of processes only that a run has one.
import { classify } from "../auth/classify.ts";
import { CcapiError } from "../auth/errors.ts";
import type { Signal } from "../auth/signal.ts";
import type { ChildSetup } from "../claude/child-setup.ts";
import { credentialAction } from "../claude/credential.ts";
import type { RunLimits } from "../claude/profile.ts";
import type { ClaudeRun, RunSpec } from "../claude/run.ts";
import type { Admission } from "./admission.ts";
import { openConversation, type OpenConversation } from "./conversation.ts";
import type { Ledger } from "./ledger.ts";
import type { KeyedLock } from "./lock.ts";
import { sessionKey } from "./session-care.ts";
import type { SessionStore } from "./sessions.ts";
import type { RunTurn, Turn, TurnContext, TurnEvent } from "./turn.ts";

/** What running turns needs. */
export interface TurnPorts {
  readonly admission: Admission;
  readonly sessions: SessionStore;
  readonly sessionLock: KeyedLock;
  readonly ledger: Ledger;
  readonly prepareChild: () => Promise<ChildSetup>;
  readonly startRun: (spec: RunSpec, signal: AbortSignal) => ClaudeRun;
  /** Makes sure of the folder that a turn's Claude works in. */
  readonly openWorkspace: (turn: Turn, context: TurnContext) => Promise<string>;
  readonly limits: RunLimits & { readonly timeoutMs: number };
  readonly skipPermissions: boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Told of what failed while tidying up, when no client is there any more to hear of it. */
  readonly onTidyError: (error: unknown, context: TurnContext) => void;
}

/** Runs turns, and knows when all that they left behind is tidied up. */
export interface TurnRunner {
  readonly runTurn: RunTurn;
  /** Resolves when every run begun so far has given back what it held. */
  settled(): Promise<void>;
}

/** Makes a runner. */
export function createTurnRunner(ports: TurnPorts): TurnRunner {
  const untidy = new Set<Promise<void>>();

  async function* runTurn(turn: Turn, context: TurnContext): AsyncGenerator<TurnEvent, void, undefined> {
    const deadline = AbortSignal.timeout(ports.limits.timeoutMs);
    const signal = AbortSignal.any([context.signal, deadline]);
    const held: Held = { releases: [], run: undefined, conversation: undefined };
    let checkpoint: string | undefined;
    try {
      yield* takePlace(turn, context, signal, held);
      const child = await ports.prepareChild();
      const workspace = await ports.openWorkspace(turn, context);
      const place = { configDir: child.configDir, workspace };
      held.conversation = await openConversation(turn, context.client, place, ports);
      const { conversation, prompt, costBeforeUsd } = held.conversation;
      const { limits, skipPermissions } = ports;
      held.run = ports.startRun({ turn, prompt, conversation, workspace, limits, skipPermissions, child }, signal);
      for await (const event of held.run.events) {
        switch (event.type) {
          case "signal":
            throwIfAuth(event.signal, child);
            break;
          case "checkpoint":
            checkpoint = event.uuid;
            break;
          case "finish":
            if (checkpoint !== undefined) {
              // A run that we cut short doesn't know its cost: the next one's total holds it.
              await held.conversation.commit({ checkpoint, costUsd: Math.max(event.costUsd, costBeforeUsd) });
            }
            yield { ...event, costUsd: Math.max(0, event.costUsd - costBeforeUsd) };
            break;
          default:
            yield event;
        }
      }
    } catch (error) {
      throw explain(error, context.signal, deadline, ports.limits.timeoutMs);
    } finally {
      const tidied = tidyUp(held)
        .catch((error: unknown) => ports.onTidyError(error, context))
        .finally(() => untidy.delete(tidied));
      untidy.add(tidied);
    }
  }

  async function* takePlace(
    turn: Turn,
    { client }: TurnContext,
    signal: AbortSignal,
    held: Held,
  ): AsyncGenerator<TurnEvent, void, undefined> {
    if (turn.sessionId !== undefined) {
      const key = sessionKey(client.name, turn.sessionId);
      if (ports.sessionLock.isHeld(key)) yield { type: "phase", phase: "queued" };
      held.releases.push(await ports.sessionLock.acquire(key, signal));
    }
    if (ports.admission.isFull) yield { type: "phase", phase: "queued" };
    held.releases.push(await ports.admission.acquire(signal));
  }

  return {
    runTurn,
    async settled() {
      while (untidy.size > 0) await Promise.all(untidy);
    },
  };
}

/** What a turn holds until its process is gone. */
interface Held {
  readonly releases: (() => void)[];
  run: ClaudeRun | undefined;
  conversation: OpenConversation | undefined;
}

async function tidyUp({ run, conversation, releases }: Held): Promise<void> {
  try {
    await run?.ended;
    await conversation?.close();
  } finally {
    for (const release of releases.toReversed()) release();
  }
}

function throwIfAuth(signal: Signal, child: ChildSetup): void {
  if (classify(signal).verdict === "not_auth") return;
  throw new CcapiError("upstream_auth_unavailable", "Claude rejected the credential of this server.", {
    state: "unauthenticated",
    action: credentialAction(child.kind),
    retryAfterMs: 30_000,
  });
}

function explain(error: unknown, client: AbortSignal, deadline: AbortSignal, timeoutMs: number): unknown {
  if (error instanceof CcapiError) return error;
  if (client.aborted) {
    if (client.reason instanceof CcapiError) return client.reason;
    return new CcapiError("client_closed_request", "The client closed the connection.");
  }
  if (deadline.aborted) {
    return new CcapiError("request_timeout", `The request took longer than ${timeoutMs / 1_000} s.`);
  }
  return error;
}
