// What one attempt runs, and in which conversation: a chat that a process still has in its memory, a transcript, or a new one,
// for which a process may have been started ahead. Runs nothing.
import type { ChildSetup } from "../claude/child-setup.ts";
import type { Pool, Taken } from "../claude/pool-contract.ts";
import type { RunLimits } from "../claude/profile.ts";
import type { RunSpec } from "../claude/run.ts";
import { splitConversation } from "../claude/transcript.ts";
import { type OpenConversation, openConversation } from "./conversation.ts";
import type { HandOvers } from "./hand-overs.ts";
import type { Ledger } from "./ledger.ts";
import type { Resumption } from "./recover.ts";
import type { SessionStore } from "./sessions.ts";
import { memoryConversation } from "./stateless.ts";
import type { Turn, TurnContext } from "./turn.ts";

/** What opening needs. */
export interface OpenPorts {
  readonly sessions: SessionStore;
  readonly ledger: Ledger;
  /** Makes sure of the folder that a turn's Claude works in. */
  readonly openWorkspace: (turn: Turn, context: TurnContext) => Promise<string>;
  readonly pool: Pick<Pool, "takeChat" | "takeSpare" | "hasSession" | "drop"> | undefined;
  readonly limits: RunLimits;
  readonly skipPermissions: boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Where an attempt begins. */
export interface Beginning {
  /** Where an earlier attempt of the turn stopped, if it did: its conversation is open already. */
  readonly resumed: Resumption | undefined;
  /** A process that had waited was of no use: this attempt has one of its own. */
  readonly isFresh: boolean;
}

/** A run with its conversation. */
export interface OpenedRun {
  readonly run: RunSpec;
  readonly opened: OpenConversation;
}

/** Opens it. Where it throws, nothing is left open. @throws CcapiError as `openConversation` does. */
export async function openRun(
  turn: Turn,
  context: TurnContext,
  child: ChildSetup,
  { resumed, isFresh }: Beginning,
  ports: OpenPorts & { readonly handOvers: HandOvers },
): Promise<OpenedRun> {
  const { limits, skipPermissions, pool } = ports;
  const workspace = await ports.openWorkspace(turn, context);
  const reuse = { client: context.client.name, endUser: turn.endUser, isSession: turn.sessionId !== undefined };
  const common = { workspace, limits, skipPermissions, child, reuse, isFresh };
  if (resumed !== undefined) {
    const { opened, conversation, prompt } = resumed;
    return { run: { ...common, turn: { ...turn, system: opened.system }, prompt, conversation }, opened };
  }
  const live = isFresh ? undefined : openLive(turn, common, pool);
  if (live !== undefined) return live;

  let taken: Taken | undefined;
  async function idOfSpare(): Promise<string | undefined> {
    // Its prompt and its id are nothing that spares differ by.
    const wish: RunSpec = { ...common, turn, prompt: [], conversation: { kind: "new", sessionId: "" } };
    const spare = await pool?.takeSpare(wish);
    taken = spare;
    return spare?.sessionId;
  }
  try {
    const place = { configDir: child.configDir, workspace };
    const opened = await openConversation(turn, context.client, place, { ...ports, idOfSpare });
    const { system, prompt, conversation } = opened;
    return { run: { ...common, turn: { ...turn, system }, prompt, conversation, taken }, opened };
  } catch (error) {
    if (taken !== undefined) {
      pool?.drop(taken.process);
      await taken.process.end();
    }
    throw error;
  }
}

/** A chat whose history is in the memory of a process: nothing of it has to be handed over again, or written anywhere. */
function openLive(
  turn: Turn,
  common: Omit<RunSpec, "turn" | "prompt" | "conversation">,
  pool: OpenPorts["pool"],
): OpenedRun | undefined {
  if (turn.sessionId !== undefined || turn.profile !== "chat") return undefined;
  const { history, prompt } = splitConversation(turn.messages);
  const run: RunSpec = { ...common, turn, prompt, conversation: { kind: "none" } };
  const taken = history.length === 0 ? undefined : pool?.takeChat(run, history);
  return taken && { run: { ...run, taken }, opened: memoryConversation(turn, prompt) };
}
