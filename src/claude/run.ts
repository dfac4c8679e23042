// One run of Claude: a prompt in, TurnEvents out, in a process of its own that is gone when `ended` resolves.
// Reports every sign of a failed credential as a signal and decides nothing about it.
import type { SDKMessage, SDKRateLimitInfo, SDKUserMessage } from "@anthropic-ai/claude-agent-sdk";
import { CcapiError } from "../auth/errors.ts";
import type { Signal } from "../auth/signal.ts";
import type { ContentBlock, FinishReason, TurnEvent } from "../turn/turn.ts";
import { type BlockReader, createBlockReader } from "./blocks.ts";
import type { ChildSetup } from "./child-setup.ts";
import { processDied, toFailure } from "./failures.ts";
import type { OwnedProcess, ProcessOwner } from "./process.ts";
import { type Conversation, type RunLimits, toOptions, type TurnSettings } from "./profile.ts";
import type { Runtime } from "./runtime.ts";
import { isSynthetic, toSignal } from "./signals.ts";

/** A process whose input was closed flushes its transcript and ends by itself within this time. */
const ownEndMs = 2_000;
/** A child that may be renewing a stored login is not killed at once: an orphaned lock or a spent token would be left. */
const renewalGraceMs = 10_000;

/** What to run. */
export interface RunSpec {
  readonly turn: TurnSettings;
  readonly prompt: readonly ContentBlock[];
  readonly conversation: Conversation;
  readonly workspace: string;
  readonly limits: RunLimits;
  readonly skipPermissions: boolean;
  readonly child: ChildSetup;
}

/** What a run yields: a turn's events, and beside them what its caller must know. */
export type RunEvent =
  | TurnEvent
  /** A sign of failure. After one with `isFinal` the run throws. */
  | { readonly type: "signal"; readonly signal: Signal; readonly isFinal: boolean }
  /** The transcript's last assistant message: a later run may resume there. */
  | { readonly type: "checkpoint"; readonly uuid: string };

/** A run under way. */
export interface ClaudeRun {
  /**
   * Ends after `finish`, or throws CcapiError. Ending it early ends the process.
   */
  readonly events: AsyncGenerator<RunEvent, void, undefined>;
  /** Resolves when the process and everything it started are gone. Never rejects. */
  readonly ended: Promise<void>;
}

/** What a run needs of its surroundings. */
export interface RunPorts {
  readonly runtime: Runtime;
  readonly owner: ProcessOwner;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Starts a run. Nothing is spawned before the first event is asked for. */
export function startRun(spec: RunSpec, ports: RunPorts, signal: AbortSignal): ClaudeRun {
  let markEnded: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    markEnded = resolve;
  });
  return { events: runEvents(spec, ports, signal, markEnded), ended };
}

async function* runEvents(
  spec: RunSpec,
  { runtime, owner, now }: RunPorts,
  signal: AbortSignal,
  markEnded: () => void,
): AsyncGenerator<RunEvent, void, undefined> {
  let owned: OwnedProcess | undefined;
  let isFinished = false;
  let isAuthFailure = false;
  const { input, close } = openInput(spec.prompt);
  const stop = () => void owned?.end();
  try {
    const sdk = await runtime.sdk();
    signal.throwIfAborted();
    yield { type: "phase", phase: "starting" };
    const query = sdk.query({
      prompt: input,
      options: {
        ...toOptions({
          ...spec,
          environment: spec.child.environment,
          credentialSettings: spec.child.credentialSettings,
        }),
        spawnClaudeCodeProcess: owner.spawner((spawned) => {
          owned = spawned;
        }),
      },
    });
    signal.addEventListener("abort", stop, { once: true });
    const reader = createBlockReader();
    for await (const event of readMessages(query, spec, reader, now)) {
      if (event.type === "finish") isFinished = true;
      if (event.type === "signal" && isAuthSign(event.signal)) isAuthFailure = true;
      yield event;
      if (isFinished) return;
    }
    throw processDied(owned?.exitReason());
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof CcapiError) throw error;
    throw processDied(owned?.exitReason());
  } finally {
    signal.removeEventListener("abort", stop);
    close();
    const grace = isAuthFailure && spec.child.kind === "stored_login" ? renewalGraceMs : 0;
    const end = owned?.end({ closeFirstMs: isFinished ? ownEndMs : grace });
    void (end ?? Promise.resolve()).then(markEnded);
  }
}

/** The SDK's messages → events. Throws the run's failure; returns without `finish` only where the process ended early. */
async function* readMessages(
  messages: AsyncIterable<SDKMessage>,
  { turn }: RunSpec,
  reader: BlockReader,
  now: () => number,
): AsyncGenerator<RunEvent, void, undefined> {
  let rateLimit: SDKRateLimitInfo | undefined;
  let lastSignal: Signal | undefined;
  let isWorking = false;
  const finish = (reason: FinishReason, stopSequence: string | null | undefined, costUsd = 0): RunEvent => ({
    type: "finish",
    reason,
    stopSequence: stopSequence ?? undefined,
    usage: reader.usage,
    costUsd,
  });

  for await (const message of messages) {
    const signal = toSignal(message);
    // The result of a failed call repeats its assistant message, with less said.
    if (signal !== undefined && !(signal.source === "result" && lastSignal?.source === "assistant")) {
      lastSignal = signal;
      const isFinal = signal.source === "assistant" || signal.source === "result";
      if (!isFinal || signal.source === "assistant") yield { type: "signal", signal, isFinal };
    }
    if (!isWorking && message.type === "system" && message.subtype === "status") {
      isWorking = true;
      yield { type: "phase", phase: "working" };
    }
    if (message.type === "rate_limit_event") rateLimit = message.rate_limit_info;
    if (message.type === "stream_event" && message.parent_tool_use_id === null) {
      const { event } = message;
      yield* reader.onStreamEvent(event);
      // Claude Code would go on by itself up to three times, even with one turn allowed.
      if (event.type === "message_delta" && isOverLength(turn.maxTokens, turn.profile, reader)) {
        yield finish("length", undefined);
        return;
      }
    }
    if (message.type === "assistant" && message.parent_tool_use_id === null && !isSynthetic(message)) {
      yield { type: "checkpoint", uuid: message.uuid };
      yield* reader.onAssistantMessage(message);
    }
    if (message.type === "result") {
      if (message.subtype === "error_max_turns") {
        throw new CcapiError("max_turns_exceeded", "The run needed more turns than it may have.", { shouldRetry: false });
      }
      if (message.subtype === "error_max_budget_usd") {
        throw new CcapiError("budget_exceeded", "The run reached its cost limit.", { shouldRetry: false });
      }
      if (message.is_error) {
        const failed = withStatus(lastSignal ?? toSignal(message), message) ?? { source: "result", error: undefined, status: null, text: "" };
        if (failed.source === "result") yield { type: "signal", signal: failed, isFinal: true };
        throw toFailure(failed, { rateLimit, nowMs: now() });
      }
      const { lastCall } = reader;
      yield finish(toFinishReason(lastCall?.stopReason), lastCall?.stopSequence, message.total_cost_usd);
      return;
    }
  }
}

/** The assistant's message knows the type of its error, the result its status: together they say more. */
function withStatus(signal: Signal | undefined, result: Extract<SDKMessage, { type: "result" }>): Signal | undefined {
  const status = "api_error_status" in result ? (result.api_error_status ?? null) : null;
  return signal !== undefined && "status" in signal && signal.source === "assistant" ? { ...signal, status } : signal;
}

function isOverLength(maxTokens: number | undefined, profile: TurnSettings["profile"], reader: BlockReader): boolean {
  if (reader.lastCall?.stopReason === "max_tokens") return true;
  // The agent's bound holds for the run as a whole, not for each of its calls.
  return profile === "agent" && maxTokens !== undefined && reader.usage.outputTokens >= maxTokens &&
    reader.lastCall?.stopReason === "tool_use";
}

function toFinishReason(stopReason: string | null | undefined): FinishReason {
  if (stopReason === "max_tokens" || stopReason === "model_context_window_exceeded") return "length";
  return stopReason === "refusal" ? "refusal" : "stop";
}

function isAuthSign(signal: Signal): boolean {
  return "error" in signal && signal.error === "authentication_failed";
}

/** Streaming input: one message, then open until closed, so that the process lives as long as its run. */
function openInput(prompt: readonly ContentBlock[]): { input: AsyncIterable<SDKUserMessage>; close: () => void } {
  let close: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => {
    close = resolve;
  });
  async function* input(): AsyncGenerator<SDKUserMessage> {
    yield {
      type: "user",
      // The same shapes; the SDK's type wants mutable arrays.
      message: { role: "user", content: [...prompt] as SDKUserMessage["message"]["content"] & object },
      parent_tool_use_id: null,
    };
    await closed;
  }
  return { input: input(), close };
}
