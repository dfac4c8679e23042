// The Agent SDK's messages of one run → its events, up to `finish` or the run's failure. Starts and ends no process.
import type { SDKMessage, SDKRateLimitInfo } from "@anthropic-ai/claude-agent-sdk";
import { CcapiError } from "../auth/errors.ts";
import type { Signal } from "../auth/signal.ts";
import type { ContentBlock, FinishReason, TurnEvent } from "../turn/turn.ts";
import { type BlockReader, createBlockReader } from "./blocks.ts";
import { toFailure } from "./failures.ts";
import { createHandOver, type ToolTalk } from "./hand-over.ts";
import type { TurnSettings } from "./profile.ts";
import type { RunEvent } from "./run.ts";
import { isSynthetic, toSignal } from "./signals.ts";
import { createStopCutter, isOurs, throughCutter } from "./stop-cutter.ts";
import { createSubagentReader } from "./subagents.ts";
import { createCallReader } from "./tool-calls.ts";

type ResultMessage = Extract<SDKMessage, { type: "result" }>;

/** For a run in which nothing is said in between. */
const noTalk: ToolTalk = { answer: () => undefined, send: () => undefined };

/**
 * Follows a run's messages. Returns without `finish` only where they ended early.
 *
 * @param talk to the process, where the model has to be asked again for a call of a tool.
 * @throws CcapiError the run's failure, after the signal that tells of it.
 */
export async function* readAnswer(
  messages: AsyncIterable<SDKMessage>,
  turn: TurnSettings,
  now: () => number,
  talk: ToolTalk = noTalk,
): AsyncGenerator<RunEvent, void, undefined> {
  const calls = createCallReader(turn);
  const reader = createBlockReader(calls);
  const handOver = createHandOver(turn, calls, talk);
  let messageId = "";
  const subagents = createSubagentReader();
  let rateLimit: SDKRateLimitInfo | undefined;
  let failure: Extract<Signal, { source: "assistant" }> | undefined;
  let isWorking = false;
  let deltas = 0;
  const ourStops = turn.stop.filter(isOurs);
  const cutter = ourStops.length > 0 ? createStopCutter(ourStops) : undefined;

  for await (const message of messages) {
    if (!isWorking && message.type === "system" && message.subtype === "status") {
      isWorking = true;
      yield { type: "phase", phase: "working" };
    }
    if (message.type === "rate_limit_event") rateLimit = message.rate_limit_info;
    if (message.type === "result") {
      throwIfLimit(message);
      // A run whose last word was Claude Code's own about a failed call has no answer, whatever its result says.
      if (!message.is_error && failure?.error === undefined) {
        const reason = toFinishReason(reader.lastCall?.stopReason);
        if (reason === "stop" && handOver.askForCall()) continue;
        yield finish(reader, reason, message.total_cost_usd);
        return;
      }
      const signal = describeFailure(failure, message);
      yield { type: "signal", signal, isFinal: true };
      throw toFailure(signal, { rateLimit, nowMs: now() });
    }
    yield* subagents.read(message);
    const signal = toSignal(message);
    // Claude Code's own words about a failed call: the result that follows knows its status.
    if (signal?.source === "assistant") failure = signal;
    else if (signal !== undefined && !isWordlessRefusal(turn, signal)) yield { type: "signal", signal, isFinal: false };

    if (message.type === "stream_event" && message.parent_tool_use_id === null) {
      const events = reader.onStreamEvent(message.event);
      const stop = cutter === undefined ? yield* passed(events) : yield* throughCutter(events, cutter);
      deltas += events.filter(({ type }) => type === "delta").length;
      if (stop !== undefined) {
        const end = finish(reader, "stop", 0);
        // The upstream tells the count at its end only: a delta is a token, near enough.
        const outputTokens = Math.max(end.usage.outputTokens, deltas);
        yield { ...end, stopSequence: stop, usage: { ...end.usage, outputTokens } };
        return;
      }
      if (message.event.type === "message_delta") {
        yield { type: "usage", usage: reader.usage };
        handOver.judge();
        const isClients = calls.calls.some(({ offered }) => offered !== undefined);
        if (calls.faults.size === 0) yield* calls.release();
        const reason = endedByCall(turn, reader, isClients);
        if (reason !== undefined) {
          yield finish(reader, reason, 0);
          return;
        }
      }
      if (message.event.type === "message_stop") handOver.end(messageId);
    }
    if (message.type === "user" && message.parent_tool_use_id === null) {
      const results = toolResults(message);
      handOver.noteResults(results);
      if (results.length > 0) yield { type: "tool-result", results };
    }
    if (message.type === "assistant" && message.parent_tool_use_id === null && !isSynthetic(message)) {
      messageId = message.message.id;
      // A chat's are the client's, which nobody runs here.
      const tools = turn.profile === "chat" ? [] : message.message.content.filter((block) => block.type === "tool_use");
      if (tools.length > 0) {
        yield { type: "tool-use", messageId: message.message.id, tools: tools.map(({ id, name }) => ({ id, name })) };
      }
      failure = undefined;
      yield { type: "checkpoint", uuid: message.uuid, messageId: message.message.id };
      yield* reader.onAssistantMessage(message);
    }
    const { ready } = handOver;
    if (ready !== undefined) {
      yield { type: "hand-over", ...ready };
      yield finish(reader, "tool_calls", 0);
      return;
    }
  }
  if (failure !== undefined) {
    yield { type: "signal", signal: failure, isFinal: true };
    throw toFailure(failure, { rateLimit, nowMs: now() });
  }
}

/**
 * A 403 may be about a model, a revoked token or an organisation; only the final message has its words. Without retries of its
 * own a chat's comes soon (measured, 2.1.330: within 1 s).
 */
function isWordlessRefusal({ profile }: TurnSettings, signal: Signal): boolean {
  return profile === "chat" && signal.source === "api_retry" && signal.status === 403;
}

function finish(reader: BlockReader, reason: FinishReason, costUsd: number): Extract<RunEvent, { type: "finish" }> {
  const stopSequence = reader.lastCall?.stopSequence ?? undefined;
  return { type: "finish", reason, stopSequence, usage: reader.usage, costUsd };
}

/** A tool's answers, as Claude Code hands them to the model. */
function toolResults({ message }: Extract<SDKMessage, { type: "user" }>): { id: string; block: ContentBlock }[] {
  if (typeof message.content === "string") return [];
  return message.content.flatMap((block) =>
    // The Messages API's own shape, of which ContentBlock names the parts that we look at.
    block.type === "tool_result" ? [{ id: block.tool_use_id, block: block as ContentBlock }] : [],
  );
}

function* passed(events: readonly TurnEvent[]): Generator<TurnEvent, undefined, undefined> {
  yield* events;
}

function throwIfLimit(result: ResultMessage): void {
  const details = { shouldRetry: false };
  if (result.subtype === "error_max_turns") {
    throw new CcapiError("max_turns_exceeded", "The run needed more turns than it may have.", details);
  }
  if (result.subtype === "error_max_budget_usd") {
    throw new CcapiError("budget_exceeded", "The run reached its cost limit.", details);
  }
}

/** The assistant's message knows the type of an error, the result its status: together they say more. */
function describeFailure(assistant: Signal | undefined, result: ResultMessage): Signal {
  const status = ("api_error_status" in result ? result.api_error_status : null) ?? null;
  if (assistant?.source === "assistant") return { ...assistant, status };
  return toSignal(result) ?? { source: "result", error: undefined, status, text: "" };
}

/** Whether the call that just ended is the run's last for us, whatever Claude Code would do next. */
function endedByCall(
  { profile, maxTokens }: TurnSettings,
  { lastCall, usage }: BlockReader,
  isClients: boolean,
): FinishReason | undefined {
  switch (lastCall?.stopReason) {
    // Claude Code would go on by itself up to three times, even with one turn allowed (measured, 2.1.330).
    case "max_tokens":
    case "model_context_window_exceeded":
      return "length";
    // Claude Code would ask once more and then call it an error.
    case "refusal":
      return "refusal";
    case "tool_use":
      if (isClients) return undefined; // It is handed over.
      if (profile === "chat") {
        throw new CcapiError("upstream_error", "The model called a tool that it was not given.");
      }
      // The agent's bound holds for its run as a whole: no further call once it is used up.
      return maxTokens !== undefined && usage.outputTokens >= maxTokens ? "length" : undefined;
    default:
      return undefined;
  }
}

function toFinishReason(stopReason: string | null | undefined): FinishReason {
  if (stopReason === "max_tokens" || stopReason === "model_context_window_exceeded") return "length";
  return stopReason === "refusal" ? "refusal" : "stop";
}
