// The library ccapi/agent where a query can't go on: the error says what ran and what a person does. And where it just can.
import { readdir, readFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Options, SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import { CcapiError } from "../../src/agent.ts";
import {
  type AgentHouse,
  collect,
  note,
  openAgentHouse,
  script,
  text,
  toComparable,
} from "../helpers/agent-library.ts";
import type { AnswerBlock, Rule } from "../../src/simulator/index.ts";
import { until } from "../helpers/server.ts";

let house: AgentHouse;
beforeEach(async () => {
  house = await openAgentHouse({ policy: { parkMs: 1_500, cooldownMs: 1_000 } });
});
afterEach(async () => {
  await house[Symbol.asyncDispose]();
});

const oneTool = script({ 0: [text("I note it."), note("a")], 1: [text("Noted.")] });

async function ask(more: Options = {}): Promise<{ messages: SDKMessage[]; error: unknown }> {
  const messages: SDKMessage[] = [];
  try {
    const query = house.agent.query({ prompt: "Note it, please", options: { ...house.options, ...more } });
    await collect(query, (message) => messages.push(message));
    return { messages, error: undefined };
  } catch (error) {
    return { messages, error };
  }
}

describe("a credential that nobody renews", () => {
  it("ends a query in an error with the action, and no login prompt is an answer (F, A5)", async () => {
    house.simulator.setRules(oneTool);
    house.killKey(undefined);
    const { messages, error } = await ask();
    expect(error).toBeInstanceOf(CcapiError);
    expect(error).toMatchObject({
      code: "upstream_auth_unavailable",
      action: expect.stringContaining("ANTHROPIC_API_KEY_FILE"),
    });
    expect(messages.map(({ type }) => type)).toEqual(["system"]);
    await house.untilQuiet();
  });

  it("ends one whose tools have run in an error that says so, with the session to go on by hand (F, A5)", async () => {
    house.simulator.setRules(house.breaking(1, oneTool, { mendAfterMs: null }));
    const { messages, error } = await ask();
    expect(error).toMatchObject({ code: "upstream_auth_failed_after_side_effects", shouldRetry: false });
    expect(String(error)).toContain("Bash");
    expect(String(error)).toContain(String(messages[0]?.session_id));
    expect(await house.notes()).toBe("a\n");
  });

  it("is told at once to the next query, which starts no process (F, A7)", async () => {
    await house[Symbol.asyncDispose]();
    house = await openAgentHouse({ policy: { parkMs: 0, cooldownMs: 60_000, maxFailures: 1 } });
    house.simulator.setRules(oneTool);
    house.killKey(undefined);
    await ask();
    const calls = house.simulator.requests.length;
    const { messages, error } = await ask();
    expect(error).toMatchObject({ code: "upstream_auth_unavailable" });
    expect(messages).toEqual([]);
    expect(house.simulator.requests.length).toBe(calls);
  });
});

describe("a credential that dies", () => {
  it("in the middle of a text ends the query in the error, for a text is not said twice (F, A5)", async () => {
    const dying: Rule = {
      when: ({ body }) => JSON.stringify(body).includes("tool_result"),
      answer: [text("It is noted, and this is told at some length, word by word.")],
      fault: { kind: "mid-stream-error", afterDeltas: 3, type: "authentication_error", message: "expired" },
      times: 1,
    };
    house.simulator.setRules([
      dying,
      {
        when: ({ body }) => {
          if (!JSON.stringify(body).includes("tool_result")) return false;
          house.killKey(200);
          return true;
        },
        times: 1,
        fault: { kind: "status", status: 401, type: "authentication_error", message: "expired" },
      },
      ...oneTool,
    ]);
    const { error } = await ask({ includePartialMessages: true });
    expect(error).toMatchObject({ code: "upstream_auth_failed_after_side_effects" });
    expect(String(error)).toContain("in the middle of the answer");
  });

  it("in a subagent ends the query in the error: its work can't be carried over (F, A5)", async () => {
    const agent: AnswerBlock = {
      type: "tool_use",
      id: "toolu_agent",
      name: "Agent",
      input: { description: "d", prompt: "sub task", subagent_type: "general-purpose", run_in_background: false },
    };
    const isSub = (body: unknown) => JSON.stringify((body as { messages: unknown[] }).messages[0]).includes("sub task");
    house.simulator.setRules([
      {
        when({ body }) {
          if (!isSub(body)) return false;
          house.killKey(500);
          return true;
        },
        times: 1,
        fault: { kind: "status", status: 401, type: "authentication_error", message: "expired" },
      },
      { when: ({ toolResults }) => toolResults.length === 0, answer: [agent] },
      { answer: [text("Done.")] },
    ]);
    const { error } = await ask({ allowedTools: ["Agent", "Bash"] });
    expect(error).toMatchObject({ code: "upstream_auth_failed_after_side_effects" });
    expect(String(error)).toContain("Agent");
    await house.untilQuiet();
  });

  it("in a conversation kept nowhere: what has not begun is run again, what has ends in the error (F, A5)", async () => {
    house.simulator.setRules(oneTool);
    const unbroken = await ask({ persistSession: false });
    house.simulator.setRules(house.breaking(0, oneTool));
    const again = await ask({ persistSession: false });
    expect(again.error).toBeUndefined();
    expect(again.messages.map(toComparable)).toEqual(unbroken.messages.map(toComparable));
    await house.clearNotes();
    house.simulator.setRules(house.breaking(1, oneTool));
    const { error } = await ask({ persistSession: false });
    expect(error).toMatchObject({ code: "upstream_auth_failed_after_side_effects" });
    expect(String(error)).toContain("kept nowhere");
    expect(await house.notes()).toBe("a\n");
  });

  it("in a query that resumes a conversation is seen by nobody, and the prompt is there once (F, A5)", async () => {
    house.simulator.setRules([{ when: "Note it", answer: [text("Hello.")] }]);
    const before = await ask();
    const resume = before.messages[0]?.session_id ?? "";
    const again = async () => {
      const query = house.agent.query({ prompt: "Go on", options: { ...house.options, resume } });
      return collect(query);
    };
    house.simulator.setRules(house.breaking(0, script({ 0: [text("Gone on.")] })));
    const messages = await again();
    expect(messages.map(toComparable).slice(1, 2)).toEqual([
      ["assistant", undefined, null, [expect.objectContaining({ text: "Gone on." })]],
    ]);
    const last = JSON.stringify(house.simulator.requests.findLast(({ outcome }) => outcome === "answered")?.body);
    expect(last.split('"Go on"').length - 1).toBe(1);
    expect(last).toContain("Hello.");
  });
});

it("a process that is killed between two calls is carried on, once (F, A5)", async () => {
  house.simulator.setRules(oneTool);
  const unbroken = await ask({ includePartialMessages: true });
  await house.clearNotes();
  const stalls: Rule = {
    when: ({ toolResults }) => toolResults.length === 1,
    fault: { kind: "stall", afterDeltas: 0 },
  };
  house.simulator.clearRequests();
  house.simulator.setRules([{ ...stalls, times: 1 }, ...oneTool]);
  // Without partial messages, nobody tells what a killed process had used.
  const carried = ask({ includePartialMessages: true });
  await killAt("the second call", 2);
  const { messages, error } = await carried;
  expect(error).toBeUndefined();
  expect(messages.map(toComparable)).toEqual(unbroken.messages.map(toComparable));
  expect(await house.notes()).toBe("a\n");

  house.simulator.clearRequests();
  house.simulator.setRules([{ ...stalls, times: 2 }, ...oneTool]);
  const given = ask();
  await killAt("the second call", 2);
  await killAt("the third call", 3);
  expect((await given).error).toBeInstanceOf(Error);
  await house.untilQuiet();
});

/** Kills the Claude process when the simulator has so many calls. */
async function killAt(what: string, calls: number): Promise<void> {
  await until(what, () => house.simulator.requests.filter(({ method }) => method === "POST").length >= calls);
  for (const pid of await readdir("/proc")) {
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    const environ = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    if (!command.includes("claude-agent-sdk") || !environ.includes(`HOME=${house.home}\0`)) continue;
    process.kill(Number(pid), "SIGKILL");
  }
}

it("other failures come as the SDK tells them (F)", async () => {
  house.simulator.setRules([{ fault: { kind: "status", status: 400, message: "odd" } }]);
  const { messages, error } = await ask();
  expect(messages.map(({ type }) => type)).toContain("result");
  expect(String(error)).toContain("Claude Code returned an error result");
  expect(error).not.toBeInstanceOf(CcapiError);
});
