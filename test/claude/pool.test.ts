// What the pool promises: a process is used again where it stands right, and never for anybody else.
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ClaudeProcess } from "../../src/claude/sdk-process.ts";
import { createPool } from "../../src/claude/pool.ts";
import type { Pool, PoolLimits, Taken } from "../../src/claude/pool-contract.ts";
import type { RunSpec } from "../../src/claude/run.ts";
import type { Message } from "../../src/turn/turn.ts";

const limits: PoolLimits = {
  maxIdle: 8,
  maxIdleBytes: 1e12,
  idleMs: 60_000,
  maxSpares: 0,
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

/** Lets what was begun go on to its end. */
const settle = () => new Promise((resolve) => void setTimeout(resolve, 5));

describe("a process started ahead", () => {
  const fresh: RunSpec = { ...base, conversation: { kind: "new", sessionId: "x" } };
  let started: Fake[];
  const start = () => {
    const process = fake();
    started.push(process);
    return process;
  };
  const open = async (spec: RunSpec = fresh) => (await pool.take(spec, start, never)).process as Fake;
  const busy = { is: false };
  beforeEach(() => {
    started = [];
    busy.is = false;
    pool = createPool({ ...limits, maxSpares: 1 }, { isBusy: () => busy.is });
  });

  it("waits for the kind of conversation that came twice, and is given to the next of any end user (G5)", async () => {
    pool.heard(await open());
    await settle();
    expect(pool.idle).toBe(0);
    pool.heard(await open());
    await settle();
    expect(pool.idle).toBe(1);
    const taken = await pool.takeSpare({ ...fresh, reuse: { ...fresh.reuse!, endUser: "eve" } });
    expect(taken).toMatchObject({ process: started[2], wasKept: true, costBeforeUsd: 0 });
    expect(taken?.sessionId).toMatch(/^[0-9a-f-]{36}$/);
    expect(started[2]?.memory).toEqual([]);
    // Once it has heard words they are eve's alone.
    started[2]?.send(text("eve's"));
    const chat: RunSpec = { ...fresh, reuse: { client: "one", endUser: "eve", isSession: true } };
    pool.give(started[2]!, chat, left("Hi.", { promptId: "prompt-1" }));
    const next: RunSpec = { ...chat, conversation: { kind: "resume", sessionId: "x", resumeAt: "u1" } };
    expect(await open({ ...next, reuse: { ...next.reuse!, endUser: "bob" } })).not.toBe(started[2]);
  });

  it("is not started while a run waits for its first words, a start is under way, or requests wait (G5)", async () => {
    const [first, second] = [await open(), await open()];
    pool.heard(first);
    await settle();
    expect(pool.idle).toBe(0);
    busy.is = true;
    pool.heard(second);
    await settle();
    expect(pool.idle).toBe(0);
    busy.is = false;
    pool.drop(second);
    await settle();
    expect(pool.idle).toBe(1);
  });

  it.each<[string, Partial<RunSpec>]>([
    ["client", { reuse: { client: "two", endUser: undefined, isSession: false } }],
    ["model", { turn: { ...base.turn, model: "opus" } }],
    ["system message", { turn: { ...base.turn, system: "Be long." } }],
    ["credential", { child: { ...base.child, environment: { A: "2" } } }],
    ["workspace", { workspace: "/other" }],
    ["kind of transcript", { conversation: { kind: "none" } }],
  ])("never serves another %s (C2, B3)", async (_what, other) => {
    for (let time = 0; time < 2; time += 1) pool.heard(await open());
    await settle();
    expect(await pool.takeSpare({ ...fresh, ...other })).toBeUndefined();
    expect(await open({ ...fresh, ...other })).not.toBe(started[2]);
    expect(pool.idle).toBe(1);
  });

  it("is ended where it has died or speaks, and another is started in its place (C4)", async () => {
    for (let time = 0; time < 2; time += 1) pool.heard(await open());
    await settle();
    started[2]?.speak("assistant");
    await vi.waitFor(() => expect(started[2]?.isEnded).toBe(true));
    expect(await pool.takeSpare(fresh)).toBeUndefined();
    pool.heard(await open());
    await settle();
    expect(pool.idle).toBe(1);
  });

  it("makes room for a kind that was used later, and its kind is forgotten where nobody wants it (C4)", async () => {
    for (let time = 0; time < 2; time += 1) pool.heard(await open());
    await settle();
    const other = { ...fresh, workspace: "/2" };
    for (let time = 0; time < 2; time += 1) pool.heard(await open(other));
    await settle();
    expect(started[2]?.isEnded).toBe(true);
    expect(await pool.takeSpare(fresh)).toBeUndefined();
    expect((await pool.takeSpare(other))?.process).toBe(started.at(-1));
  });

  it("is ended with its credential, but where Claude Code reads that itself; a chat's that waits, too (A5)", async () => {
    const login: RunSpec = { ...fresh, child: { ...base.child, kind: "stored_login" } };
    for (let time = 0; time < 2; time += 1) pool.heard(await open());
    await settle();
    pool.renew();
    expect(started[2]?.isEnded).toBe(true);
    for (let time = 0; time < 2; time += 1) pool.heard(await open(login));
    await settle();
    const spare = started.at(-1);
    pool.renew();
    expect((await pool.takeSpare(login))?.process).toBe(spare);
    pool.retire();
    expect(pool.give(spare!, login, left())).toBe(false);
  });
});

it("one client's words never reach another's process, and a process serves one run at a time, whatever interleaves (B3, C2)", async () => {
  const step = fc.record({
    client: fc.constantFrom("one", "two"),
    endUser: fc.constantFrom(undefined, "eve", "bob"),
    ends: fc.constantFrom("well", "well", "well", "badly", "cancelled"),
    /** A chat, a chat that goes on, possibly with another history, a new session, and a session's next turn. */
    what: fc.constantFrom("chat", "on", "branch", "session", "next"),
    after: fc.constantFrom("nothing", "nothing", "nothing", "nothing", "renew", "retire", "speak"),
  });
  // Some at once, then others: in between it is quiet enough to start processes ahead.
  const rounds = fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), { minLength: 6, maxLength: 16 });
  await fc.assert(
    fc.asyncProperty(rounds, fc.scheduler(), async (steps, scheduler) => {
      const owner = new Map<Fake, string>();
      const serving = new Set<Fake>();
      const everyone = new Set<Fake>();
      const mine = createPool({ ...limits, maxIdle: 4, maxSpares: 2 });
      const start = () => {
        const process = fake();
        everyone.add(process);
        return process;
      };
      /** Where each user's last chat and last session stand. */
      const chats = new Map<string, Message[]>();
      const sessions = new Map<string, { sessionId: string; resumeAt: string; words: string[] }>();
      let count = 0;
      const serve = async ({ client, endUser, ends, what, after }: (typeof steps)[0][0]) => {
        const index = (count += 1);
        const who = `${client}/${endUser}`;
        await scheduler.schedule(Promise.resolve(), `${index} begins`);
        const history = what === "on" || what === "branch" ? (chats.get(who) ?? []) : [];
        const told = what === "branch" ? history.map((each) => ({ ...each, content: text("changed") })) : history;
        const session = what === "next" ? sessions.get(who) : undefined;
        const isSession = what === "session" || session !== undefined;
        const reuse = { client, endUser, isSession };
        const abort = new AbortController();
        let spec: RunSpec = { ...base, prompt: text(`${who} ${index}`), reuse };
        if (session !== undefined) spec = { ...spec, conversation: { kind: "resume", ...session } };
        let taken = told.length > 0 ? mine.takeChat(spec, told) : undefined;
        const goesOn = taken !== undefined;
        if (what === "session") {
          const spare = await mine.takeSpare({ ...spec, conversation: { kind: "new", sessionId: "" } });
          taken = spare;
          spec = { ...spec, conversation: { kind: "new", sessionId: spare?.sessionId ?? `${who} ${index}` } };
        }
        if (ends === "cancelled") abort.abort(new Error("gone"));
        taken ??= await mine.take(spec, start, abort.signal).catch(() => undefined);
        if (taken === undefined) return;
        const process = taken.process as Fake;
        expect(serving.has(process)).toBe(false);
        serving.add(process);
        expect(owner.get(process) ?? who).toBe(who);
        owner.set(process, who);
        if (goesOn) expect(process.memory[0]).toBe(JSON.stringify(history[0]?.content));
        else if (session === undefined) expect(process.memory).toEqual([]);
        else if (taken.wasKept) expect(process.memory).toEqual(session.words);
        if (what === "branch") expect(goesOn && told.length > 0).toBe(false);
        const promptId = process.send(spec.prompt);
        await scheduler.schedule(Promise.resolve(), `${index} is heard`);
        mine.heard(process);
        await scheduler.schedule(Promise.resolve(), `${index} ends`);
        serving.delete(process);
        if (after === "renew") mine.renew();
        if (after === "retire") mine.retire();
        if (ends !== "well") {
          mine.drop(process);
          await process.end();
          return;
        }
        const resumeAt = `u${index}`;
        const isKept = mine.give(process, spec, left(`a${index}`, { promptId, checkpoint: resumeAt }));
        if (!isKept) return process.end();
        if (spec.conversation.kind === "none")
          chats.set(who, [...told, { role: "user", content: spec.prompt }, said(`a${index}`)]);
        else sessions.set(who, { sessionId: spec.conversation.sessionId, resumeAt, words: [...process.memory] });
        if (after === "speak") process.speak("assistant");
      };
      for (const round of steps) {
        await scheduler.waitFor(Promise.all(round.map(serve)));
        await new Promise((resolve) => void setImmediate(resolve));
      }
      for (const process of everyone) {
        for (const words of process.memory) expect(words).toContain(`"${owner.get(process)} `);
      }
      await mine.close();
      expect([...everyone].filter(({ isEnded }) => !isEnded)).toEqual([]);
    }),
    { numRuns: 100 },
  );
});
