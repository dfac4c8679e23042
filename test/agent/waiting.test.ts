// Waiting that can be ended, and messages that wait for who asks.
import { describe, expect, it } from "vitest";
import { interruptible, orAborted } from "../../src/agent/interruptible.ts";
import { createOutlet } from "../../src/agent/outlet.ts";

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const values: T[] = [];
  for await (const value of source) values.push(value);
  return values;
}

describe("an interruptible source", () => {
  it("gives what the source gives, and throws what it throws (C4)", async () => {
    const { signal } = new AbortController();
    async function* source(): AsyncGenerator<number> {
      yield 1;
      throw new Error("broken");
    }
    const values = interruptible(source(), signal);
    expect((await values.next()).value).toBe(1);
    await expect(values.next()).rejects.toThrow("broken");
  });

  it("ends with the signal, though the source never does, and tells it so (C4)", async () => {
    const controller = new AbortController();
    let isReturned = false;
    const source: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => {}),
        return: async () => {
          isReturned = true;
          return { done: true, value: undefined };
        },
      }),
    };
    const values = all(interruptible(source, controller.signal));
    controller.abort();
    expect(await values).toEqual([]);
    expect(isReturned).toBe(true);
  });

  it("waits for nothing once the signal is aborted; a failure is still one (C4)", async () => {
    await orAborted(new Promise(() => {}), AbortSignal.abort());
    await expect(orAborted(Promise.reject(new Error("broken")), new AbortController().signal)).rejects.toThrow(
      "broken",
    );
  });
});

describe("messages on their way to the caller", () => {
  it("wait for who asks, and who asks waits for them (F)", async () => {
    const outlet = createOutlet<number>();
    outlet.put(1);
    expect(await outlet.next()).toEqual({ done: false, value: 1 });
    const later = outlet.next();
    outlet.put(2);
    expect(await later).toEqual({ done: false, value: 2 });
    const last = outlet.next();
    outlet.finish();
    outlet.put(3);
    expect([await last, await outlet.next()]).toEqual([
      { done: true, value: undefined },
      { done: true, value: undefined },
    ]);
  });

  it("come before the error, which comes once (F)", async () => {
    const outlet = createOutlet<number>();
    outlet.put(1);
    outlet.fail(new Error("broken"));
    expect(await outlet.next()).toEqual({ done: false, value: 1 });
    await expect(outlet.next()).rejects.toThrow("broken");
    expect(await outlet.next()).toEqual({ done: true, value: undefined });
  });
});
