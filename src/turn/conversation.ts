// Where a turn's conversation comes from and where it goes: a session's transcript that stays, or one that is deleted.
// Decides nothing about running it.
import { CcapiError } from "../auth/errors.ts";
import type { Handed } from "../claude/hand-over.ts";
import type { Pool } from "../claude/pool-contract.ts";
import type { Conversation } from "../claude/profile.ts";
import {
  deleteTranscript,
  isInTranscript,
  splitConversation,
  type TranscriptPlace,
  untilInTranscript,
} from "../claude/transcript.ts";
import { toModelPrompt } from "../claude/tool-server.ts";
import { beginTranscript, newId } from "./begin-transcript.ts";
import type { HandOvers } from "./hand-overs.ts";
import type { Ledger } from "./ledger.ts";
import type { SessionRecord, SessionStore } from "./sessions.ts";
import { openAgent, openChat } from "./stateless.ts";
import { assertSessionResults, assertToolMessages, completeResults } from "./tool-messages.ts";
import type { Client, ContentBlock, Message, Turn } from "./turn.ts";

/** How a run ended well, as far as its conversation is concerned. */
export interface RunOutcome {
  /** The last assistant message of the run. */
  readonly checkpoint: string;
  /** Claude's running total for the conversation, US dollars. */
  readonly costUsd: number;
  /** The answer as the client got it. */
  readonly answer: Message;
  /** The calls of the client's tools with which it ended. */
  readonly waiting: Handed | undefined;
}

/** A conversation opened for one turn. */
export interface OpenConversation {
  readonly conversation: Conversation;
  readonly prompt: readonly ContentBlock[];
  /** The system message: the turn's own, or else the one that its session had. */
  readonly system: string | undefined;
  /** What the conversation had cost before this turn, US dollars. */
  readonly costBeforeUsd: number;
  /** Call before the client hears of the end: what it asks next finds the turn done. */
  commit(outcome: RunOutcome): Promise<void>;
  /** Call once, when the run's process is gone: keeps what was committed and is on disk, clears the rest away. */
  close(): Promise<void>;
}

/** What opening one needs. */
export interface ConversationPorts {
  readonly sessions: SessionStore;
  readonly ledger: Ledger;
  /** A process that goes on from there keeps what its transcript may not hold yet. */
  readonly pool: Pick<Pool, "hasSession"> | undefined;
  /** Where agents' conversations without a session wait for the client's tools. */
  readonly handOvers: HandOvers;
  /** Under which id the transcript of a new conversation will be, where a process was started for it ahead. */
  readonly idOfSpare: () => Promise<string | undefined>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Where transcripts of this turn lie. */
export type TurnPlace = Omit<TranscriptPlace, "sessionId">;

/**
 * Opens the conversation of a turn. For a session, the caller holds its lock until `close` has resolved.
 *
 * @throws CcapiError `invalid_request` where a session is continued with another kind of model, or waits for other results of tools
 * than it is brought; `session_not_found` where Claude's transcript of a session is gone.
 */
export async function openConversation(
  turn: Turn,
  client: Client,
  place: TurnPlace,
  ports: ConversationPorts,
): Promise<OpenConversation> {
  if (turn.sessionId === undefined) {
    return turn.profile === "chat" ? openChat(turn, place, ports) : openAgent(turn, client, place, ports);
  }
  const record = await ports.sessions.get(client.name, turn.sessionId);
  if (record === undefined) return openNewSession(turn, turn.sessionId, client, place, ports);
  return continueSession(turn, record, ports);
}

async function openNewSession(
  turn: Turn,
  id: string,
  client: Client,
  turnPlace: TurnPlace,
  { sessions, ledger, pool, idOfSpare, now }: ConversationPorts,
): Promise<OpenConversation> {
  assertToolMessages(turn.messages);
  const { history, prompt } = splitConversation(turn.messages);
  const place = { ...turnPlace, sessionId: await newId(history, idOfSpare) };
  const expired = await sessions.getExpired(client.name, id);
  if (expired !== undefined) await deleteTranscript(toPlace(expired));
  let committed: SessionRecord | undefined;
  return {
    conversation: await beginTranscript(place, history, turn, ledger),
    prompt: toModelPrompt(prompt),
    system: turn.system,
    costBeforeUsd: 0,
    async commit(outcome) {
      if (outcome.waiting !== undefined) await untilInTranscript(place, outcome.checkpoint);
      committed = {
        version: 1,
        id,
        clientName: client.name,
        profile: turn.profile,
        model: turn.requestedModel,
        system: turn.system,
        claudeSessionId: place.sessionId,
        resumeAt: outcome.checkpoint,
        waiting: outcome.waiting,
        workspace: place.workspace,
        configDir: place.configDir,
        turns: 1,
        costUsd: outcome.costUsd,
        createdAtMs: now(),
        lastUsedAtMs: now(),
      };
      await sessions.put(committed);
      // Should this process be killed now, the next one's start must not sweep it away.
      await ledger.keep(place);
    },
    async close() {
      // A first turn that failed leaves nothing to continue: the next one begins anew.
      if (committed === undefined) return ledger.delete(place);
      const isDeleted = !(await sessions.has(client.name, id));
      if (!isDeleted && pool?.hasSession(place.sessionId, committed.resumeAt) === true) return;
      if (isDeleted || !(await isInTranscript(place, committed.resumeAt))) {
        await sessions.delete(client.name, id);
        await deleteTranscript(place);
      }
    },
  };
}

async function continueSession(
  turn: Turn,
  record: SessionRecord,
  { sessions, pool, now }: ConversationPorts,
): Promise<OpenConversation> {
  if (record.profile !== turn.profile) {
    throw new CcapiError(
      "invalid_request",
      `This session was begun with ${record.model}: agent and chat models can't share one. Use another session id.`,
      { param: "model" },
    );
  }
  const place = toPlace(record);
  const isLive = (resumeAt: string) => pool?.hasSession(record.claudeSessionId, resumeAt) === true;
  if (!isLive(record.resumeAt) && !(await isInTranscript(place, record.resumeAt))) await sessions.bring(record);
  if (!isLive(record.resumeAt) && !(await isInTranscript(place, record.resumeAt))) {
    await sessions.delete(record.clientName, record.id);
    await deleteTranscript(place); // What else was beside it.
    throw new CcapiError(
      "session_not_found",
      "Claude's transcript of this session is gone. Send the conversation again: it begins a new session of this id.",
    );
  }
  const { prompt } = splitConversation(turn.messages);
  const { waiting } = record;
  assertSessionResults(waiting, prompt);
  // Expired is not deleted: a long turn began in time.
  const isDeleted = async () => !(await sessions.has(record.clientName, record.id));
  let committed: SessionRecord | undefined;
  return {
    conversation: { kind: "resume", sessionId: record.claudeSessionId, resumeAt: record.resumeAt },
    prompt: waiting === undefined ? prompt : completeResults(waiting, toModelPrompt(prompt)),
    system: turn.system ?? record.system,
    costBeforeUsd: record.costUsd,
    async commit(outcome) {
      if (await isDeleted()) return;
      if (outcome.waiting !== undefined) await untilInTranscript(place, outcome.checkpoint);
      committed = {
        ...record,
        model: turn.requestedModel,
        system: turn.system ?? record.system,
        resumeAt: outcome.checkpoint,
        waiting: outcome.waiting,
        turns: record.turns + 1,
        costUsd: outcome.costUsd,
        lastUsedAtMs: now(),
      };
      await sessions.put(committed);
    },
    async close() {
      if (await isDeleted()) return deleteTranscript(place);
      // A turn that failed or was cancelled never was: the next one goes on from the last that ended well.
      if (committed === undefined || isLive(committed.resumeAt)) return;
      if (!(await isInTranscript(place, committed.resumeAt))) await sessions.put(record);
    },
  };
}

/** Where a session's transcript lies. */
export function toPlace(record: SessionRecord): TranscriptPlace {
  return {
    configDir: record.configDir,
    workspace: record.workspace,
    sessionId: record.claudeSessionId,
  };
}
