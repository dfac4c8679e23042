import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { toEventStream } from "../../src/http/event-stream.ts";
import { holdBack } from "../../src/http/hold.ts";
import type { TurnEvent } from "../../src/turn/turn.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const phase = (name: "queued" | "starting" | "refreshing" | "working"): TurnEvent => ({ type: "phase", phase: name });
const delta = (text: string): TurnEvent => ({ type: "delta", kind: "text", text });

/** A turn whose events the test hands out one by one. */
function puppet() {
  const waiting: { resolve: (result: IteratorResult<TurnEvent, void>) => void; reject: (error: Error) => void }[] = [];
  const ready: TurnEvent[] = [];
  let isEnded = false;
  return {
    iterator: {
      next: () =>
        new Promise<IteratorResult<TurnEvent, void>>((resolve, reject) => {
          const event = ready.shift();
          if (event === undefined) waiting.push({ resolve, reject });
          else resolve({ done: false, value: event });
        }),
      async return() {
        isEnded = true;
        return { done: true as const, value: undefined };
      },
    } satisfies AsyncIterator<TurnEvent, void>,
    give(event: TurnEvent) {
      const next = waiting.shift();
      if (next === undefined) ready.push(event);
      else next.resolve({ done: false, value: event });
    },
    left: () => ready.length,
    isEnded: () => isEnded,
    end: () => waiting.shift()?.resolve({ done: true, value: undefined }),
    fail: (error: Error) => waiting.shift()?.reject(error),
  };
}

async function passed(promise: Promise<unknown>): Promise<boolean> {
  let isPassed = false;
  void promise.then(() => (isPassed = true));
  await vi.advanceTimersByTimeAsync(0);
  return isPassed;
}

const hold = { workingMs: 10_000, totalMs: 50_000 };

describe("headers are held back", () => {
  it("until the first block (B1)", async () => {
    const turn = puppet();
    const released = holdBack(turn.iterator, hold);
    turn.give(phase("working"));
    expect(await passed(released)).toBe(false);
    turn.give({ type: "block-start", kind: "text" });
    expect(await released).toEqual({
      events: [phase("working"), { type: "block-start", kind: "text" }],
      pending: undefined,
    });
  });

  it("for 10 s at most while the model works (B1)", async () => {
    const turn = puppet();
    const released = holdBack(turn.iterator, hold);
    turn.give(phase("working"));
    await vi.advanceTimersByTimeAsync(9_999);
    expect(await passed(released)).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect((await released).pending).toBeInstanceOf(Promise);
  });

  it("for 50 s in all while the request waits for something of ours, before a proxy gives up (B1, A5)", async () => {
    const turn = puppet();
    const released = holdBack(turn.iterator, hold);
    turn.give(phase("working"));
    await vi.advanceTimersByTimeAsync(9_000);
    turn.give(phase("refreshing"));
    await vi.advanceTimersByTimeAsync(20_000);
    expect(await passed(released)).toBe(false);
    turn.give(phase("working"));
    await vi.advanceTimersByTimeAsync(9_999);
    expect(await passed(released)).toBe(false);
    turn.give(phase("queued"));
    await vi.advanceTimersByTimeAsync(11_000);
    expect(await passed(released)).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect((await released).pending).toBeInstanceOf(Promise);
  });

  it("and a failure meanwhile is the request's own (B1)", async () => {
    const turn = puppet();
    const released = holdBack(turn.iterator, hold);
    turn.fail(new Error("no credential"));
    await expect(released).rejects.toThrow("no credential");
  });
});

describe("a stream", () => {
  const decoder = new TextDecoder();
  function open(turn: ReturnType<typeof puppet>, abandon = vi.fn<(reason: Error) => void>()) {
    const stream = toEventStream(
      turn.iterator,
      { events: [], pending: undefined },
      {
        toFrames: (event) => (event.type === "delta" ? [`data: ${event.text}\n\n`] : []),
        lastFrames: ["data: [DONE]\n\n"],
        toErrorFrames: (error) => [`data: ${(error as Error).message}\n\n`],
        heartbeatMs: 15_000,
        abandon,
      },
    );
    const reader = stream.getReader();
    return { reader, abandon, read: async () => decoder.decode((await reader.read()).value) };
  }

  it("writes each event at once and whole (B1)", async () => {
    const turn = puppet();
    const { read, reader } = open(turn);
    turn.give(delta("one"));
    expect(await read()).toBe("data: one\n\n");
    turn.give(delta("two"));
    expect(await read()).toBe("data: two\n\n");
    const last = read();
    await vi.advanceTimersByTimeAsync(0);
    turn.end();
    expect(await last).toBe("data: [DONE]\n\n");
    expect((await reader.read()).done).toBe(true);
  });

  it("says that it lives when nothing happened for 15 s, and loses no event by it (B1)", async () => {
    const turn = puppet();
    const { read } = open(turn);
    const first = read();
    await vi.advanceTimersByTimeAsync(15_000);
    expect(await first).toBe(": keep-alive\n\n");
    const second = read();
    turn.give(delta("late"));
    expect(await second).toBe("data: late\n\n");
  });

  it("writes what comes at once in one go, and what fails behind it after it (B1)", async () => {
    const turn = puppet();
    const { read, reader } = open(turn);
    for (const words of ["one", "two", "three"]) turn.give(delta(words));
    expect(await read()).toBe("data: one\n\ndata: two\n\ndata: three\n\n");
    turn.give(delta("four"));
    await vi.advanceTimersByTimeAsync(0);
    turn.fail(new Error("broken"));
    expect((await read()) + (await read())).toBe("data: four\n\ndata: broken\n\n");
    expect((await reader.read()).done).toBe(true);
  });

  it("has one timer, however many events it has sent (G5)", async () => {
    const turn = puppet();
    const made = vi.spyOn(globalThis, "setTimeout");
    const { read } = open(turn);
    for (let count = 0; count < 100; count += 1) {
      turn.give(delta("more"));
      await read();
    }
    expect(made.mock.calls.filter(([, ms]) => ms === 15_000)).toHaveLength(1);
    made.mockRestore();
  });

  it("ends a failed turn with its error frame alone (B1)", async () => {
    const turn = puppet();
    const { read, reader } = open(turn);
    const frame = read();
    await vi.advanceTimersByTimeAsync(0);
    turn.fail(new Error("broken"));
    expect(await frame).toBe("data: broken\n\n");
    expect((await reader.read()).done).toBe(true);
  });

  it("goes on only as fast as its client reads (C4)", async () => {
    const turn = puppet();
    open(turn);
    for (let count = 0; count < 1_000; count += 1) turn.give(delta("more"));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(turn.left()).toBeGreaterThan(800);
  });

  it("abandons its turn when the client goes, also one that waits to be asked for its next event (C4)", async () => {
    const turn = puppet();
    const { abandon, reader } = open(turn);
    await reader.cancel();
    expect(abandon).toHaveBeenCalledOnce();
    expect(turn.isEnded()).toBe(true);
  });
});
