import { describe, expect, it } from "vitest";
import { createRuntime } from "../../src/claude/runtime.ts";

/** Loads a fake at each call but those of the numbers in `failing`; tells which generations were asked for. */
function fakeLoader(failing: readonly number[] = []) {
  const asked: number[] = [];
  const load = async (generation: number) => {
    asked.push(generation);
    if (failing.includes(asked.length)) throw new Error("not now");
    return { query: () => undefined } as never; // Nothing here looks inside.
  };
  return { load, asked };
}

describe("loading the Agent SDK", () => {
  it("happens at the first use, once for all who ask (A4)", async () => {
    const { load, asked } = fakeLoader();
    const runtime = createRuntime(load);
    expect(asked).toEqual([]);
    const [one, two] = await Promise.all([runtime.sdk(), runtime.sdk()]);
    expect(one).toBe(two);
    expect([asked, runtime.generation]).toEqual([[1], 1]);
  });

  it("is tried again after it failed: no failure is kept, neither of the first load nor of a reload (A4)", async () => {
    const { load, asked } = fakeLoader([1, 3]);
    const runtime = createRuntime(load);
    await expect(runtime.sdk()).rejects.toThrow("not now");
    await expect(runtime.sdk()).resolves.toBeDefined();
    await expect(runtime.reload()).rejects.toThrow("not now");
    await expect(runtime.sdk()).resolves.toBeDefined();
    expect([asked, runtime.generation]).toEqual([[1, 1, 2, 2], 2]);
  });

  it("gives another instance of the real module after a reload (A4)", async () => {
    const runtime = createRuntime();
    const before = await runtime.sdk();
    await runtime.reload();
    const after = await runtime.sdk();
    expect(after.query).toBeTypeOf("function");
    expect(after.query).not.toBe(before.query);
    expect(await runtime.sdk()).toBe(after);
  });
});
