// One Claude process of a query: started through the SDK with the caller's options, read until it ends or is left, and then gone.
// Knows nothing of turns and decisions.
import type { Options, Query, SDKMessage, SDKUserMessage, SpawnedProcess } from "@anthropic-ai/claude-agent-sdk";
import { isLoginBeingRenewed, untilLoginIsRenewed } from "../claude/login-renewal.ts";
import { withMuzzle } from "../claude/muzzle.ts";
import type { OwnedProcess, ProcessOwner } from "../claude/process.ts";
import type { Runtime } from "../claude/runtime.ts";
import { interruptible, orAborted } from "./interruptible.ts";

/** A process of the caller's own making is waited for so long. */
const foreignEndMs = 8_000;

/** One process. */
export interface LiveProcess {
  readonly query: Query;
  /** The SDK's messages, until the process ends or is left. Throws what the SDK throws. */
  readonly messages: AsyncIterable<SDKMessage>;
  /** Leaves it: no message comes any more. */
  leave(): void;
  /** Why it ended, once it has; `undefined`: it lives, or nobody can tell. */
  exitReason(): Promise<string | undefined>;
  /** What it wrote to stderr. For classification only. */
  stderrTail(): string;
  /** Ends it; resolves when it and all that it started are gone. Never rejects. */
  end(options: { readonly closeFirstMs: number }): Promise<void>;
}

/** What starting needs. */
export interface StartOptions {
  readonly prompt: string | AsyncIterable<SDKUserMessage>;
  readonly options: Options;
  readonly runtime: Runtime;
  readonly owner: ProcessOwner;
  /** The configuration folder of a login that Claude Code stores and renews by itself; `undefined`: another credential. */
  readonly loginDir: string | undefined;
}

/** Starts a process. Throws what the SDK throws at options that can't be used. */
export async function startProcess({ prompt, options, runtime, owner, loginDir }: StartOptions): Promise<LiveProcess> {
  const sdk = await runtime.sdk();
  const left = new AbortController();
  let owned: OwnedProcess | undefined;
  let foreign: Promise<void> | undefined;
  const { spawnClaudeCodeProcess: theirs, stderr } = options;
  const ours = owner.spawner((spawned) => {
    owned = spawned;
    // Left before it was there.
    if (left.signal.aborted) void owned.end();
  });
  const spawn: NonNullable<Options["spawnClaudeCodeProcess"]> = (spawnOptions) => {
    if (theirs === undefined) return withStderr(ours(spawnOptions), stderr);
    const child = theirs(spawnOptions);
    foreign = new Promise((resolve) => {
      child.once("exit", () => resolve());
      child.once("error", () => resolve());
    });
    return child;
  };
  const query = sdk.query({
    prompt,
    // A controller of its own: the SDK aborts it at the end of a process, and the caller's may belong to several.
    options: {
      ...options,
      hooks: withMuzzle(options.hooks, () => ending !== undefined),
      abortController: new AbortController(),
      spawnClaudeCodeProcess: spawn,
    },
  });
  let ending: Promise<void> | undefined;

  async function endAll(closeFirstMs: number): Promise<void> {
    if (loginDir !== undefined && isLoginBeingRenewed(loginDir)) {
      query.interrupt().catch(() => undefined); // It may have ended meanwhile, or take no interrupts.
      await untilLoginIsRenewed(loginDir);
    }
    if (owned !== undefined) await owned.end({ closeFirstMs });
    query.close();
    if (foreign !== undefined) await orAborted(foreign, AbortSignal.timeout(foreignEndMs));
  }

  return {
    query,
    messages: { [Symbol.asyncIterator]: () => interruptible(unreturned(query), left.signal) },
    leave: () => left.abort(),
    async exitReason() {
      // The SDK may tell of an end before the process's own event does.
      if (owned !== undefined) await orAborted(owned.exited, AbortSignal.timeout(1_000));
      return owned?.exitReason();
    },
    stderrTail: () => owned?.stderrTail() ?? "",
    end({ closeFirstMs }) {
      left.abort();
      return (ending ??= endAll(closeFirstMs).catch(() => undefined)); // What can't be ended is the watchdog's.
    },
  };
}

/** Without the SDK's own end, which waits for the process for 2 s and then kills it: its end is ours to order. */
function unreturned(query: Query): AsyncIterable<SDKMessage> {
  return { [Symbol.asyncIterator]: () => ({ next: () => query.next() }) };
}

/** The SDK reads the stderr of the processes that it starts itself, and of no others. */
function withStderr(child: SpawnedProcess, listener: ((data: string) => void) | undefined): SpawnedProcess {
  if (listener !== undefined && "stderr" in child) {
    const stream = child.stderr as NodeJS.ReadableStream | null; // A child process of Node's.
    stream?.on("data", (data: string | Buffer) => listener(String(data)));
  }
  return child;
}
