// Which of a process's messages the caller is shown: all that an unbroken run would have sent, and each of them once.
// Says nothing of failures: what those are is decided elsewhere.
import type { SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import type { FollowedTurn } from "./followed-turn.ts";

/** What decides about a message. */
export interface ShownPorts {
  /** Whether an id of a user message is ours, given where the caller gave none. */
  readonly isOurs: (uuid: string) => boolean;
}

/** Follows what is shown in one query. */
export interface Shown {
  /** Another process takes over in the middle of the conversation. */
  takeOver(): void;
  /** The message as the caller sees it; `undefined`: not at all. */
  pass(message: SDKMessage, turn: FollowedTurn | undefined): SDKMessage | undefined;
}

/** Begins to follow. */
export function createShown({ isOurs }: ShownPorts): Shown {
  /** A process that took over has said nothing of its own yet. */
  let isStartingUp = false;
  let lastStatus: string | null | undefined;
  const lifecycles = new Set<string>();

  function isShown(message: SDKMessage, turn: FollowedTurn | undefined): boolean {
    const lifecycle = toLifecycle(message);
    if (lifecycle !== undefined) {
      if (isOurs(lifecycle.id) || lifecycles.has(lifecycle.step)) return false;
      lifecycles.add(lifecycle.step);
      return true;
    }
    if (message.type !== "system") {
      const isPrompt = isStartingUp && message.type === "user";
      if (isPrompt) return false;
      if (message.type === "assistant" || message.type === "stream_event" || message.type === "result") {
        isStartingUp = false;
        lastStatus = undefined;
      } else if (message.type === "user") lastStatus = undefined;
      return true;
    }
    if (message.subtype === "init") {
      const isFirst = turn?.hasShownInit !== true;
      if (turn !== undefined) turn.hasShownInit = true;
      return isFirst;
    }
    if (message.subtype === "status") {
      // Said again for a call that is made again.
      const isNew = message.status === null || message.status !== lastStatus;
      lastStatus = message.status;
      return isNew;
    }
    return !isStartingUp;
  }

  return {
    takeOver() {
      isStartingUp = true;
    },
    pass: (message, turn) => (isShown(message, turn) ? withoutOwn(message, isOurs) : undefined),
  };
}

/** A step in the life of a message that has an id. The SDK (0.3.330) sends these and has no type for them. */
function toLifecycle(message: object): { readonly id: string; readonly step: string } | undefined {
  if (!("type" in message) || message.type !== "command_lifecycle") return undefined;
  const id = "command_uuid" in message ? String(message.command_uuid) : "";
  const state = "state" in message ? String(message.state) : "";
  return { id, step: `${id} ${state}` };
}

/** Without the ids that we gave to the caller's messages. */
function withoutOwn(message: SDKMessage, isOurs: (uuid: string) => boolean): SDKMessage {
  if (!("user_message_uuids" in message) && !("user_message_uuid" in message)) return message;
  const {
    user_message_uuid: one,
    user_message_uuids: all,
    ...rest
  } = message as SDKMessage & {
    readonly user_message_uuid?: string;
    readonly user_message_uuids?: readonly string[];
  };
  const theirs = (all ?? []).filter((id) => !isOurs(id));
  return {
    ...rest,
    ...(one === undefined || isOurs(one) ? {} : { user_message_uuid: one }),
    ...(theirs.length === 0 ? {} : { user_message_uuids: theirs }),
  };
}
