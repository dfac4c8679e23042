// The design's rules 7 to 9 as properties over storms: what counts, what it costs, how often a request is carried over.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AuthAdmission } from "../../src/auth/contract.ts";
import type { Signal } from "../../src/auth/signal.ts";
import { CcapiError } from "../../src/auth/errors.ts";
import { settle } from "./fake-clock.ts";
import { request } from "./request.ts";
import { script, weather } from "./storm.ts";
import { apiRetry, createWorld, finalFailure, type World } from "./world.ts";
import { expire } from "./troubles.ts";

const runs = { numRuns: 60 };

/** What can be seen of the state, without times. */
function stateOf({ manager }: World) {
  const { state, isAuthenticated, refreshCount, consecutiveFailures, credential } = manager.status();
  return { state, isAuthenticated, refreshCount, consecutiveFailures, generation: credential.generation };
}

describe("rule 7: what is not about the credential", () => {
  const other: fc.Arbitrary<Signal> = fc.oneof(
    fc.constantFrom("rate_limit", "overloaded", "server_error", "unknown").map((error) => apiRetry(3, error)),
    fc.constantFrom("rate_limit", "model_not_found", "billing_error").map((error) => finalFailure(error)),
    fc.constant<Signal>({ source: "exception", error: new Error("ECONNRESET") }),
    fc.constant<Signal>({ source: "model_text", text: "401 authentication_failed" }),
  );

  it("never changes its state, in any public state", async () => {
    await fc.assert(
      fc.asyncProperty(script, fc.array(other, { minLength: 1, maxLength: 10 }), async (acts, signals) => {
        const world = createWorld();
        await settle();
        const early = world.manager.tryAdmit("an early one");
        await weather(world, acts);
        const admissions = [early, world.manager.tryAdmit("a late one")];
        const before = stateOf(world);
        for (const signal of signals) {
          for (const admission of admissions)
            expect(admission?.report(signal) ?? { action: "continue" }).toEqual({ action: "continue" });
        }
        expect(stateOf(world)).toEqual(before);
        await world.close();
      }),
      runs,
    );
  });
});

describe("rule 8: at most 24 test queries an hour", () => {
  it("are spent, under any storm of changes and failures", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 120 })), { minLength: 20, maxLength: 60 }),
        async (changes) => {
          const world = createWorld();
          await settle();
          await expire(world);
          for (const [isGood, seconds] of changes) {
            world.material += ".";
            world.accepted = new Set(isGood ? [world.material] : []);
            world.touch();
            await world.clock.advance(seconds * 1_000);
            if (world.manager.tryAdmit("probe") !== undefined) await expire(world);
          }
          for (const atMs of world.proofs) {
            expect(
              world.proofs.filter((other) => other >= atMs && other < atMs + 3_600_000).length,
            ).toBeLessThanOrEqual(24);
          }
          await world.close();
        },
      ),
      { numRuns: 20 },
    );
  });

  it("leave a changed credential unknown when they are spent: the next real request is its proof", async () => {
    const world = createWorld({ policy: { testQueriesPerHour: 1 } });
    await settle();
    await expire(world);
    await world.clock.advance(1_000);
    expect(world.proofs).toHaveLength(1);
    world.material = "second";
    world.accepted.add("second");
    world.touch();
    await world.clock.advance(1_000);
    expect(world.manager.status()).toMatchObject({ state: "unknown", isAuthenticated: null });
    const answer = request(world);
    await world.clock.advance(1_000);
    await expect(answer).resolves.toMatchObject({ answer: "second" });
    expect(world.manager.status().state).toBe("authenticated");
    expect(world.proofs).toHaveLength(1);
    await world.close();
  });
});

describe("rule 9: a request is carried over at most twice", () => {
  it("and at most once to each generation, in any storm (A5)", async () => {
    await fc.assert(
      fc.asyncProperty(script, async (acts) => {
        const world = createWorld();
        const { ended } = await weather(world, [
          { do: "requests", count: 3, retries: false, on: 0 },
          { do: "reject" },
          ...acts,
        ]);
        await world.clock.advance(200_000);
        for (const end of ended) {
          if (!("answer" in end)) continue;
          const carried = end.answer.generations.slice(1);
          expect(carried.length).toBeLessThanOrEqual(2);
          expect(new Set(carried).size).toBe(carried.length);
        }
        const byName = Map.groupBy(world.eventsOf("retry"), ({ operation }) => operation);
        for (const retries of byName.values()) expect(retries.length).toBeLessThanOrEqual(2);
        await world.close();
      }),
      runs,
    );
  });

  it("whatever happens between its attempts (A5)", async () => {
    const between = fc.constantFrom("change", "success", "nothing", "refusal" as const);
    await fc.assert(
      fc.asyncProperty(fc.array(between, { minLength: 1, maxLength: 8 }), async (steps) => {
        const world = createWorld({ policy: { cooldownMs: 0, maxFailures: 100 } });
        await settle();
        let admission: AuthAdmission | undefined = world.manager.tryAdmit("request");
        const carriedTo: number[] = [];
        for (const step of steps) {
          if (step === "change") world.material += ".";
          world.accepted = new Set(step === "refusal" ? [] : [world.material]);
          if (step === "change") world.touch();
          await settle();
          if (step === "success") world.manager.tryAdmit("another")?.succeeded("answer");
          const decision = admission?.report(finalFailure());
          if (decision?.action === "fail" || admission === undefined) break;
          const next: Promise<AuthAdmission | undefined> = admission.recovered().catch(() => undefined);
          await world.clock.advance(60_000);
          admission = await next;
          if (admission !== undefined) carriedTo.push(admission.generation);
        }
        expect(carriedTo.length).toBeLessThanOrEqual(2);
        expect(new Set(carriedTo).size).toBe(carriedTo.length);
        await world.close();
      }),
      { numRuns: 150 },
    );
  });

  it("ends in a clear error when it has used both", async () => {
    const world = createWorld();
    await settle();
    let admission = world.manager.tryAdmit("request");
    for (const carriedOver of [1, 2]) {
      world.material += ".";
      world.touch();
      await settle();
      expect(admission?.report(finalFailure())).toMatchObject({ action: "carry-over" });
      admission = await admission?.recovered();
      expect(admission).toMatchObject({ carriedOver });
    }
    world.material += ".";
    world.touch();
    await settle();
    expect(admission?.report(finalFailure())).toMatchObject({
      action: "fail",
      error: { code: "upstream_auth_unavailable" },
    });
    await expect(admission?.recovered()).rejects.toBeInstanceOf(CcapiError);
    await world.close();
  });

  it("is not run again with a credential that it was carried to before", async () => {
    const world = createWorld();
    await settle();
    const first = world.manager.tryAdmit("request");
    expect(first?.report(finalFailure())).toEqual({ action: "carry-over", generation: 1 });
    const second = await first?.recovered();
    world.manager.tryAdmit("another")?.succeeded("answer");
    expect(second?.report(finalFailure())).toMatchObject({ action: "fail", error: { state: "checking" } });
    await world.close();
  });
});
