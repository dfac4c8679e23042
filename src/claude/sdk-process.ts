// One Claude process under the Agent SDK, for any number of turns: messages in, messages out, and its end.
// Knows nothing of what the messages mean.
import { randomUUID } from "node:crypto";
import type { Query, SDKMessage, SDKUserMessage } from "@anthropic-ai/claude-agent-sdk";
import * as z from "zod";
import { untilAborted } from "../auth/until-aborted.ts";
import type { ContentBlock } from "../turn/turn.ts";
import { closeImageStore } from "./image-store.ts";
import { isLoginBeingRenewed, untilLoginIsRenewed } from "./login-renewal.ts";
import { withMuzzle } from "./muzzle.ts";
import type { OwnedProcess, ProcessOwner } from "./process.ts";
import { toOptions } from "./profile.ts";
import type { RunSpec } from "./run.ts";
import type { Runtime } from "./runtime.ts";
import { createToolServer, type ToolResult } from "./tool-server.ts";
import { offeredTools } from "./toolbox.ts";

type Step = IteratorResult<SDKMessage, void>;

/** A process that has been asked for. */
export interface ClaudeProcess {
  /** Hands over a prompt. @returns the id under which the process knows it. */
  send(prompt: readonly ContentBlock[]): string;
  /** Hands over results of the client's tools, for which it waits or will wait. */
  answer(results: readonly ToolResult[]): void;
  /** Its next message. One call at a time. */
  next(): Promise<Step>;
  /** Its next message, which stays there for {@link ClaudeProcess.next}. */
  peek(): Promise<Step>;
  /**
   * Takes every turn back from the prompt `first` on: the next one begins a conversation of which nothing reaches the model API.
   * @param last the newest prompt. @returns whether it did; if not, the process is of no further use.
   */
  rewind(first: string, last: string): Promise<boolean>;
  readonly pid: number | undefined;
  /** Resolves when it has started, or is gone. */
  readonly ready: Promise<void>;
  exitReason(): string | undefined;
  stderrTail(): string;
  /**
   * Ends it with all that it started. With `closeFirstMs` it gets that long to end by itself; while a stored login is being
   * renewed it is let live, and does nothing else. From now on none of its tools runs. Any number of calls.
   */
  end(options?: { readonly closeFirstMs?: number }): Promise<void>;
}

/** What starting takes. */
export interface ProcessPorts {
  readonly sdk: Awaited<ReturnType<Runtime["sdk"]>>;
  readonly owner: ProcessOwner;
}

/** Starts a process as a run needs it. */
export function startClaudeProcess(spec: RunSpec, { sdk, owner }: ProcessPorts): ClaudeProcess {
  let owned: OwnedProcess | undefined;
  let ending: Promise<void> | undefined;
  let ahead: Promise<Step> | undefined;
  const { promise: ready, resolve: markReady } = Promise.withResolvers<void>();
  const { input, push, close } = openInput();
  const offered = offeredTools(spec.turn);
  const tools = offered.length === 0 ? undefined : createToolServer(offered);
  const options = toOptions({
    ...spec,
    environment: spec.child.environment,
    credentialSettings: spec.child.credentialSettings,
    toolServer: tools?.config,
  });
  const query = sdk.query({
    prompt: input,
    options: {
      ...options,
      // A chat has no tools that run.
      ...(spec.turn.profile === "agent" ? { hooks: withMuzzle(options.hooks, () => ending !== undefined) } : {}),
      spawnClaudeCodeProcess: owner.spawner((process) => {
        owned = process;
        void process.exited.then(markReady);
      }, furnish(spec)),
    },
  });
  const iterator = query[Symbol.asyncIterator]();
  query.initializationResult().then(
    () => markReady(),
    () => undefined,
  ); // Failed: its end tells.

  async function endAll(closeFirstMs: number): Promise<void> {
    const { kind, configDir } = spec.child;
    if (kind === "stored_login" && isLoginBeingRenewed(configDir)) {
      query.interrupt().catch(() => undefined); // It may have ended meanwhile.
      await untilLoginIsRenewed(configDir);
    }
    close();
    await owned?.end({ closeFirstMs });
    markReady();
    query.close();
  }

  return {
    send(prompt) {
      const uuid = randomUUID();
      push({
        type: "user",
        uuid,
        // The same shapes; the SDK's type wants mutable arrays.
        message: { role: "user", content: [...prompt] as SDKUserMessage["message"]["content"] & object },
        parent_tool_use_id: null,
      });
      return uuid;
    },
    answer: (results) => tools?.answer(results),
    next() {
      const step = ahead ?? iterator.next();
      ahead = undefined;
      return step;
    },
    peek: () => (ahead ??= iterator.next()),
    rewind: (first, last) => rewindConversation(query, first, last),
    get pid() {
      return owned?.pid;
    },
    ready,
    exitReason: () => owned?.exitReason(),
    stderrTail: () => owned?.stderrTail() ?? "",
    end: ({ closeFirstMs = 0 } = {}) => (ending ??= endAll(closeFirstMs)),
  };
}

function furnish({ turn, conversation, workspace }: RunSpec): ((temporaryDir: string) => void) | undefined {
  if (turn.profile !== "chat" || conversation.kind === "none") return undefined;
  return (temporaryDir) => closeImageStore(temporaryDir, workspace, conversation.sessionId);
}

/** A process that takes longer hangs. */
const rewindMs = 1_000;

/** A control request of Claude Code that the SDK has no method for (measured, 2.1.330: 3 to 16 ms). */
const rewound = z.object({ response: z.object({ rewound: z.literal(true) }) });

async function rewindConversation(query: Query, first: string, last: string): Promise<boolean> {
  if (!("request" in query) || typeof query.request !== "function") return false;
  try {
    const answer: unknown = await untilAborted(
      query.request({
        subtype: "rewind_conversation",
        target_message_uuid: first,
        last_seen_user_message_uuid: last,
      }),
      AbortSignal.timeout(rewindMs),
    );
    return rewound.safeParse(answer).success;
  } catch {
    return false; // It has ended, hangs, or knows no such request.
  }
}

/** Streaming input that stays open until it is closed: the process lives as long. */
function openInput(): {
  readonly input: AsyncIterable<SDKUserMessage>;
  readonly push: (message: SDKUserMessage) => void;
  readonly close: () => void;
} {
  const queue: SDKUserMessage[] = [];
  let isClosed = false;
  let wake: () => void = () => undefined;
  async function* input(): AsyncGenerator<SDKUserMessage> {
    for (;;) {
      const next = queue.shift();
      if (next !== undefined) yield next;
      else if (isClosed) return;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  }
  return {
    input: input(),
    push(message) {
      queue.push(message);
      wake();
    },
    close() {
      isClosed = true;
      wake();
    },
  };
}
