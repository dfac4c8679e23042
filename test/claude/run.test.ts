import { mkdirSync, mkdtempSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Options, Query, SDKMessage, SDKUserMessage } from "@anthropic-ai/claude-agent-sdk";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CcapiError } from "../../src/auth/errors.ts";
import type { OwnedProcess, ProcessOwner } from "../../src/claude/process.ts";
import { type RunEvent, type RunSpec, startRun } from "../../src/claude/run.ts";
import type { Runtime } from "../../src/claude/runtime.ts";
import { result, streamed, streamEvent, system, text } from "../helpers/sdk-messages.ts";

const spec: RunSpec = {
  turn: {
    profile: "chat",
    model: "sonnet",
    system: undefined,
    effort: undefined,
    sampling: {},
    stop: [],
    maxTokens: undefined,
    tools: [],
    toolChoice: { type: "auto" },
    parallelToolCalls: true,
    outputFormat: undefined,
  },
  prompt: [{ type: "text", text: "Hello" }],
  conversation: { kind: "none" },
  workspace: "/work",
  limits: { maxTurns: undefined, maxBudgetUsd: undefined },
  skipPermissions: false,
  child: { environment: {}, credentialSettings: {}, kind: "api_key", configDir: "/home/x/.claude" },
};

const answer = [...streamed("m1", [text("Hi")]).map((event) => streamEvent(event)), result()];

/** A fake SDK with one process. Its messages are pushed by the test; `die` ends it as if the process had. */
function createHouse() {
  const queue: SDKMessage[] = [];
  let wake: () => void = () => undefined;
  let death: Error | "end" | undefined;
  const ends: ({ readonly closeFirstMs?: number } | undefined)[] = [];
  let letGo: () => void = () => undefined;
  const gone = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const queries: { readonly options: Options; readonly input: AsyncIterable<SDKUserMessage> }[] = [];
  let isClosed = false;
  let inputEnded = false;
  let interrupts = 0;

  const owned: OwnedProcess = {
    pid: 1,
    mark: "m",
    temporaryDir: "/t",
    exited: gone,
    exitReason: () => (death === undefined ? undefined : "SIGKILL"),
    stderrTail: () => "",
    end(options) {
      ends.push(options);
      return gone;
    },
  };
  const owner: ProcessOwner = {
    spawner: (onSpawn) => () => {
      onSpawn(owned);
      return {} as never; // The fake SDK does nothing with it.
    },
    count: 0,
    memory: async () => 0,
    close: async () => undefined,
  };

  async function* messages(): AsyncGenerator<SDKMessage, void> {
    for (;;) {
      const next = queue.shift();
      if (next !== undefined) yield next;
      else if (death === "end") return;
      else if (death !== undefined) throw death;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  }

  const runtime: Runtime = {
    generation: 1,
    reload: async () => undefined,
    sdk: async () =>
      ({
        query({ prompt, options }: { prompt: AsyncIterable<SDKUserMessage>; options: Options }) {
          queries.push({ options, input: prompt });
          options.spawnClaudeCodeProcess?.({} as never);
          void (async () => {
            for await (const _message of prompt) void _message;
            inputEnded = true;
          })();
          const interrupt = async () => void (interrupts += 1);
          const initializationResult = () => new Promise(() => undefined);
          return Object.assign(messages(), {
            close: () => (isClosed = true),
            initializationResult,
            interrupt,
          }) as unknown as Query;
        },
      }) as unknown as Awaited<ReturnType<Runtime["sdk"]>>,
  };

  return {
    ports: { runtime, owner, now: () => 0 },
    ends,
    queries,
    letGo,
    push(...more: readonly SDKMessage[]) {
      queue.push(...more);
      wake();
    },
    die(how: Error | "end") {
      death = how;
      wake();
    },
    isClosed: () => isClosed,
    get interrupts() {
      return interrupts;
    },
    inputEnded: () => inputEnded,
  };
}

let house: ReturnType<typeof createHouse>;
let abort: AbortController;
beforeEach(() => {
  house = createHouse();
  abort = new AbortController();
});
afterEach(() => house.letGo());

const start = (more: Partial<RunSpec> = {}) => startRun({ ...spec, ...more }, house.ports, abort.signal);

async function drain(events: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
  const all: RunEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

/** Lets everything that is due happen. */
const settle = () => new Promise((resolve) => void setImmediate(resolve));

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.finally(() => {
    settled = true;
  });
  await settle();
  return settled;
}

describe("a run", () => {
  it("starts nothing before its first event is asked for (B1)", async () => {
    start();
    await settle();
    expect(house.queries).toEqual([]);
  });

  it("gives its answer, closes its input, and has ended when its process is gone, not before (C4)", async () => {
    const run = start();
    house.push(...answer);
    const events = await drain(run.events);
    expect(events.map(({ type }) => type)).toEqual(["phase", "block-start", "delta", "block-stop", "usage", "finish"]);
    await settle();
    expect(house.inputEnded()).toBe(true);
    expect(house.ends).toEqual([{ closeFirstMs: 2_000 }]);
    expect(await isSettled(run.ended)).toBe(false);
    house.letGo();
    await run.ended;
    expect(house.isClosed()).toBe(true);
  });

  it("hands its prompt over as one user message (B3)", async () => {
    const seen: SDKUserMessage[] = [];
    house.ports.runtime.sdk = async () =>
      ({
        query: ({ prompt }: { prompt: AsyncIterable<SDKUserMessage> }) => {
          async function* messages() {
            for await (const message of prompt) {
              seen.push(message);
              yield* answer;
            }
          }
          return Object.assign(messages(), { close: () => undefined, initializationResult: async () => ({}) });
        },
      }) as never;
    await drain(
      start({
        prompt: [
          { type: "text", text: "1" },
          { type: "text", text: "2" },
        ],
      }).events,
    );
    expect(seen).toEqual([
      {
        type: "user",
        uuid: expect.stringMatching(/^[0-9a-f-]{36}$/),
        message: {
          role: "user",
          content: [
            { type: "text", text: "1" },
            { type: "text", text: "2" },
          ],
        },
        parent_tool_use_id: null,
      },
    ]);
  });

  it("does not wait for a process that would go on: at a token limit, and at a stop sequence of ours (B1)", async () => {
    const run = start();
    house.push(...streamed("m1", [text("x")], "max_tokens").map((event) => streamEvent(event)));
    expect((await drain(run.events)).at(-1)).toMatchObject({ type: "finish", reason: "length" });
    expect(house.ends).toEqual([{ closeFirstMs: 0 }]);

    house.letGo();
    house = createHouse();
    const cut = start({ turn: { ...spec.turn, stop: ["\n"] } });
    house.push(...streamed("m1", [text("one\ntwo")]).map((event) => streamEvent(event)));
    expect((await drain(cut.events)).at(-1)).toMatchObject({ type: "finish", reason: "stop", stopSequence: "\n" });
    expect(house.ends).toEqual([{ closeFirstMs: 0 }]);
  });

  it("leaves no listener behind on a signal that outlives it (C4)", async () => {
    const add = vi.spyOn(abort.signal, "addEventListener");
    const remove = vi.spyOn(abort.signal, "removeEventListener");
    const run = start();
    house.push(...answer);
    await drain(run.events);
    const listeners = add.mock.calls.map(([type, listener]) => [type, listener]);
    expect(listeners).toHaveLength(1);
    expect(remove.mock.calls.map(([type, listener]) => [type, listener])).toEqual(listeners);
  });
});

describe("a run that is cancelled", () => {
  const reason = new CcapiError("shutting_down", "x");

  it("before it began starts no process (C4)", async () => {
    abort.abort(reason);
    const run = start();
    await expect(drain(run.events)).rejects.toBe(reason);
    await run.ended;
    expect(house.queries).toEqual([]);
  });

  it("while its caller holds the first event starts no process either (C4)", async () => {
    const run = start();
    expect(await run.events.next()).toMatchObject({ value: { phase: "starting" } });
    abort.abort(reason);
    await expect(run.events.next()).rejects.toBe(reason);
    await run.ended;
    expect(house.queries).toEqual([]);
  });

  it("in the middle ends its process at once, and fails with the reason without waiting for that (C4)", async () => {
    const run = start();
    await run.events.next();
    house.push(system("status"));
    await run.events.next();
    const next = run.events.next();
    abort.abort(reason);
    await expect(next).rejects.toBe(reason);
    expect(house.ends[0]).toEqual({ closeFirstMs: 0 });
    expect(await isSettled(run.ended)).toBe(false);
    house.letGo();
    await run.ended;
  });

  it("while its caller holds an event ends its process at once (C4)", async () => {
    const run = start();
    await run.events.next();
    house.push(system("status"));
    await run.events.next();
    abort.abort(reason);
    expect(house.ends).toEqual([{ closeFirstMs: 0 }]);
    house.letGo();
    await expect(run.events.next()).rejects.toBe(reason);
    await run.ended;
  });

  it("fails with whatever it was aborted with, also where its process has died of it (C4)", async () => {
    const timeout = new DOMException("x", "TimeoutError");
    const run = start();
    const events = drain(run.events);
    await settle();
    house.die("end");
    abort.abort(timeout);
    await expect(events).rejects.toBe(timeout);
  });

  it("by its caller, who stops asking, ends its process (C4)", async () => {
    const run = start();
    await run.events.next();
    house.push(system("status"));
    await run.events.next();
    await run.events.return();
    expect(house.ends).toEqual([{ closeFirstMs: 0 }]);
    house.letGo();
    await run.ended;
  });

  it("after it has finished changes nothing any more (C4)", async () => {
    const run = start();
    house.push(...answer);
    await drain(run.events);
    abort.abort(reason);
    await settle();
    expect(house.ends).toEqual([{ closeFirstMs: 2_000 }]);
  });
});

describe("a run whose process dies", () => {
  it.each([{ how: "end" as const }, { how: new Error("Claude Code process terminated by signal SIGKILL") }])(
    "is a 502 that says how it died ($how) (B1)",
    async ({ how }) => {
      const run = start();
      house.push(system("status"));
      const events = drain(run.events);
      await settle();
      house.die(how);
      await expect(events).rejects.toMatchObject({ code: "upstream_process_died", status: 502 });
      await expect(events).rejects.toThrow("SIGKILL");
      house.letGo();
      await run.ended;
    },
  );

  it("never repeats what the SDK says of it, which may hold anything (C2)", async () => {
    const run = start();
    house.die(new Error("marked-secret"));
    const error: unknown = await drain(run.events).catch((caught: unknown) => caught);
    expect(`${String(error)} ${JSON.stringify(error)} ${String((error as Error).cause)}`).not.toContain("marked");
  });

  it("fails the same where the SDK can't be loaded or started, and has ended (B1)", async () => {
    house.ports.runtime.sdk = () => Promise.reject(new Error("no such module"));
    const run = start();
    await expect(drain(run.events)).rejects.toMatchObject({ code: "upstream_process_died" });
    await run.ended;
  });
});

describe("a run that the credential ends", () => {
  const retry = system("api_retry", { error: "authentication_failed", error_status: 401, attempt: 1 });

  async function endAtSign(child: Partial<RunSpec["child"]>): Promise<void> {
    const run = start({ child: { ...spec.child, ...child } });
    house.push(retry);
    await run.events.next();
    await run.events.next();
    await run.events.return();
  }

  it("ends its process at once (A4)", async () => {
    await endAtSign({ kind: "api_key" });
    expect(house.ends).toEqual([{ closeFirstMs: 0 }]);
    expect(house.interrupts).toBe(0);
  });

  it("lets a process live, and do nothing, while a stored login is being renewed: a spent token would stay behind (A4)", async () => {
    const configDir = mkdtempSync(join(tmpdir(), "ccapi-test-"));
    const lock = join(configDir, ".oauth_refresh.lock");
    mkdirSync(lock);
    try {
      await endAtSign({ kind: "stored_login", configDir });
      expect([house.ends, house.interrupts]).toEqual([[], 1]);
      rmdirSync(lock);
      await vi.waitFor(() => expect(house.ends).toEqual([{ closeFirstMs: 0 }]));
    } finally {
      rmSync(configDir, { recursive: true });
    }
  });
});
