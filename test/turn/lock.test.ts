import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createKeyedLock } from "../../src/turn/lock.ts";

const never = () => new AbortController().signal;
const settle = () => new Promise((resolve) => void setImmediate(resolve));

describe("a lock for each key", () => {
  it("lets the second one wait for the first, and another key's go on (B3)", async () => {
    const lock = createKeyedLock();
    const release = await lock.acquire("a", never());
    let isIn = false;
    const second = lock.acquire("a", never()).then((releaseSecond) => {
      isIn = true;
      return releaseSecond;
    });
    (await lock.acquire("b", never()))();
    await settle();
    expect(isIn).toBe(false);
    release();
    (await second)();
  });

  it("keeps nothing of a key that nobody wants any more (C4)", async () => {
    const lock = createKeyedLock();
    const release = await lock.acquire("a", never());
    const abort = new AbortController();
    const leaver = lock.acquire("a", abort.signal);
    expect(lock.isHeld("a")).toBe(true);
    abort.abort(new Error("gone"));
    await expect(leaver).rejects.toThrow("gone");
    expect(lock.isHeld("a")).toBe(true);
    release();
    await settle();
    expect(lock.isHeld("a")).toBe(false);
  });

  it("stays usable when one who waits goes: those behind it come in after those before it (B3)", async () => {
    const lock = createKeyedLock();
    const release = await lock.acquire("a", never());
    const abort = new AbortController();
    const reason = new Error("gone");
    const leaver = lock.acquire("a", abort.signal);
    let isIn = false;
    const last = lock.acquire("a", never()).then((releaseLast) => {
      isIn = true;
      return releaseLast;
    });
    abort.abort(reason);
    await expect(leaver).rejects.toBe(reason);
    await settle();
    expect(isIn).toBe(false);
    release();
    (await last)();
  });

  it("refuses one who is gone already (C4)", async () => {
    const lock = createKeyedLock();
    await expect(lock.acquire("a", AbortSignal.abort(new Error("gone")))).rejects.toThrow("gone");
    expect(lock.isHeld("a")).toBe(false);
  });

  it("lets only so many wait for one key, and takes no other key's room; one who waits no more makes some (C4)", async () => {
    const lock = createKeyedLock(2);
    const releases = [await lock.acquire("a", never()), await lock.acquire("b", never())];
    const abort = new AbortController();
    const one = lock.acquire("a", never());
    const two = lock.acquire("a", abort.signal);
    await expect(lock.acquire("a", never())).rejects.toMatchObject({ code: "queue_full", status: 429 });
    const other = lock.acquire("b", never());
    abort.abort(new Error("gone"));
    await expect(two).rejects.toThrow("gone");
    const three = lock.acquire("a", never());
    for (const release of releases) release();
    (await one)();
    (await three)();
    (await other)();
  });

  it("never lets two in at once, in order, and ends with nobody in, however turns and aborts interleave (B3)", async () => {
    const plan = fc.array(
      fc.record({ key: fc.constantFrom("a", "b"), aborts: fc.boolean(), releases: fc.integer({ min: 1, max: 2 }) }),
      { minLength: 1, maxLength: 10 },
    );
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), plan, async (s, turns) => {
        const lock = createKeyedLock();
        const inside = { a: 0, b: 0 };
        const came: Record<string, number[]> = { a: [], b: [] };
        const went: Record<string, number[]> = { a: [], b: [] };
        const tasks = turns.map(async ({ key, aborts, releases }, index) => {
          await s.schedule(Promise.resolve(), `arrive ${index}`);
          const abort = new AbortController();
          if (aborts) void s.schedule(Promise.resolve(), `abort ${index}`).then(() => abort.abort(new Error("gone")));
          came[key]?.push(index);
          try {
            const release = await lock.acquire(key, abort.signal);
            went[key]?.push(index);
            inside[key] += 1;
            expect(inside[key]).toBe(1);
            await s.schedule(Promise.resolve(), `work ${index}`);
            inside[key] -= 1;
            for (let time = 0; time < releases; time += 1) release();
          } catch (error) {
            if (!aborts) throw error;
          }
        });
        await s.waitFor(Promise.all(tasks));
        await settle();
        for (const key of ["a", "b"]) {
          expect(went[key]).toEqual(came[key]?.filter((index) => went[key]?.includes(index)));
          expect(lock.isHeld(key)).toBe(false);
        }
      }),
    );
  });
});
