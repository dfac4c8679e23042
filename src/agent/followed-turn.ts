// One turn of a conversation, followed by the SDK's messages: how far it came, what it used, what the caller has seen of it.
// A turn may run in several processes, one after the other; this is what they have in common.
import type { SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import type { AuthAdmission } from "../auth/contract.ts";
import type { Signal } from "../auth/signal.ts";
import { isSynthetic, toSignal } from "../claude/signals.ts";
import { createSubagentReader } from "../claude/subagents.ts";
import { createProgress, type Standing } from "../turn/progress.ts";
import type { ContentBlock } from "../turn/turn.ts";
import { addNumbers } from "./sum.ts";

/** What a message says beside what is in it. */
export interface Noted {
  readonly signals: readonly { readonly signal: Signal; readonly isSubagent: boolean }[];
  /** A subagent gave up for the credential's sake: its tool's answer is none. */
  readonly isLost: boolean;
  /** The model itself has spoken, in the main run. */
  readonly isAnswer: boolean;
}

/** What the processes before the present one did in this turn. */
export interface EarlierParts {
  readonly usage: object;
  readonly toolRounds: number;
  readonly elapsedMs: number;
  readonly tools: readonly string[];
}

/** One turn. */
export interface FollowedTurn {
  admission: AuthAdmission;
  note(message: SDKMessage): Noted;
  /** Where the present process stands. */
  readonly standing: Standing;
  /** Tools started in this turn, by name. */
  readonly tools: readonly string[];
  /** `undefined`: the present process is the first. */
  readonly earlier: EarlierParts | undefined;
  /** Model calls of this turn so far. */
  readonly calls: number;
  /** Tasks that go on. */
  readonly hasOpenTasks: boolean;
  /** The present process is gone; another goes on. */
  nextProcess(): void;
  /** A process that died was carried over already: once is enough. */
  isRevived: boolean;
  /** The caller has seen the turn's `system/init`. */
  hasShownInit: boolean;
  /** Ids of the caller's messages that this turn answers. */
  readonly answering: Set<string>;
}

/** Begins to follow a turn. */
export function followTurn(admission: AuthAdmission): FollowedTurn {
  let progress = createProgress();
  let subagents = createSubagentReader();
  let beganAtMs = performance.now();
  let toolRounds = 0;
  /** By the ids of the calls; a call's last word on it counts. */
  let usage = new Map<string, object>();
  let openCall: string | undefined;
  let earlier: EarlierParts | undefined;
  let earlierCalls = 0;
  const openTasks = new Set<string>();

  function noteMain(message: SDKMessage): boolean {
    if (message.type === "assistant" && !isSynthetic(message)) {
      const { id, content } = message.message;
      const tools = content.filter((block) => block.type === "tool_use");
      if (tools.length > 0) {
        progress.note({ type: "tool-use", messageId: id, tools });
      }
      progress.note({ type: "checkpoint", uuid: message.uuid, messageId: message.message.id });
      if (id !== openCall) usage.set(id, message.message.usage);
      return true;
    }
    if (message.type === "stream_event") {
      const { event } = message;
      if (event.type === "message_start") {
        openCall = event.message.id;
        usage.set(openCall, event.message.usage);
      }
      if (event.type === "message_delta" && openCall !== undefined) {
        usage.set(openCall, { ...usage.get(openCall), ...withoutNulls(event.usage) });
      }
      const isWord = /^(?:message_start|content_block_start|content_block_delta)$/.test(event.type);
      if (isWord) progress.note({ type: "delta", kind: "text", text: "" });
      return isWord;
    }
    if (message.type === "user" && typeof message.message.content !== "string") {
      const results = message.message.content.flatMap((block) =>
        // The Messages API's own shape, of which ContentBlock names the parts that anything looks at.
        block.type === "tool_result" ? [{ id: block.tool_use_id, block: block as ContentBlock }] : [],
      );
      if (results.length > 0) {
        toolRounds += 1;
        progress.note({ type: "tool-result", results });
      }
    }
    return false;
  }

  return {
    admission,
    isRevived: false,
    hasShownInit: false,
    answering: new Set(),
    note(message) {
      const signals: { signal: Signal; isSubagent: boolean }[] = [];
      let isLost = false;
      for (const event of subagents.read(message)) {
        if (event.type === "signal") signals.push({ signal: event.signal, isSubagent: true });
        else if (event.type === "subagent-lost") isLost = true;
        else {
          progress.note(event);
          if (event.isOpen) openTasks.add(event.id);
          else openTasks.delete(event.id);
        }
      }
      const signal = message.type === "assistant" || message.type === "result" ? undefined : toSignal(message);
      if (signal !== undefined) signals.push({ signal, isSubagent: false });
      const isMain = "parent_tool_use_id" in message && message.parent_tool_use_id === null;
      return { signals, isLost, isAnswer: isMain && noteMain(message) };
    },
    get standing() {
      return progress.standing;
    },
    get tools() {
      return [...(earlier?.tools ?? []), ...progress.tools];
    },
    get earlier() {
      return earlier;
    },
    get calls() {
      return earlierCalls + usage.size;
    },
    get hasOpenTasks() {
      return openTasks.size > 0;
    },
    nextProcess() {
      earlier = {
        usage: [...usage.values()].reduce(addNumbers, earlier?.usage ?? {}),
        toolRounds: (earlier?.toolRounds ?? 0) + toolRounds,
        elapsedMs: (earlier?.elapsedMs ?? 0) + performance.now() - beganAtMs,
        tools: [...(earlier?.tools ?? []), ...progress.tools],
      };
      earlierCalls += usage.size;
      progress = createProgress();
      subagents = createSubagentReader();
      usage = new Map();
      openCall = undefined;
      toolRounds = 0;
      beganAtMs = performance.now();
      openTasks.clear();
    },
  };
}

function withoutNulls(usage: object): object {
  return Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== null));
}
