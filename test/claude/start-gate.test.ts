import { expect, it } from "vitest";
import { createStartGate } from "../../src/claude/start-gate.ts";

const never = new AbortController().signal;
const wish = { key: "k", mayReturn: false, signal: never };

it("lets so many start at once; the next when one of them has begun to work (G9)", async () => {
  const gate = createStartGate<string>(1, 20);
  const first = await gate.enter(wish);
  let hasEntered = false;
  const second = gate.enter(wish).then((leave) => {
    hasEntered = true;
    return leave;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(hasEntered).toBe(false);
  first.started();
  first.started();
  expect((await second).offered).toBeUndefined();
});

it("gives who waits what is free meanwhile, if it is of the kind, and to one alone (G9)", async () => {
  const gate = createStartGate<string>(1, 20);
  await gate.enter(wish);
  const waiting = [gate.enter(wish), gate.enter({ ...wish, key: undefined })];
  expect(gate.offer("other", "x")).toBe(false);
  expect(gate.offer("k", "y")).toBe(true);
  expect(gate.offer("k", "z")).toBe(false);
  expect((await waiting[0])?.offered).toBe("y");
});

it("starts another where nothing came back in time (G9)", async () => {
  const gate = createStartGate<string>(1, 20);
  expect((await gate.enter({ ...wish, mayReturn: true })).offered).toBeUndefined();
});

it("lets go of who waits no longer (C4)", async () => {
  const gate = createStartGate<string>(1, 20);
  const first = await gate.enter(wish);
  const abort = new AbortController();
  const second = gate.enter({ ...wish, signal: abort.signal });
  abort.abort(new Error("gone"));
  await expect(second).rejects.toThrow("gone");
  first.started();
  expect((await gate.enter(wish)).offered).toBeUndefined();
});
