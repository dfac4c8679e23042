// What every refresh strategy owes, as a suite that any strategy can run: call it in a test file with a maker for each situation.
import { describe, expect, it } from "vitest";
import type { CredentialReading } from "../../src/auth/ports.ts";
import type { Strategy, StrategyContext, StrategyResult } from "../../src/auth/strategies/strategy.ts";

/** A strategy in a situation. */
export interface Situation {
  readonly strategy: Strategy;
  /** What differs from a plain context. */
  readonly context?: Partial<StrategyContext>;
  /** What it handles and must not tell. */
  readonly secret?: string;
  readonly close?: () => Promise<void>;
}

/** Makes a situation; `hangs`: what it waits for never comes. */
export type Situations = Readonly<Record<"works" | "fails", () => Promise<Situation>>> & {
  readonly hangs?: () => Promise<Situation>;
};

const outcomes = ["changed", "unchanged", "failed", "proved", "rejected"];
/** A strategy must end this soon after its signal is aborted. */
const soonMs = 4_000;

/** A context in which nothing has changed and nobody waits. */
export function plainContext(context: Partial<StrategyContext> = {}): StrategyContext {
  const reading: CredentialReading = {
    kind: "auth_token",
    fingerprint: "print",
    present: true,
    renewable: true,
    watchMode: "cheap",
    action: "rotate it",
  };
  return {
    signal: new AbortController().signal,
    trigger: "request",
    waiting: () => 0,
    look: async () => ({ reading, changed: false }),
    testQuery: async () => undefined,
    ...context,
  };
}

/** The suite. */
export function strategyContract(name: string, situations: Situations): void {
  async function run(
    make: () => Promise<Situation>,
    check: (result: StrategyResult, situation: Situation) => void,
  ): Promise<void> {
    const situation = await make();
    try {
      check(await situation.strategy.run(plainContext(situation.context)), situation);
    } finally {
      await situation.close?.();
    }
  }

  describe(`the strategy ${name}`, () => {
    it("has a short stable name", async () => {
      const { strategy, close } = await situations.works();
      expect(strategy.name).toMatch(/^[a-z0-9-]{1,40}$/);
      await close?.();
    });

    it("says what came of it, and no secret, where it works", () =>
      run(situations.works, (result, { secret }) => {
        expect(["changed", "unchanged", "proved"]).toContain(result.outcome);
        expectNoSecret(result, secret);
      }));

    it("says what came of it, and no secret, where it can't do its work", () =>
      run(situations.fails, (result, { secret }) => {
        expect(outcomes).toContain(result.outcome);
        expect(["changed", "proved"]).not.toContain(result.outcome);
        expectNoSecret(result, secret);
      }));

    it("can be tried again", () =>
      run(situations.works, ({ outcome }, _situation) => {
        expect(outcomes).toContain(outcome);
      }).then(() => run(situations.works, ({ outcome }) => expect(outcomes).toContain(outcome))));

    const { hangs } = situations;
    if (hangs === undefined) return;
    it("ends soon after it is told to", async () => {
      const { strategy, context, close } = await hangs();
      const abort = new AbortController();
      const ended = strategy.run(plainContext({ ...context, signal: abort.signal })).then(
        ({ outcome }) => outcome,
        () => "failed",
      );
      abort.abort(new Error("its time is up"));
      const late = Promise.withResolvers<string>();
      const timer = setTimeout(late.resolve, soonMs, "late");
      expect(await Promise.race([ended, late.promise])).toBe("failed");
      clearTimeout(timer);
      await close?.();
    });
  });
}

function expectNoSecret(result: StrategyResult, secret: string | undefined): void {
  if (secret !== undefined) expect(JSON.stringify(result)).not.toContain(secret);
}
