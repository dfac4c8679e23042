// The library ccapi/agent on the real Claude CLI: a query whose credential dies looks like one whose credential lives.
import type { SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type AgentHouse,
  answeredCalls,
  collect,
  conversation,
  inTurn,
  note,
  openAgentHouse,
  script,
  text,
  toComparable,
} from "../helpers/agent-library.ts";
import type { Rule } from "../../src/simulator/index.ts";

let house: AgentHouse;
beforeEach(async () => {
  house = await openAgentHouse();
});
afterEach(async () => {
  await house[Symbol.asyncDispose]();
});

const runs: Readonly<Record<string, { readonly rules: readonly Rule[]; readonly breakAt: number }>> = {
  "failed first call": { rules: script({ 0: [text("I note it."), note("a")], 1: [text("Noted.")] }), breakAt: 0 },
  "call between two tools": {
    rules: script({ 0: [text("One."), note("a")], 1: [note("b")], 2: [text("Both noted.")] }),
    breakAt: 1,
  },
  "call after parallel tools": {
    rules: script({ 0: [text("Both."), note("a"), note("b")], 2: [text("Both noted.")] }),
    breakAt: 2,
  },
  "call after thinking before a tool": {
    rules: script({ 0: [{ type: "thinking", thinking: "A note." }, text("So."), note("a")], 1: [text("Done.")] }),
    breakAt: 1,
  },
};

interface Seen {
  readonly messages: unknown[];
  readonly upstream: unknown[];
  readonly notes: string;
  readonly sessions: number;
}

async function play(rules: readonly Rule[], hasPartials: boolean): Promise<Seen> {
  house.simulator.setRules(rules);
  house.simulator.clearRequests();
  await house.clearNotes();
  const options = { ...house.options, includePartialMessages: hasPartials };
  return see(await collect(house.agent.query({ prompt: "Note it, please", options })));
}

async function see(messages: readonly SDKMessage[]): Promise<Seen> {
  return {
    messages: messages.map(toComparable),
    upstream: answeredCalls(house.simulator),
    notes: await house.notes(),
    sessions: new Set(messages.map(({ session_id: id }) => id)).size,
  };
}

describe("a credential that dies in a query", () => {
  it.each(
    Object.keys(runs).flatMap((name) => [
      { name, hasPartials: false },
      { name, hasPartials: true },
    ]),
  )("with a $name is seen by nobody (partial messages: $hasPartials) (F, A5)", async ({ name, hasPartials }) => {
    const { rules, breakAt } = runs[name] ?? { rules: [], breakAt: 0 };
    const unbroken = await play(rules, hasPartials);
    expect(unbroken).toMatchObject({ notes: expect.stringMatching(/a\n/), sessions: 1 });
    const broken = await play(house.breaking(breakAt, rules), hasPartials);
    expect(broken).toEqual(unbroken);
    expect(house.simulator.requests.some(({ outcome }) => outcome === "faulted")).toBe(true);
    expect(house.agent.status()).toMatchObject({ state: "authenticated", credential: { generation: 2 } });
    await house.untilQuiet();
  });

  it.each([0, 1])("in turn 2 of a conversation, after %i tools, is seen by nobody (F, A5)", async (breakAt) => {
    const rules = [
      ...inTurn("First", { 0: [text("Hello.")] }),
      ...inTurn("Second", { 0: [note("a")], 1: [text("Noted.")] }),
    ];
    const unbroken = await converse(rules);
    const broken = await converse(house.breaking(breakAt, rules, { turn: "Second" }));
    expect(broken).toEqual(unbroken);
    expect(unbroken).toMatchObject({ notes: "a\n", sessions: 1 });
    expect(house.simulator.requests.some(({ outcome }) => outcome === "faulted")).toBe(true);
  });
});

/** A conversation of three turns. */
async function converse(rules: readonly Rule[]): Promise<Seen> {
  house.simulator.setRules(rules);
  house.simulator.clearRequests();
  await house.clearNotes();
  const { prompt, next } = conversation(["First", "Second", "Third"]);
  const query = house.agent.query({ prompt, options: house.options });
  return see(await collect(query, ({ type }) => void (type === "result" && next())));
}
