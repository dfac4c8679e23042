// The judgement of a soak: an error that nobody provoked, and growth, are never overlooked.
import { describe, expect, it } from "vitest";
import { growthOf } from "../../bench/soak/flat.ts";
import { createTally } from "../../bench/soak/tally.ts";

describe("a soak's tally", () => {
  it("explains as many errors as troubles were made, and no more", () => {
    const tally = createTally();
    for (const traffic of ["a", "a", "b"]) tally.add({ traffic, end: "502 upstream_process_died" });
    tally.add({ traffic: "a", end: "ok" });
    expect(tally.unexplained).toHaveLength(2);
    tally.allow("upstream_process_died", 2);
    expect(tally.unexplained).toEqual([{ traffic: "b", end: "502 upstream_process_died", count: 1 }]);
    tally.allow("upstream_process_died", 1);
    expect(tally.unexplained).toEqual([]);
  });

  it("explains no error by a trouble of another kind, and no wrong answer by any", () => {
    const tally = createTally();
    tally.allow("upstream_process_died", 9);
    tally.add({ traffic: "a", end: "502 upstream_error" });
    tally.add({ traffic: "a", end: "200 with a wrong answer" });
    tally.add({ traffic: "a", end: "no answer: TypeError: fetch failed" });
    expect(tally.unexplained).toHaveLength(3);
  });

  it("counts every end of every kind, the most frequent first", () => {
    const tally = createTally();
    for (const end of ["ok", "503 x", "ok"]) tally.add({ traffic: "a", end });
    expect(tally.counted).toEqual([
      { traffic: "a", end: "ok", count: 2 },
      { traffic: "a", end: "503 x", count: 1 },
    ]);
  });
});

describe("growth", () => {
  const slack = { times: 1.1, more: 5 };

  it("is seen where the last third has more than the first and its slack", () => {
    const rising = Array.from({ length: 100 }, (_, index) => 100 + index);
    expect(growthOf(rising, slack).isFlat).toBe(false);
    expect(
      growthOf(
        Array.from({ length: 100 }, (_, index) => 100 + (index % 7)),
        slack,
      ).isFlat,
    ).toBe(true);
  });

  it("is not what is loaded at the beginning, nor a single peak", () => {
    const looks = Array.from({ length: 100 }, (_, index) => (index < 15 ? index : index === 90 ? 900 : 100));
    expect(growthOf(looks, slack)).toEqual({ first: 100, last: 100, isFlat: true });
  });

  it("is assumed where nothing was seen", () => {
    expect(growthOf([], slack).isFlat).toBe(false);
    expect(growthOf([1, 2], slack).isFlat).toBe(false);
  });
});
