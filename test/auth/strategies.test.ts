// The strategies that need no process: each keeps the contract, and what is its own.
import { describe, expect, it } from "vitest";
import type { ProofOutcome } from "../../src/auth/ports.ts";
import { reloadStrategy } from "../../src/auth/strategies/reload.ts";
import { rereadStrategy } from "../../src/auth/strategies/reread.ts";
import { testQueryStrategy } from "../../src/auth/strategies/test-query.ts";
import { plainContext, strategyContract } from "./strategy-contract.ts";
import { fakeClassify, finalFailure } from "./world.ts";

const rejected: ProofOutcome = { outcome: "rejected", classification: fakeClassify(finalFailure()) };
const hangUntilAborted = (signal: AbortSignal) =>
  new Promise<void>((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

strategyContract("reread", {
  works: async () => ({ strategy: rereadStrategy() }),
  fails: async () => ({ strategy: rereadStrategy(), context: { look: async () => undefined } }),
});
strategyContract("test-query", {
  works: async () => ({ strategy: testQueryStrategy(), context: { testQuery: async () => ({ outcome: "answered" }) } }),
  fails: async () => ({ strategy: testQueryStrategy(), context: { testQuery: async () => rejected } }),
});
strategyContract("reload", {
  works: async () => ({ strategy: reloadStrategy(async () => undefined) }),
  fails: async () => ({ strategy: reloadStrategy(() => Promise.reject(new Error("no such module"))) }),
  hangs: async () => ({ strategy: reloadStrategy(hangUntilAborted) }),
});

describe("reread", () => {
  it("tells a changed credential from one that is the same (A4)", async () => {
    const context = plainContext();
    await expect(rereadStrategy().run(context)).resolves.toEqual({ outcome: "unchanged" });
    const seen = await context.look();
    const look = async () => seen && { ...seen, changed: true };
    await expect(rereadStrategy().run(plainContext({ look }))).resolves.toEqual({ outcome: "changed" });
  });
});

describe("the test query", () => {
  it("is left to a request where one waits: no call is spent (A4)", async () => {
    let queries = 0;
    const testQuery = async () => ((queries += 1), rejected);
    await expect(testQueryStrategy().run(plainContext({ waiting: () => 1, testQuery }))).resolves.toMatchObject({
      outcome: "unchanged",
    });
    expect(queries).toBe(0);
  });

  it("asks ahead of an expiry only what Claude itself renews (A8)", async () => {
    let queries = 0;
    const testQuery = async (): Promise<ProofOutcome> => ((queries += 1), { outcome: "answered" });
    const context = plainContext({ trigger: "schedule", testQuery });
    await expect(testQueryStrategy().run(context)).resolves.toMatchObject({ outcome: "unchanged" });
    expect(queries).toBe(0);
    const seen = await context.look();
    const look = async () => seen && { ...seen, reading: { ...seen.reading, claudeRenews: true } };
    await expect(testQueryStrategy().run({ ...context, look })).resolves.toEqual({ outcome: "proved" });
  });

  it.each([
    [{ outcome: "answered" } as const, "proved"],
    [rejected, "rejected"],
    [{ outcome: "inconclusive", reason: "429" } as const, "failed"],
    [undefined, "unchanged"],
  ])("that comes to %o is told as %s (A4)", async (proof, outcome) => {
    await expect(testQueryStrategy().run(plainContext({ testQuery: async () => proof }))).resolves.toMatchObject({
      outcome,
    });
  });
});

describe("reload", () => {
  it("claims nothing: the proof that follows decides (A4)", async () => {
    let reloads = 0;
    const strategy = reloadStrategy(async () => void (reloads += 1));
    await expect(strategy.run(plainContext())).resolves.toMatchObject({ outcome: "unchanged" });
    expect(reloads).toBe(1);
  });

  it("is not done again in the same outage: what it replaces is never freed (A7)", async () => {
    let reloads = 0;
    const strategy = reloadStrategy(async () => void (reloads += 1));
    for (const trigger of ["retry", "probe"] as const) {
      await expect(strategy.run({ ...plainContext(), trigger })).resolves.toMatchObject({ outcome: "unchanged" });
    }
    expect(reloads).toBe(0);
  });
});
