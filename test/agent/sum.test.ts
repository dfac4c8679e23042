// A turn's numbers, as an unbroken run would have told them.
import type { SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import { describe, expect, it } from "vitest";
import { addNumbers, createTotals } from "../../src/agent/sum.ts";
import { result } from "../helpers/sdk-messages.ts";

type ResultMessage = Extract<SDKMessage, { type: "result" }>;

const told = (fields: object) =>
  result({
    total_cost_usd: 1,
    num_turns: 2,
    duration_ms: 100,
    usage: { input_tokens: 5, output_tokens: 4, cache: { a: 1 } },
    modelUsage: { m: { outputTokens: 30 } },
    ...fields,
  }) as ResultMessage;
const earlier = {
  usage: { input_tokens: 10, output_tokens: 1, cache: { a: 2 } },
  toolRounds: 3,
  elapsedMs: 900.4,
  tools: ["Bash"],
};

describe("a turn's result", () => {
  it("is as the process told it where there was only one (F)", () => {
    const totals = createTotals({ beganElsewhere: false, hasPartials: true });
    const message = told({});
    expect(totals.add(message, { earlier: undefined, answering: new Set() })).toBe(message);
  });

  it("adds up usage, turns and duration; the cost is a running total already (F)", () => {
    const totals = createTotals({ beganElsewhere: false, hasPartials: true });
    expect(totals.add(told({}), { earlier, answering: new Set(["x", "y"]) })).toMatchObject({
      usage: { input_tokens: 15, output_tokens: 5, cache: { a: 3 } },
      num_turns: 5,
      duration_ms: 1_000,
      total_cost_usd: 1,
      user_message_uuid: "y",
      user_message_uuids: ["x", "y"],
    });
  });

  it("has the output tokens from the totals where no partial message told them (F)", () => {
    const totals = createTotals({ beganElsewhere: false, hasPartials: false });
    totals.add(told({ modelUsage: { m: { outputTokens: 8 } } }), { earlier: undefined, answering: new Set() });
    expect(totals.add(told({}), { earlier, answering: new Set() }).usage.output_tokens).toBe(22);
    const unknown = createTotals({ beganElsewhere: true, hasPartials: false });
    expect(unknown.add(told({}), { earlier, answering: new Set() }).usage.output_tokens).toBe(5);
  });

  it("costs no less than the one before, though a killed process left no total (F)", () => {
    const totals = createTotals({ beganElsewhere: false, hasPartials: true });
    const nothing = { earlier: undefined, answering: new Set<string>() };
    totals.add(told({ total_cost_usd: 3 }), nothing);
    expect(totals.add(told({ total_cost_usd: 1 }), nothing).total_cost_usd).toBe(4);
    expect(totals.add(told({ total_cost_usd: 1.5 }), nothing).total_cost_usd).toBe(4.5);
  });
});

it("numbers are added at any depth; of all else the second one's counts (F)", () => {
  expect(addNumbers({ a: 1, b: { c: 2 }, d: "x", e: 5 }, { a: 1, b: { c: 1 }, d: "y", e: null })).toEqual({
    a: 2,
    b: { c: 3 },
    d: "y",
    e: 5,
  });
});
