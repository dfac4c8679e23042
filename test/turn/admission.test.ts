import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { createAdmission } from "../../src/turn/admission.ts";

const never = () => new AbortController().signal;

describe("admission", () => {
  it("lets in as many as there are slots, the others wait in the order in which they came (C4)", async () => {
    const admission = createAdmission({ maxRunning: 2, maxWaiting: 10 });
    const releases = [await admission.acquire(never()), await admission.acquire(never())];
    expect(admission).toMatchObject({ isFull: true, running: 2, waiting: 0 });
    const order: string[] = [];
    const waiting = ["a", "b", "c"].map((name) =>
      admission.acquire(never()).then((release) => {
        order.push(name);
        return release;
      }),
    );
    expect(admission.waiting).toBe(3);
    releases[1]?.();
    (await waiting[0])?.();
    (await waiting[1])?.();
    await waiting[2];
    expect(order).toEqual(["a", "b", "c"]);
    expect(admission).toMatchObject({ running: 2, waiting: 0 });
  });

  it("refuses one too many at once, with the time to wait (C4)", async () => {
    const admission = createAdmission({ maxRunning: 1, maxWaiting: 1 });
    const release = await admission.acquire(never());
    const waiting = admission.acquire(never());
    await expect(admission.acquire(never())).rejects.toMatchObject({
      code: "queue_full",
      status: 429,
      retryAfterMs: 5_000,
    });
    release();
    await waiting;
  });

  it("lets one that had a slot before in first, and never turns it away (A5)", async () => {
    const admission = createAdmission({ maxRunning: 1, maxWaiting: 1 });
    const release = await admission.acquire(new AbortController().signal);
    const order: string[] = [];
    const enter = async (name: string, isReturning: boolean) => {
      const leave = await admission.acquire(new AbortController().signal, { isReturning });
      order.push(name);
      leave();
    };
    const all = [enter("new", false), enter("returning 1", true), enter("returning 2", true)];
    expect(admission.waiting).toBe(3);
    release();
    await Promise.all(all);
    expect(order).toEqual(["returning 1", "returning 2", "new"]);
  });

  it("lets the keys take turns, however many requests one of them sends (C4)", async () => {
    const admission = createAdmission({ maxRunning: 1, maxWaiting: 20 });
    const release = await admission.acquire(never());
    const order: string[] = [];
    const enter = async (key: string) => {
      const leave = await admission.acquire(never(), { key });
      order.push(key);
      leave();
    };
    const all = ["a", "a", "a", "a", "b", "b", "c"].map(enter);
    release();
    await Promise.all(all);
    expect(order).toEqual(["a", "b", "c", "a", "b", "a", "a"]);
  });

  it("makes room in a full line for a key that has fewer in it: the newest of the longest is told (C4)", async () => {
    const admission = createAdmission({ maxRunning: 1, maxWaiting: 3 });
    const release = await admission.acquire(never(), { key: "a" });
    const first = [1, 2, 3].map(() => admission.acquire(never(), { key: "a" }));
    const other = admission.acquire(never(), { key: "b" });
    await expect(first[2]).rejects.toMatchObject({ code: "queue_full", status: 429 });
    expect(admission.waiting).toBe(3);
    // Two against one is as fair as it gets.
    await expect(admission.acquire(never(), { key: "b" })).rejects.toMatchObject({ code: "queue_full" });
    release();
    (await first[0])?.();
    (await other)?.();
    (await first[1])?.();
  });

  it("tells one at once whose time would run out before it could start, and when to come again (C4)", async () => {
    let nowMs = 0;
    const admission = createAdmission({ maxRunning: 1, maxWaiting: 20, now: () => nowMs });
    const before = await admission.acquire(never());
    nowMs += 4_000;
    before();
    const release = await admission.acquire(never());
    const waiting = admission.acquire(never(), { key: "a" });
    // Runs take 4 s: this one would begin in 8 s.
    await expect(admission.acquire(never(), { key: "a", endsAtMs: nowMs + 7_000 })).rejects.toMatchObject({
      code: "queue_full",
      retryAfterMs: 1_000,
    });
    const inTime = admission.acquire(never(), { key: "a", endsAtMs: nowMs + 9_000 });
    // Another key's turn comes sooner.
    const next = admission.acquire(never(), { key: "b", endsAtMs: nowMs + 8_500 });
    release();
    for (const slot of [waiting, next, inTime]) (await slot)();
  });

  it("tells how long it takes until there is room, as runs have shown (C4)", async () => {
    let nowMs = 0;
    const admission = createAdmission({ maxRunning: 2, maxWaiting: 0, now: () => nowMs });
    const [one, two] = [await admission.acquire(never()), await admission.acquire(never())];
    await expect(admission.acquire(never())).rejects.toMatchObject({ retryAfterMs: 5_000 });
    nowMs += 30_000;
    one();
    await admission.acquire(never());
    await expect(admission.acquire(never())).rejects.toMatchObject({ retryAfterMs: 15_000 });
    two();
  });

  it("gives a slot back once, however often it is released (C4)", async () => {
    const admission = createAdmission({ maxRunning: 1, maxWaiting: 1 });
    const release = await admission.acquire(never());
    release();
    release();
    expect(admission.running).toBe(0);
    await admission.acquire(never());
    release();
    expect(admission).toMatchObject({ isFull: true, running: 1 });
  });

  it("leaves no listener on the signal of one that got in (C4)", async () => {
    const admission = createAdmission({ maxRunning: 1, maxWaiting: 1 });
    const release = await admission.acquire(never());
    const signal = never();
    const add = vi.spyOn(signal, "addEventListener");
    const remove = vi.spyOn(signal, "removeEventListener");
    const waiting = admission.acquire(signal);
    release();
    await waiting;
    const listeners = add.mock.calls.map(([type, listener]) => [type, listener]);
    expect(listeners).toHaveLength(1);
    expect(remove.mock.calls.map(([type, listener]) => [type, listener])).toEqual(listeners);
  });

  it("lets one who waits go when its signal is aborted, with the reason, and those behind it move up (C4)", async () => {
    const admission = createAdmission({ maxRunning: 1, maxWaiting: 5 });
    const release = await admission.acquire(never());
    const abort = new AbortController();
    const leaver = admission.acquire(abort.signal);
    const next = admission.acquire(never());
    const reason = new Error("gone");
    abort.abort(reason);
    await expect(leaver).rejects.toBe(reason);
    await expect(admission.acquire(abort.signal)).rejects.toBe(reason);
    expect(admission.waiting).toBe(1);
    release();
    await next;
  });

  it("loses no slot, lets in no one too many and keeps each key's order, however requests, releases and aborts interleave (C4)", async () => {
    const plan = fc.array(fc.record({ aborts: fc.boolean(), key: fc.constantFrom("a", "b"), steps: fc.nat(3) }), {
      minLength: 1,
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), plan, fc.integer({ min: 1, max: 3 }), async (s, requests, maxRunning) => {
        const admission = createAdmission({ maxRunning, maxWaiting: 6 });
        let most = 0;
        let refused = 0;
        const served: { key: string; index: number }[] = [];
        const queued: { key: string; index: number }[] = [];
        const tasks = requests.map(async ({ aborts, key, steps }, index) => {
          await s.schedule(Promise.resolve(), `arrive ${index}`);
          const abort = new AbortController();
          if (aborts) void s.schedule(Promise.resolve(), `abort ${index}`).then(() => abort.abort(new Error("gone")));
          if (admission.isFull && admission.waiting < 6 && !aborts) queued.push({ key, index });
          let release: (() => void) | undefined;
          try {
            release = await admission.acquire(abort.signal, { key });
            if (queued.some((each) => each.index === index)) served.push({ key, index });
            most = Math.max(most, admission.running);
            for (let step = 0; step < steps; step += 1) await s.schedule(Promise.resolve(), `work ${index}`);
          } catch {
            // Gone, or full, also where it waited and had to make room.
            if (queued.some((each) => each.index === index)) refused += 1;
          } finally {
            release?.();
          }
        });
        await s.waitFor(Promise.all(tasks));
        expect(admission).toMatchObject({ running: 0, waiting: 0, isFull: false });
        expect(most).toBeLessThanOrEqual(maxRunning);
        expect(served.length + refused).toBe(queued.length);
        for (const own of ["a", "b"]) {
          const inOrder = queued.filter((each) => each.key === own && served.some(({ index }) => index === each.index));
          expect(served.filter((each) => each.key === own)).toEqual(inOrder);
        }
      }),
    );
  });
});
