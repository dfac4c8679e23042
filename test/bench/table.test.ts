// The benches' own arithmetic: what was not measured is never taken for good.
import { describe, expect, it } from "vitest";
import { quantile } from "../../bench/statistics.ts";
import { inMs, isBelow, runs, toTable } from "../../bench/table.ts";

describe("a bench", () => {
  it("misses a goal of which it measured nothing, and says so", () => {
    const nothing = quantile([], 0.5);
    expect([isBelow(nothing, 50), inMs(nothing)]).toEqual([false, "not measured"]);
  });

  it("counts the runs that gave no figure", () => {
    expect([runs(9, 9), runs(9, 7)]).toEqual(["9 runs", "9 runs, 2 FAILED"]);
  });

  it("takes quantiles from the values in their order as numbers", () => {
    const values = [100, 9, 30, 1, 20];
    expect([0, 0.5, 0.95, 1].map((share) => quantile(values, share))).toEqual([1, 20, 100, 100]);
    expect([isBelow(49.9, 50), isBelow(50, 50)]).toEqual([true, false]);
  });

  it("marks the goals that it missed", () => {
    const row = { id: "G", what: "w", goal: "g", measured: "m" };
    const [, , met, missed] = toTable([
      { ...row, isMet: true },
      { ...row, isMet: false },
    ]).split("\n");
    expect([met, missed]).toEqual(["| G | w | g | m |", "| G | w | g | **MISSED** m |"]);
  });
});
