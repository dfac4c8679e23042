// What an instance does about a room of shared facts that is not as it left it.
import { describe, expect, it } from "vitest";
import { type Facts, initialFacts } from "../../src/auth/facts.ts";
import { courseFor, type Mark, reconcile, shiftGenerations, shiftTimes } from "../../src/auth/store/lineage.ts";
import { createRemoteClock } from "../../src/auth/store/remote-clock.ts";
import { fakeClock } from "./fake-clock.ts";

const facts = initialFacts(1_000);
const mark = (epoch: string, count: number, stamp = "x"): Mark => ({ epoch, count, stamp });
const found = (at: Mark, from?: Mark) => ({ mark: at, from, facts });

describe("a room that is looked into", () => {
  it.each([
    ["for the first time is taken over", found(mark("e", 5)), undefined, { do: "adopt", isSameLine: false }],
    ["and is as it was goes on", found(mark("e", 5)), mark("e", 5), { do: "go-on" }],
    ["and went on is taken over", found(mark("e", 6)), mark("e", 5), { do: "adopt", isSameLine: true }],
    ["and went back is put right", found(mark("e", 4)), mark("e", 5), { do: "restore", isNewEpoch: true }],
    ["and took another turn is put right", found(mark("e", 5, "y")), mark("e", 5), { do: "restore", isNewEpoch: true }],
    [
      "and was rebuilt from the same is taken over",
      found(mark("f", 6), mark("e", 5)),
      mark("e", 5),
      { do: "adopt", isSameLine: true },
    ],
    [
      "and was rebuilt from older facts is put right",
      found(mark("f", 6), mark("e", 4)),
      mark("e", 5),
      { do: "restore", isNewEpoch: false },
    ],
    [
      "and has nothing to do with what is known is taken over as another line",
      found(mark("g", 1)),
      mark("e", 5),
      { do: "adopt", isSameLine: false },
    ],
  ] as const)("%s (A9)", (_what, there, mine, course) => {
    expect(courseFor(there, mine)).toEqual(course);
  });

  it("never makes a count go back when two views become one (A9)", () => {
    const a: Facts = {
      ...facts,
      generation: 4,
      refreshCount: 2,
      testQueriesAtMs: [1, 2],
      lastRefreshAtMs: 5,
      credential: { is: "valid" },
    };
    const b: Facts = { ...facts, generation: 3, refreshCount: 3, testQueriesAtMs: [2, 3], lastManualAtMs: 7 };
    for (const whole of [reconcile(a, b), reconcile(b, a)]) {
      expect(whole).toMatchObject({
        generation: 4,
        refreshCount: 3,
        testQueriesAtMs: [1, 2, 3],
        lastRefreshAtMs: 5,
        lastManualAtMs: 7,
        credential: { is: "valid" },
      });
    }
  });
});

describe("facts that are moved", () => {
  const lease = { id: "l", untilMs: 10, beganAtMs: 5, trigger: "request", generation: 2, isProbe: false } as const;
  const running: Facts = { ...facts, generation: 2, materialGeneration: 2, refresher: { is: "running", lease } };

  it("have all their generations moved, and come back the same (A9)", () => {
    const moved = shiftGenerations(running, 7);
    expect(moved).toMatchObject({ generation: 9, materialGeneration: 9, refresher: { lease: { generation: 9 } } });
    expect(shiftGenerations(moved, -7)).toEqual(running);
  });

  it.each<Facts>([
    running,
    { ...facts, refresher: { is: "cooling_down", untilMs: 9 }, lastRefreshAtMs: 3, lastManualAtMs: 4 },
    { ...facts, refresher: { is: "locked_out", nextProbeAtMs: 9 }, testQueriesAtMs: [1, 2] },
    { ...facts, credential: { is: "expired", cause: "request", firstSignAtMs: 8 }, evidence: { source: "s", atMs: 8 } },
  ])("have all their times moved, and come back the same: %# (A9)", (each) => {
    const moved = shiftTimes(each, 100);
    expect(JSON.stringify(moved)).not.toBe(JSON.stringify(each));
    expect(shiftTimes(moved, -100)).toEqual(each);
    // Every number that is a time has moved: none is as it was.
    const times = (text: string) => [...text.matchAll(/"\w*(?:Ms|AtMs)":(\d+)/g)].map(([, number]) => Number(number));
    expect(times(JSON.stringify(moved))).toEqual(times(JSON.stringify(each)).map((ms) => ms + 100));
  });
});

describe("the clock of all", () => {
  it("follows what it was told, whatever this host's clock is set to (A9)", async () => {
    const clock = fakeClock({ wallMs: 5_000_000 });
    const time = createRemoteClock(clock);
    expect(time.nowMs()).toBe(5_000_000);
    const sentAtMs = clock.monotonicMs();
    await clock.advance(10);
    expect(time.note(1_000_000, sentAtMs)).toBeLessThan(-3_900_000);
    expect(Math.abs(time.nowMs() - 1_000_005)).toBeLessThanOrEqual(10);
    clock.stepWall(86_400_000);
    await clock.advance(1_000);
    expect(Math.abs(time.nowMs() - 1_001_005)).toBeLessThanOrEqual(10);
  });

  it("never goes back after the first contact (A9)", async () => {
    const clock = fakeClock();
    const time = createRemoteClock(clock);
    time.note(1_000_000, clock.monotonicMs());
    const before = time.nowMs();
    time.note(900_000, clock.monotonicMs());
    expect(time.nowMs()).toBe(before);
  });
});
