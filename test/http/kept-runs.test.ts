import { expect, it } from "vitest";
import { createKeptRuns } from "../../src/http/kept-runs.ts";
import { record } from "../../src/http/recording.ts";

const answer = () => Promise.resolve(record(new Response("answer")));
const limits = { keepMs: 1_000, maxRuns: 2, maxBytes: 100 };

it("keeps the newest answers within its bounds, and every run under way (C4)", () => {
  let now = 0;
  const runs = createKeptRuns(limits, () => now);
  runs.begin("running", "h", answer());
  for (const key of ["a", "b", "c"]) {
    now += 1;
    runs.keep(key, runs.begin(key, "h", answer()), 10);
  }
  expect(["running", "a", "b", "c"].map((key) => runs.find(key)?.state)).toEqual([
    "running",
    undefined,
    "kept",
    "kept",
  ]);
  now += 1;
  runs.keep("d", runs.begin("d", "h", answer()), 95);
  expect(["running", "c", "d"].map((key) => runs.find(key)?.state)).toEqual(["running", undefined, "kept"]);
});

it("remembers that an answer was given which is too large to be kept (C4)", async () => {
  const runs = createKeptRuns(limits, () => 0);
  runs.keep("a", runs.begin("a", "h", answer()), 101);
  expect(runs.find("a")?.state).toBe("too-large");
  await expect(runs.find("a")?.recording).rejects.toThrow("too large");
});

it("forgets only the run that failed, not the one that took its key (A5)", () => {
  const runs = createKeptRuns(limits, () => 0);
  const first = runs.begin("a", "h", answer());
  const second = runs.begin("a", "h", answer());
  runs.forget("a", first);
  expect(runs.find("a")).toBe(second);
  runs.keep("a", first, 1);
  expect(runs.find("a")?.state).toBe("running");
});
