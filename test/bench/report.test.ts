// What a bench hands over, and how it is printed.
import { describe, expect, it } from "vitest";
import { toFailure, toMarkdown } from "../../bench/report.ts";
import { above, spreadOf } from "../../bench/statistics.ts";

describe("a bench's report", () => {
  it("shows figures in their columns, numbers with their digits, and what was not measured as a dash", () => {
    const text = toMarkdown({
      part: "p",
      title: "Title",
      notes: ["A note."],
      columns: [
        { key: "way", head: "way" },
        { key: "ms", head: "ms", digits: 1 },
        { key: "bytes", head: "bytes" },
      ],
      figures: [
        { way: "raw", ms: 0.94, bytes: 12_345.6 },
        { way: "other", ms: undefined, bytes: 0 },
      ],
      goals: [],
    });
    expect(text.split("\n")).toEqual([
      "**Title**",
      "",
      "A note.",
      "",
      "| way | ms | bytes |",
      "| --- | --- | --- |",
      "| raw | 0.9 | 12,346 |",
      "| other | – | 0 |",
    ]);
  });

  it("of a bench that could not end is a missed goal", () => {
    const { goals } = toFailure("speed", "First token", new Error("no server"));
    expect(goals).toMatchObject([{ measured: "not measured: no server", isMet: false }]);
  });
});

describe("a spread", () => {
  it("says how many values it is of, and makes none up", () => {
    expect(spreadOf([])).toEqual({ p50: undefined, p95: undefined, count: 0 });
    expect(spreadOf([5, 1, 9])).toEqual({ p50: 5, p95: 9, count: 3 });
    expect([above(30, 1), above(30, undefined), above(undefined, 1)]).toEqual([29, undefined, undefined]);
  });
});
