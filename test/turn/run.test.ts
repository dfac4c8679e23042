import { describe, expect, it } from "vitest";
import type { AuthAdmission, Decision } from "../../src/auth/contract.ts";
import { CcapiError } from "../../src/auth/errors.ts";
import type { Signal } from "../../src/auth/signal.ts";
import type { RunEvent, RunSpec } from "../../src/claude/run.ts";
import { createAdmission } from "../../src/turn/admission.ts";
import { createKeyedLock } from "../../src/turn/lock.ts";
import { createTurnRunner, type TurnPorts } from "../../src/turn/run.ts";
import type { SessionRecord } from "../../src/turn/sessions.ts";
import type { Delivery, FinishReason, Turn, TurnEvent } from "../../src/turn/turn.ts";
import { makeContext, makeTurn } from "../helpers/turns.ts";

const usage = { inputTokens: 1, cacheReadTokens: 0, cacheCreationTokens: 0, outputTokens: 1, reasoningTokens: 0 };
const working: RunEvent = { type: "phase", phase: "working" };
const words: RunEvent = { type: "delta", kind: "text", text: "Hi" };
const finish = (reason: FinishReason = "stop", costUsd = 0.5): RunEvent => ({
  type: "finish",
  reason,
  stopSequence: undefined,
  usage,
  costUsd,
});
const refused: Signal = { source: "api_retry", error: "authentication_failed", status: 401, attempt: 1 };
const sign = (isFinal = false): RunEvent => ({ type: "signal", signal: refused, isFinal });

/** One fake run: what it yields, then what it throws; `hangs` until its signal is aborted. Its process goes when told. */
interface Script {
  readonly events: readonly RunEvent[];
  readonly error?: Error;
  readonly hangs?: boolean;
}

/** A runner whose every port is a fake. */
function createHouse(scripts: readonly Script[], decisions: readonly Decision[] = [], more: Partial<TurnPorts> = {}) {
  const runs: { readonly spec: RunSpec; readonly signal: AbortSignal; letGo(): void }[] = [];
  const steps: string[] = [];
  const tidyErrors: unknown[] = [];
  const admission = createAdmission({ maxRunning: 1, maxWaiting: 2 });
  const sessions = new Map<string, SessionRecord>();
  let decisionsLeft = [...decisions];

  function admit(carriedOver: number): AuthAdmission {
    return {
      operation: "x",
      generation: 1,
      isCanary: false,
      carriedOver,
      waitedMs: 0,
      report() {
        const [next = { action: "continue" } as const, ...rest] = decisionsLeft;
        decisionsLeft = rest;
        steps.push(`report: ${next.action}`);
        return next;
      },
      onDecision: () => () => undefined,
      recovered: async () => {
        steps.push("recovered");
        return admit(carriedOver + 1);
      },
      succeeded: () => void steps.push("succeeded"),
      release: () => undefined,
    };
  }

  const ports: TurnPorts = {
    fetchImages: async (turn) => turn,
    pool: undefined,
    auth: { tryAdmit: () => admit(0), admit: async () => admit(0) },
    admission,
    sessionLock: createKeyedLock(),
    sessions: {
      get: async (clientName, id) => sessions.get(`${clientName}/${id}`),
      getExpired: async () => undefined,
      has: async (clientName, id) => sessions.has(`${clientName}/${id}`),
      list: async () => [],
      put: async (record) => void sessions.set(`${record.clientName}/${record.id}`, record),
      bring: async () => undefined,
      delete: async (clientName, id) => void sessions.delete(`${clientName}/${id}`),
      expired: async () => [],
      clients: async () => [],
    },
    blame: { isAboutModel: () => false, clear: () => undefined },
    ledger: {
      add: async () => void steps.push("ledger add"),
      keep: async () => void steps.push("ledger keep"),
      delete: async () => void steps.push("ledger delete"),
      sweep: async () => 0,
    },
    prepareChild: async () => ({ environment: {}, credentialSettings: {}, kind: "api_key", configDir: "/nowhere" }),
    openWorkspace: async () => "/work",
    limits: { maxTurns: 7, maxBudgetUsd: undefined },
    skipPermissions: false,
    timeoutMs: 60_000,
    now: () => 1_000,
    onTidyError: (error) => void tidyErrors.push(error),
    startRun(spec, signal) {
      const script = scripts[runs.length] ?? { events: [finish()] };
      let letGo: () => void = () => undefined;
      const ended = new Promise<void>((resolve) => {
        letGo = resolve;
      });
      runs.push({ spec, signal, letGo });
      async function* events(): AsyncGenerator<RunEvent, void, undefined> {
        yield* script.events;
        if (script.hangs)
          await new Promise((_resolve, reject) =>
            signal.addEventListener("abort", () => reject(signal.reason as Error)),
          );
        if (script.error !== undefined) throw script.error;
      }
      return { events: events(), ended, wasKept: false };
    },
    ...more,
  };
  return { runner: createTurnRunner(ports), runs, steps, tidyErrors, admission, ports };
}

type House = ReturnType<typeof createHouse>;

async function take(house: House, turn: Partial<Turn> = {}, signal?: AbortSignal, delivery: Delivery = "stream") {
  const events: TurnEvent[] = [];
  let error: unknown;
  const context = { ...makeContext({}, signal), delivery };
  try {
    for await (const event of house.runner.runTurn(makeTurn(turn), context)) events.push(event);
  } catch (caught) {
    error = caught;
  }
  return { events, error };
}

/** Lets every process go and waits for all to be tidied up. */
async function tidy(house: House): Promise<void> {
  for (const run of house.runs) run.letGo();
  await house.runner.settled();
}

const settle = () => new Promise((resolve) => void setImmediate(resolve));

describe("a turn that ends well", () => {
  it("passes the run's events on, without its signals and checkpoints (B1)", async () => {
    const house = createHouse([
      {
        events: [
          working,
          sign(),
          { type: "checkpoint", uuid: "u", messageId: "m" },
          { type: "tool-use", messageId: "m", tools: [{ id: "t", name: "Bash" }] },
          words,
          finish(),
        ],
      },
    ]);
    const { events, error } = await take(house);
    expect(error).toBeUndefined();
    expect(events).toEqual([working, words, finish()]);
  });

  it("is carried over again where the model had answered with the credential that fails: the model is not to blame (A5)", async () => {
    const round = (id: string): RunEvent[] => [
      { type: "tool-use", messageId: id, tools: [{ id: `toolu_${id}`, name: "Bash" }] },
      { type: "checkpoint", uuid: id, messageId: id },
      { type: "tool-result", results: [{ id: `toolu_${id}`, block: { type: "text", text: "" } }] },
      sign(),
    ];
    const replaced: Decision = { action: "wait" };
    const house = createHouse(
      [{ events: round("a") }, { events: round("b") }, { events: [finish()] }],
      [replaced, replaced],
      { blame: { isAboutModel: () => true, clear: () => undefined } },
    );
    const taken = take(house, { profile: "agent", sessionId: "s" });
    for (let index = 0; index < 3;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (house.runs[index] !== undefined) house.runs[index++]?.letGo();
    }
    const { error } = await taken;
    expect(error).toBeUndefined();
    expect(house.steps.filter((step) => step === "recovered")).toHaveLength(2);
  });

  it("runs what was asked for, within the limits, in the folder of the client (B2)", async () => {
    const house = createHouse([{ events: [finish()] }]);
    await take(house, { system: "Be brief.", stop: ["END"], profile: "agent" });
    expect(house.runs[0]?.spec).toMatchObject({
      turn: { system: "Be brief.", stop: ["END"], profile: "agent" },
      prompt: [{ type: "text", text: "Hello" }],
      workspace: "/work",
      limits: { maxTurns: 7 },
      skipPermissions: false,
    });
  });

  it("holds its slot until its process is gone, not only until its answer is (C4)", async () => {
    const house = createHouse([{ events: [finish()] }]);
    await take(house);
    expect(house.admission.running).toBe(1);
    await tidy(house);
    expect(house.admission.running).toBe(0);
  });

  it("is tidied up after its process is gone, and the runner knows when all of them are (B3)", async () => {
    const house = createHouse([{ events: [finish()] }]);
    await take(house, { profile: "agent" });
    let isSettled = false;
    void house.runner.settled().then(() => {
      isSettled = true;
    });
    await settle();
    expect([isSettled, house.steps.includes("ledger delete")]).toEqual([false, false]);
    await tidy(house);
    expect([isSettled, house.steps.includes("ledger delete")]).toEqual([true, true]);
  });
});

describe("the line", () => {
  it("tells a request that it waits, and runs it when the one before is gone (C4)", async () => {
    const house = createHouse([{ events: [finish()] }, { events: [finish()] }]);
    await take(house);
    const second = take(house);
    await settle();
    expect(house.runs).toHaveLength(1);
    house.runs[0]?.letGo();
    const { events } = await second;
    expect(events[0]).toEqual({ type: "phase", phase: "queued" });
    await tidy(house);
  });

  it("makes two requests on one session take turns, and leaves it usable when one is cancelled (B3)", async () => {
    const house = createHouse([{ events: [finish()] }, { events: [finish()] }]);
    const turn = { sessionId: "s1" };
    await take(house, turn);
    const abort = new AbortController();
    const cancelled = take(house, turn, abort.signal);
    const third = take(house, turn);
    await settle();
    abort.abort();
    expect(await cancelled).toMatchObject({ error: { code: "client_closed_request" } });
    expect(house.runs).toHaveLength(1);
    house.runs[0]?.letGo();
    expect((await third).error).toBeUndefined();
    expect(house.runs).toHaveLength(2);
    await tidy(house);
    expect(house.admission).toMatchObject({ running: 0, waiting: 0 });
  });

  it("refuses one too many at once, and holds nothing for it (C4)", async () => {
    const house = createHouse([{ events: [finish()] }]);
    await take(house);
    const waiting = [take(house), take(house)];
    await settle();
    expect(await take(house)).toMatchObject({ error: { code: "queue_full", status: 429 } });
    house.runs[0]?.letGo();
    await waiting[0];
    house.runs[1]?.letGo();
    await waiting[1];
    await tidy(house);
    expect(house.admission).toMatchObject({ running: 0, waiting: 0 });
  });
});

describe("a turn that ends otherwise", () => {
  it("for a client that has left is client_closed_request, its run aborted (C4)", async () => {
    const abort = new AbortController();
    const house = createHouse([{ events: [working], hangs: true }]);
    const taken = take(house, {}, abort.signal);
    await settle();
    abort.abort();
    expect(await taken).toMatchObject({ error: { code: "client_closed_request", status: 499 } });
    expect(house.runs[0]?.signal.aborted).toBe(true);
    await tidy(house);
    expect(house.admission.running).toBe(0);
  });

  it("for a server that shuts down is what the server says (C4)", async () => {
    const abort = new AbortController();
    const house = createHouse([{ events: [working], hangs: true }]);
    const taken = take(house, {}, abort.signal);
    await settle();
    abort.abort(new CcapiError("shutting_down", "x"));
    expect(await taken).toMatchObject({ error: { code: "shutting_down" } });
    await tidy(house);
  });

  it("for its time limit is a 504 that names it, its run aborted (B9)", async () => {
    const house = createHouse([{ events: [working], hangs: true }], [], { timeoutMs: 20 });
    const { error } = await take(house);
    expect(error).toMatchObject({ code: "request_timeout", status: 504 });
    expect(String(error)).toContain("0.02 s");
    await tidy(house);
  });

  it("for its caller, who asks for no more events, ends its run and gives its slot back (C4)", async () => {
    let isReturned = false;
    const house = createHouse([], [], {
      startRun: () => ({
        events: (async function* () {
          try {
            yield working;
            yield words;
          } finally {
            isReturned = true;
          }
        })(),
        ended: Promise.resolve(),
        wasKept: false,
      }),
    });
    for await (const _event of house.runner.runTurn(makeTurn(), makeContext())) break;
    expect(isReturned).toBe(true);
    await tidy(house);
    expect(house.admission.running).toBe(0);
  });

  it("for a run's error is that error; for anything else too, and all is tidied up (C4)", async () => {
    const failed = new CcapiError("upstream_error", "x");
    for (const error of [failed, new TypeError("not expected")]) {
      const house = createHouse([{ events: [working], error }]);
      expect((await take(house, { profile: "agent" })).error).toBe(error);
      await tidy(house);
      expect(house.steps).toContain("ledger delete");
      expect(house.admission.running).toBe(0);
    }
  });

  it("before its run, for a folder that can't be had, gives its slot back (C4)", async () => {
    const house = createHouse([], [], { openWorkspace: () => Promise.reject(new Error("EACCES")) });
    expect(String((await take(house)).error)).toContain("EACCES");
    await tidy(house);
    expect([house.admission.running, house.runs.length]).toEqual([0, 0]);
  });

  it("tells of what could not be tidied up, and still gives its slot back (C4)", async () => {
    const house = createHouse([{ events: [finish()] }]);
    house.ports.ledger.delete = () => Promise.reject(new Error("EACCES"));
    expect((await take(house, { profile: "agent" })).error).toBeUndefined();
    await tidy(house);
    expect(house.tidyErrors.map(String)).toEqual(["Error: EACCES"]);
    expect(house.admission.running).toBe(0);
  });
});

describe("a credential that fails", () => {
  it("before anything was seen carries the turn over: the client sees one answer (A5)", async () => {
    const house = createHouse(
      [{ events: [working, sign()] }, { events: [working, words, finish()] }],
      [{ action: "wait" }],
    );
    const taken = take(house);
    await settle();
    house.runs[0]?.letGo();
    const { events, error } = await taken;
    expect(error).toBeUndefined();
    expect(events.filter(({ type }) => type !== "phase")).toEqual([words, finish()]);
    expect(events).toContainEqual({ type: "phase", phase: "refreshing" });
    expect(house.steps.filter((step) => step === "recovered")).toHaveLength(1);
    await tidy(house);
    expect(house.admission.running).toBe(0);
  });

  it("in the middle of words goes on where these were not sent, and drops what was said in vain (A5)", async () => {
    const vain: RunEvent = { type: "delta", kind: "text", text: "Hel" };
    const scripts = [{ events: [working, vain, sign()] }, { events: [working, words, finish()] }];
    const whole = createHouse(scripts, [{ action: "wait" }]);
    const taken = take(whole, {}, undefined, "whole");
    await settle();
    whole.runs[0]?.letGo();
    const { events, error } = await taken;
    expect(error).toBeUndefined();
    expect(events.filter(({ type }) => type !== "phase")).toEqual([words, finish()]);
    await tidy(whole);

    const streamed = createHouse(scripts, [{ action: "wait" }]);
    expect(await take(streamed)).toMatchObject({
      events: [working, vain],
      error: { code: "upstream_auth_failed_after_side_effects" },
    });
    await tidy(streamed);
  });

  it("for good ends the turn with what a person must do, and no further run (A2)", async () => {
    const error = new CcapiError("upstream_auth_unavailable", "x", { action: "rotate ANTHROPIC_API_KEY" });
    const house = createHouse([{ events: [sign(true)] }], [{ action: "fail", error }]);
    expect((await take(house)).error).toBe(error);
    await tidy(house);
    expect(house.runs).toHaveLength(1);
  });

  it("at a sign that proves nothing lets the run go on (A1)", async () => {
    const house = createHouse([{ events: [sign(), words, finish()] }], [{ action: "continue" }]);
    expect(await take(house)).toEqual({ events: [words, finish()], error: undefined });
    await tidy(house);
  });
});

describe("a process that dies", () => {
  const betweenCalls: readonly RunEvent[] = [
    { type: "tool-use", messageId: "m1", tools: [{ id: "t1", name: "Bash" }] },
    { type: "checkpoint", uuid: "u1", messageId: "m1" },
    {
      type: "tool-result",
      results: [{ id: "t1", block: { type: "tool_result", tool_use_id: "t1", content: "done" } }],
    },
  ];
  const died = new CcapiError("upstream_process_died", "It died.");

  it("between two calls is carried on by another, from the last message and with the tools' answers (A5)", async () => {
    const house = createHouse([{ events: betweenCalls, error: died }, { events: [words, finish()] }]);
    const taking = take(house, { profile: "agent" });
    await settle();
    house.runs[0]?.letGo();
    const { events, error } = await taking;
    expect(error).toBeUndefined();
    expect(events.filter(({ type }) => type === "finish")).toHaveLength(1);
    expect(house.runs[1]?.spec.conversation).toMatchObject({ kind: "resume", resumeAt: "u1" });
    expect(house.runs[1]?.spec.prompt).toEqual([{ type: "tool_result", tool_use_id: "t1", content: "done" }]);
  });

  it("before anything was said is followed by another that does the same, once (A5)", async () => {
    const dying = { events: [working], error: died };
    const house = createHouse([dying, { events: [words, finish()] }]);
    const { events, error } = await take(house);
    expect(error).toBeUndefined();
    expect(events.filter(({ type }) => type !== "phase")).toEqual([words, finish()]);
    await tidy(house);
    const worse = createHouse([dying, dying, { events: [words, finish()] }]);
    expect((await take(worse)).error).toMatchObject({ code: "upstream_process_died", shouldRetry: undefined });
    expect(worse.runs).toHaveLength(2);
    await tidy(worse);
  });

  it("while its tool is at work says which, and keeps clients from asking again by themselves (A5)", async () => {
    const house = createHouse([{ events: betweenCalls.slice(0, 2), error: died }]);
    expect((await take(house, { profile: "agent", sessionId: "s1" })).error).toMatchObject({
      code: "upstream_process_died",
      shouldRetry: false,
      message: "It died. Tools that were started: Bash. The session s1 is as it was before this turn.",
    });
    await tidy(house);
  });

  it("once more is the turn's failure, and its transcript is cleared away all the same (A5, B3)", async () => {
    const dying = { events: betweenCalls, error: died };
    const house = createHouse([dying, dying]);
    const taking = take(house, { profile: "agent" });
    await settle();
    house.runs[0]?.letGo();
    expect((await taking).error).toMatchObject({ code: "upstream_process_died" });
    await tidy(house);
    expect(house.steps.filter((step) => step.startsWith("ledger"))).toEqual(["ledger add", "ledger delete"]);
  });
});
