// The caller's prompt, read once, and handed to whichever process is there: what a process did not get to is handed to the next.
// Knows when a message has become part of the conversation; knows nothing of credentials.
import { randomUUID, type UUID } from "node:crypto";
import type { SDKUserMessage } from "@anthropic-ai/claude-agent-sdk";
import { interruptible, orAborted } from "./interruptible.ts";

interface Entry {
  message: SDKUserMessage & { uuid: UUID };
  /** The id is ours: the caller gave none, and is shown none. */
  readonly isOurs: boolean;
  isHanded: boolean;
}

/** How one process is fed. */
export interface FeedOptions {
  /** What goes first: the answers of tools with which a conversation goes on. */
  readonly first: SDKUserMessage | undefined;
  /** Resolves when the process may be given its first message. */
  readonly ready: Promise<void>;
  /** Resolves when the process has begun to answer `first`: what came sooner would become one message with it. */
  readonly answered: Promise<void>;
  /** Resolves when the input of a conversation of one turn may end. */
  readonly over: Promise<void>;
  /** Asked before each message; `false`: the process gets nothing more. */
  readonly begin: () => Promise<boolean>;
  /** Ends the feeding. */
  readonly signal: AbortSignal;
}

/** The caller's messages. */
export interface Input {
  /** The one text that a query was given as its prompt; `undefined`: a conversation of several turns. */
  readonly text: string | undefined;
  /** Notes that a process was started with the text. */
  noteTextHanded(): void;
  feed(options: FeedOptions): AsyncGenerator<SDKUserMessage, void, undefined>;
  /** Adds messages to those of the caller's own; resolves when all have been read. */
  add(messages: AsyncIterable<SDKUserMessage>): Promise<void>;
  /** These are part of the conversation now, and with them what was handed over before them. */
  settle(uuids: readonly string[]): void;
  /** Nobody told which: the first one is. */
  settleFirst(): void;
  /** Ids of messages that a process was given and that are no part of the conversation yet. */
  readonly handed: readonly string[];
  /** Some are no part of the conversation yet, handed or not. */
  readonly hasUnsettled: boolean;
  /** All that is not settled is to be handed over again. */
  rewind(): void;
  isOurs(uuid: string): boolean;
}

/** Begins to read the prompt. `onError`: reading it failed. */
export function createInput(
  prompt: string | AsyncIterable<SDKUserMessage>,
  signal: AbortSignal,
  onError: (error: unknown) => void,
): Input {
  let entries: Entry[] = [];
  let reading = 0;
  let changed = Promise.withResolvers<void>();
  const ours = new Set<string>();
  const wake = () => {
    changed.resolve();
    changed = Promise.withResolvers();
  };
  const newId = () => {
    const id = randomUUID();
    ours.add(id);
    return id;
  };

  function push(message: SDKUserMessage): void {
    const isOurs = message.uuid === undefined;
    entries.push({ message: { ...message, uuid: message.uuid ?? newId() }, isOurs, isHanded: false });
    wake();
  }

  async function read(messages: AsyncIterable<SDKUserMessage>): Promise<void> {
    reading += 1;
    try {
      for await (const message of interruptible(messages, signal)) push(message);
    } finally {
      reading -= 1;
      wake();
    }
  }

  const text = typeof prompt === "string" ? prompt : undefined;
  if (typeof prompt === "string") {
    push({ type: "user", message: { role: "user", content: prompt }, parent_tool_use_id: null });
  } else {
    read(prompt).catch(onError);
  }

  return {
    text,
    noteTextHanded() {
      for (const entry of entries) entry.isHanded = true;
    },
    async *feed({ first, ready, answered, over, begin, signal: stop }) {
      await orAborted(ready, stop);
      if (first !== undefined && !stop.aborted) {
        yield first;
        await orAborted(answered, stop);
      }
      while (!stop.aborted) {
        const entry = entries.find(({ isHanded }) => !isHanded);
        if (entry !== undefined) {
          if (!(await begin()) || stop.aborted) return;
          entry.isHanded = true;
          yield entry.message;
        } else if (reading > 0) {
          await orAborted(changed.promise, stop);
        } else {
          if (text !== undefined) await orAborted(over, stop);
          return;
        }
      }
    },
    add: read,
    settle(uuids) {
      const last = entries.findLastIndex(({ message, isHanded }) => isHanded && uuids.includes(message.uuid));
      entries = entries.filter(({ isHanded }, index) => index > last || !isHanded);
    },
    settleFirst() {
      const index = entries.findIndex(({ isHanded }) => isHanded);
      entries = entries.filter((_entry, at) => at !== index);
    },
    get handed() {
      return entries.filter(({ isHanded }) => isHanded).map(({ message }) => message.uuid);
    },
    get hasUnsettled() {
      return entries.length > 0;
    },
    rewind() {
      for (const entry of entries) {
        entry.isHanded = false;
        if (entry.isOurs) entry.message = { ...entry.message, uuid: newId() };
      }
    },
    isOurs: (uuid) => ours.has(uuid),
  };
}
