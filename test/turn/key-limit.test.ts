import { describe, expect, it } from "vitest";
import { withKeyLimit } from "../../src/turn/key-limit.ts";
import type { RunTurn, TurnEvent } from "../../src/turn/turn.ts";
import { makeContext, makeTurn } from "../helpers/turns.ts";

const runTurn: RunTurn = async function* () {
  yield { type: "phase", phase: "working" };
  yield { type: "phase", phase: "working" };
};
const open = (limited: RunTurn, name: string) =>
  limited(makeTurn(), makeContext({ name }))[Symbol.asyncIterator]() as AsyncGenerator<TurnEvent>;

describe("the limit for one key", () => {
  it("refuses a request beyond it, and lets another key's in (B9)", async () => {
    const limited = withKeyLimit(runTurn, 2);
    const requests = [open(limited, "a"), open(limited, "a")];
    for (const request of requests) await request.next();
    await expect(open(limited, "a").next()).rejects.toMatchObject({ code: "rate_limit_exceeded", retryAfterMs: 1_000 });
    await expect(open(limited, "b").next()).resolves.toMatchObject({ done: false });
  });

  it("makes room when a request ends, fails, or is left in the middle (B9)", async () => {
    const failing: RunTurn = async function* () {
      yield { type: "phase", phase: "working" };
      throw new Error("failed");
    };
    const limited = withKeyLimit((turn, context) => (turn.system ? failing : runTurn)(turn, context), 1);
    const left = open(limited, "a");
    await left.next();
    await left.return(undefined);
    const failed = limited(makeTurn({ system: "fail" }), makeContext({ name: "a" }))[Symbol.asyncIterator]();
    await failed.next();
    await expect(failed.next()).rejects.toThrow("failed");
    for (let time = 0; time < 3; time += 1) {
      for await (const _event of limited(makeTurn(), makeContext({ name: "a" }))) void _event;
    }
    await expect(open(limited, "a").next()).resolves.toMatchObject({ done: false });
  });

  it("is none where none is set (B9)", () => {
    expect(withKeyLimit(runTurn, undefined)).toBe(runTurn);
  });
});
