// What the pool promises: a process is used again where it stands right, and never for anybody else.
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ClaudeProcess } from "../../src/claude/sdk-process.ts";
import { createPool, type Pool, type PoolLimits, type Taken } from "../../src/claude/pool.ts";
import type { RunSpec } from "../../src/claude/run.ts";
import type { Message } from "../../src/turn/turn.ts";

const limits: PoolLimits = {
  maxIdle: 8,
  maxIdleBytes: 1e12,
  idleMs: 60_000,
  maxRuns: 100,
  maxStarting: 2,
  returnMs: 2,
};
const text = (words: string) => [{ type: "text" as const, text: words }];
const said = (words: string): Message => ({ role: "assistant", content: text(words) });
const asked = (words: string): Message => ({ role: "user", content: text(words) });

const base: RunSpec = {
  turn: {
    profile: "chat",
    model: "sonnet",
    system: "Be brief.",
    effort: undefined,
    sampling: {},
    stop: [],
    maxTokens: undefined,
    tools: [],
    toolChoice: { type: "auto" },
    parallelToolCalls: true,
    outputFormat: undefined,
  },
  prompt: text("Hello"),
  conversation: { kind: "none" },
  workspace: "/work",
  limits: { maxTurns: undefined, maxBudgetUsd: undefined },
  skipPermissions: false,
  child: { environment: { A: "1" }, credentialSettings: {}, kind: "api_key", configDir: "/home/x/.claude" },
  reuse: { client: "one", endUser: undefined, isSession: false },
};

/** A process that remembers what was said in it. */
interface Fake extends ClaudeProcess {
  readonly isEnded: boolean;
  /** Prompts that have not been taken back. */
  readonly memory: string[];
  mayRewind: boolean;
  speak(type: string): void;
}

function fake(): Fake {
  let isEnded = false;
  const spoken: IteratorResult<never, void>[] = [];
  let wake: () => void = () => undefined;
  let ahead: Promise<IteratorResult<never, void>> | undefined;
  async function step(): Promise<IteratorResult<never, void>> {
    for (;;) {
      const first = spoken.shift();
      if (first !== undefined) return first;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  }
  const memory: string[] = [];
  const process: Fake = {
    memory,
    mayRewind: true,
    get isEnded() {
      return isEnded;
    },
    answer: () => undefined,
    send(prompt) {
      memory.push(JSON.stringify(prompt));
      return `prompt-${memory.length}`;
    },
    next() {
      const next = ahead ?? step();
      ahead = undefined;
      return next;
    },
    peek: () => (ahead ??= step()),
    async rewind(first, last) {
      if (!process.mayRewind || last !== `prompt-${memory.length}` || first !== "prompt-1") return false;
      memory.length = 0;
      return true;
    },
    pid: undefined,
    ready: Promise.resolve(),
    exitReason: () => undefined,
    stderrTail: () => "",
    async end() {
      isEnded = true;
    },
    speak(type) {
      spoken.push({ done: false, value: { type } as never });
      wake();
    },
  };
  return process;
}

const never = new AbortController().signal;
const left = (answer = "Hi.", more = {}) => ({
  promptId: "prompt-1",
  checkpoint: "u1",
  answer: said(answer),
  isBusy: false,
  waiting: undefined,
  costUsd: 0.5,
  ...more,
});

let pool: Pool;
beforeEach(() => {
  pool = createPool(limits);
});
afterEach(() => pool.close());

async function take(spec: RunSpec = base): Promise<Taken & { process: Fake }> {
  return (await pool.take(spec, fake, never)) as Taken & { process: Fake };
}

/** One run from its beginning to its end. */
async function run(spec: RunSpec = base, more = {}): Promise<Fake> {
  const { process } = await take(spec);
  const promptId = process.send(spec.prompt);
  expect(pool.give(process, spec, left("Hi.", { promptId, ...more }))).toBe(true);
  return process;
}

describe("a chat's process", () => {
  it("serves the next new conversation of the same client, with nothing of the last one in it (B9, G9)", async () => {
    const first = await run();
    const { process, wasKept, costBeforeUsd } = await take();
    expect(process).toBe(first);
    expect(process.memory).toEqual([]);
    expect({ wasKept, costBeforeUsd }).toEqual({ wasKept: true, costBeforeUsd: 0.5 });
  });

  it("goes on with its own conversation where a client sends that again (B3, G5)", async () => {
    const first = await run();
    const history = [asked("Hello"), said("Hi.")];
    expect(pool.takeChat(base, [asked("Hello"), said("Ha.")])).toBeUndefined();
    expect(pool.takeChat({ ...base, reuse: { ...base.reuse!, client: "two" } }, history)).toBeUndefined();
    const taken = pool.takeChat(base, history);
    expect(taken?.process).toBe(first);
    expect(pool.takeChat(base, history)).toBeUndefined();
    // And once more, further on.
    const promptId = first.send(text("More"));
    pool.give(first, { ...base, prompt: text("More") }, left("Yes.", { promptId }));
    expect(pool.takeChat(base, [...history, asked("More"), said("Yes.")])?.process).toBe(first);
  });

  it("is ended where its conversation can't be taken back, and another is started (C4)", async () => {
    const first = await run();
    first.mayRewind = false;
    const { process, wasKept } = await take();
    expect(wasKept).toBe(false);
    expect(process).not.toBe(first);
    expect(first.isEnded).toBe(true);
  });

  it.each<[string, Partial<RunSpec>]>([
    ["client", { reuse: { client: "two", endUser: undefined, isSession: false } }],
    ["end user", { reuse: { client: "one", endUser: "eve", isSession: false } }],
    ["model", { turn: { ...base.turn, model: "opus" } }],
    ["system message", { turn: { ...base.turn, system: "Be long." } }],
    ["sampling", { turn: { ...base.turn, sampling: { temperature: 0 } } }],
    ["token limit", { turn: { ...base.turn, maxTokens: 5 } }],
    ["credential", { child: { ...base.child, environment: { A: "2" } } }],
    ["helper", { child: { ...base.child, credentialSettings: { apiKeyHelper: "h" } } }],
    ["workspace", { workspace: "/other" }],
    ["permissions", { skipPermissions: true }],
  ])("never serves another %s (C2, B3)", async (_what, other) => {
    const first = await run();
    const { process } = await take({ ...base, ...other });
    expect(process).not.toBe(first);
    expect(first.memory).toHaveLength(1);
  });

  it("that speaks out of turn is ended; what tells of the process alone is no speech (C4)", async () => {
    const first = await run();
    first.speak("system");
    await vi.waitFor(() => expect(pool.idle).toBe(1));
    first.speak("assistant");
    await vi.waitFor(() => expect(first.isEnded).toBe(true));
    expect(pool.idle).toBe(0);
  });

  it("is waited for, where it is about to be free, rather than another started (G9)", async () => {
    const first = await take();
    const second = take();
    first.process.send(base.prompt);
    pool.give(first.process, base, left());
    expect((await second).process).toBe(first.process);
  });
});

describe("a session's process", () => {
  const spec: RunSpec = {
    ...base,
    conversation: { kind: "new", sessionId: "s" },
    reuse: { client: "one", endUser: undefined, isSession: true },
  };
  const next: RunSpec = { ...spec, conversation: { kind: "resume", sessionId: "s", resumeAt: "u1" } };

  it("takes the next turn, where it stands right at the last one's end; its cost goes on (B3, G5)", async () => {
    const first = await run(spec);
    expect(pool.hasSession("s", "u1")).toBe(true);
    expect(await take(next)).toMatchObject({ process: first, wasKept: true, costBeforeUsd: 0 });
  });

  it("that stands elsewhere, or was started otherwise, is ended before another writes to the transcript (B3)", async () => {
    const first = await run(spec);
    await take({ ...next, conversation: { kind: "resume", sessionId: "s", resumeAt: "u0" } });
    expect(first.isEnded).toBe(true);
    const second = await run(spec);
    await take({ ...next, turn: { ...next.turn, model: "opus" } });
    expect(second.isEnded).toBe(true);
  });

  it("ends with its session (B3)", async () => {
    const first = await run(spec);
    await pool.endSession("s");
    expect(first.isEnded).toBe(true);
  });
});

describe("no process is kept", () => {
  it.each<[string, Partial<RunSpec>, object]>([
    ["with a task in the background", {}, { isBusy: true }],
    [
      "whose cost or calls are limited: Claude Code counts them over all runs",
      { limits: { maxTurns: 5, maxBudgetUsd: undefined } },
      {},
    ],
    ["whose transcript is deleted", { conversation: { kind: "new", sessionId: "x" } }, {}],
  ])("%s (B9, C4)", async (_what, other, more) => {
    const spec = { ...base, ...other };
    const { process } = await take(spec);
    expect(pool.give(process, spec, left("Hi.", more))).toBe(false);
  });

  it("over the limits: the one that waited longest goes (C4)", async () => {
    pool = createPool({ ...limits, maxIdle: 1 });
    const [first, second] = [await take(), await take({ ...base, workspace: "/2" })];
    for (const { process } of [first, second]) process.send(base.prompt);
    pool.give(first.process, base, left());
    pool.give(second.process, { ...base, workspace: "/2" }, left());
    expect([first.process.isEnded, second.process.isEnded]).toEqual([true, false]);
  });

  it("that was started with a credential which was replaced, whether it waits or runs (A5)", async () => {
    const waiting = await run();
    const running = await take({ ...base, workspace: "/2" });
    pool.retire();
    expect(waiting.isEnded).toBe(true);
    expect(pool.give(running.process, { ...base, workspace: "/2" }, left())).toBe(false);
  });

  it("after the end (C4)", async () => {
    const first = await run();
    await pool.close();
    expect(first.isEnded).toBe(true);
  });
});

it("one client's words never reach another's process, however runs, ends and cancellations interleave (B3, C2)", async () => {
  const step = fc.record({
    client: fc.constantFrom("one", "two", "three"),
    ends: fc.constantFrom("well", "badly", "cancelled"),
    session: fc.constantFrom(undefined, "s", "t"),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.scheduler(), async (steps, scheduler) => {
      const owner = new Map<ClaudeProcess, string>();
      const mine = createPool({ ...limits, maxIdle: 3 });
      const all = steps.map(async ({ client, ends, session }, index) => {
        const reuse = { client, endUser: undefined, isSession: session !== undefined };
        const conversation: RunSpec["conversation"] =
          session === undefined ? { kind: "none" } : { kind: "new", sessionId: `${client}-${session}` };
        const spec: RunSpec = { ...base, reuse, conversation };
        const abort = new AbortController();
        await scheduler.schedule(Promise.resolve(), `${index} begins`);
        if (ends === "cancelled") abort.abort(new Error("gone"));
        const taken = await mine.take(spec, fake, abort.signal).catch(() => undefined);
        if (taken === undefined) return;
        const process = taken.process as Fake;
        expect(owner.get(process) ?? client).toBe(client);
        owner.set(process, client);
        if (session === undefined) expect(process.memory).toEqual([]);
        const promptId = process.send(text(`${client} ${index}`));
        await scheduler.schedule(Promise.resolve(), `${index} ends`);
        if (ends === "badly") return mine.drop(process);
        mine.give(process, spec, left("x", { promptId }));
      });
      await scheduler.waitFor(Promise.all(all));
      for (const [process, client] of owner) {
        for (const words of (process as Fake).memory) expect(words).toContain(`"${client} `);
      }
      await mine.close();
    }),
    { numRuns: 60 },
  );
});
