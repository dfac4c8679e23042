// The chain of strategies with its proof: the order, what ends it, what each step comes to.
import { describe, expect, it } from "vitest";
import type { Strategy, StrategyResult } from "../../src/auth/strategies/strategy.ts";
import { settle } from "./fake-clock.ts";
import { sleep } from "./request.ts";
import { createWorld, type World, type WorldOptions } from "./world.ts";

const step = (name: string, result: StrategyResult | (() => Promise<StrategyResult>)): Strategy => ({
  name,
  run: async () => (typeof result === "function" ? result() : result),
});

async function refresh(strategies: readonly Strategy[], options: WorldOptions = {}): Promise<World> {
  const world = createWorld({ strategies, ...options });
  await settle();
  world.accepted.clear();
  return world;
}

const stepsOf = (world: World) =>
  world.eventsOf("strategy-end").map(({ strategy, outcome }) => `${strategy} ${outcome}`);

describe("the chain", () => {
  it("tries the strategies in order until one claims a change, and proves that (A4)", async () => {
    const world = await refresh([
      step("one", { outcome: "unchanged" }),
      step("two", { outcome: "failed", reason: "exit code 3" }),
      step("three", { outcome: "changed" }),
      step("four", { outcome: "changed" }),
    ]);
    world.accepted.add(world.material);
    await expect(world.manager.refresh()).resolves.toMatchObject({ success: true });
    expect(stepsOf(world)).toEqual(["one unchanged", "two failed", "three changed"]);
    expect(world.proofs).toHaveLength(1);
    await world.close();
  });

  it("is a failure where a strategy claims a change and the credential is still rejected (A4)", async () => {
    const world = await refresh([
      step("command", { outcome: "changed", detail: "the command ended with exit code 0" }),
    ]);
    await expect(world.manager.refresh()).resolves.toEqual({
      success: false,
      message: "It was rejected.",
      shouldRetry: true,
    });
    expect(world.eventsOf("refresh-end")[0]).toMatchObject({ outcome: "rejected", consecutiveFailures: 1 });
    await world.close();
  });

  it("ends a step at its time limit and goes on with the next (A3, A4)", async () => {
    const world = await refresh([
      step("hangs", () => new Promise(() => undefined)),
      step("next", { outcome: "unchanged" }),
    ]);
    const result = world.manager.refresh();
    await world.clock.advance(60_000);
    await result;
    expect(stepsOf(world)).toEqual(["hangs timed-out", "next unchanged"]);
    await world.close();
  });

  it("ends as a whole after 5 min, whatever hangs (A3)", async () => {
    const hanging = Array.from({ length: 8 }, (_, index) => step(`hangs-${index}`, () => new Promise(() => undefined)));
    const world = await refresh(hanging);
    const result = world.manager.refresh();
    await world.clock.advance(299_000);
    expect(world.eventsOf("refresh-end")).toEqual([]);
    await world.clock.advance(1_000);
    await expect(result).resolves.toMatchObject({ success: false });
    expect(world.eventsOf("refresh-end")[0]).toMatchObject({ outcome: "timed-out", durationMs: 300_000 });
    await world.close();
  });

  it("asks the model once for one credential: a query that was rejected is not asked again (A4)", async () => {
    const query: Strategy = {
      name: "query",
      run: async ({ testQuery }) => {
        const proof = await testQuery();
        return proof?.outcome === "rejected" ? proof : { outcome: "unchanged" };
      },
    };
    const world = await refresh([query, step("after", { outcome: "unchanged" })]);
    await expect(world.manager.refresh()).resolves.toMatchObject({ success: false });
    expect(stepsOf(world)).toEqual(["query rejected", "after unchanged"]);
    expect(world.proofs).toHaveLength(1);
    await world.close();
  });

  it("proves what is there at its end, where it changed while it was asked about (A4)", async () => {
    const world = await refresh([]);
    world.proof = async () => {
      if (world.material !== "first") return { outcome: "answered" };
      world.material = "second";
      world.touch();
      await settle();
      return { outcome: "rejected", classification: { verdict: "auth_refreshable", reason: "", rule: "r" } };
    };
    await expect(world.manager.refresh()).resolves.toMatchObject({ success: true });
    expect(world.proofs).toHaveLength(2);
    await world.close();
  });

  it("drops a question about a credential that was replaced meanwhile, and asks about the new one at once (G2)", async () => {
    const world = await refresh([]);
    const asked: string[] = [];
    world.proof = async (signal) => {
      asked.push(world.material);
      if (world.material === "second") return { outcome: "answered" };
      return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    };
    const result = world.manager.refresh();
    await world.clock.advance(1_000);
    world.material = "second";
    world.touch();
    await settle();
    await expect(result).resolves.toMatchObject({ success: true });
    expect(asked).toEqual(["first", "second"]);
    await world.close();
  });

  it("leaves a question to its end where Claude may be renewing the credential by it (A4)", async () => {
    const world = await refresh([], { reading: { claudeRenews: true } });
    let isEnded = false;
    world.proof = (signal) => {
      signal.addEventListener("abort", () => (isEnded = true));
      return sleep(world.clock, 3_000).then(() => ({ outcome: "answered" }));
    };
    const result = world.manager.refresh();
    await world.clock.advance(1_000);
    world.material = "second";
    world.touch();
    await world.clock.advance(2_500);
    await expect(result).resolves.toMatchObject({ success: true });
    expect(isEnded).toBe(false);
    await world.close();
  });

  it("gives a strategy 2 s to end after another credential was seen (A4)", async () => {
    const world = await refresh([
      step("hangs", () => new Promise(() => undefined)),
      step("next", { outcome: "unchanged" }),
    ]);
    const result = world.manager.refresh();
    await world.clock.advance(1_000);
    world.material = "second";
    world.accepted.add("second");
    world.touch();
    await world.clock.advance(2_000);
    await expect(result).resolves.toMatchObject({ success: true });
    expect(stepsOf(world)).toEqual(["hangs timed-out"]);
    await world.close();
  });

  it("masks what looks like a secret in a strategy's words, and drops what it threw (C2)", async () => {
    const world = await refresh([
      step("tells", { outcome: "failed", reason: "refused token=sk-ant-api03-abcdefghijklmnop" }),
      step("throws", () => Promise.reject(new Error("sk-ant-api03-abcdefghijklmnop"))),
    ]);
    await world.manager.refresh();
    expect(JSON.stringify(world.events)).not.toContain("sk-ant-api03");
    expect(world.eventsOf("strategy-end").map(({ detail }) => detail)).toEqual([
      "refused token=[redacted]",
      "it threw",
    ]);
    await world.close();
  });

  it("does not ask the model about a credential that isn't there (A2)", async () => {
    const world = await refresh([], { reading: { present: false, action: "run `claude` and log in on this host" } });
    await expect(world.manager.refresh()).resolves.toEqual({
      success: false,
      message: "There is no credential.",
      shouldRetry: false,
    });
    expect(world.manager.status()).toMatchObject({ state: "needs_login", isAuthenticated: false });
    expect(world.proofs).toEqual([]);
    await world.close();
  });
});
