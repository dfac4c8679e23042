// The control methods of ccapi/agent's query, its ends, and what the caller gave it: all go on working over a recovery.
import {
  createSdkMcpServer,
  type Query,
  type SDKMessage,
  type SDKUserMessage,
  tool,
} from "@anthropic-ai/claude-agent-sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { createAgent } from "../../src/agent.ts";
import type { Rule } from "../../src/simulator/index.ts";
import {
  type AgentHouse,
  collect,
  conversation,
  inTurn,
  note,
  openAgentHouse,
  script,
  text,
} from "../helpers/agent-library.ts";
import { processesOf, until } from "../helpers/server.ts";
import { upstreamBodies } from "../helpers/upstream.ts";

let house: AgentHouse;
let unhandled: unknown[];
const onUnhandled = (error: unknown) => void unhandled.push(error);
beforeEach(async () => {
  unhandled = [];
  process.on("unhandledRejection", onUnhandled);
  house = await openAgentHouse();
});
afterEach(async () => {
  await house[Symbol.asyncDispose]();
  process.off("unhandledRejection", onUnhandled);
  if (unhandled.length > 0) throw new Error("A rejection was nobody's.", { cause: unhandled[0] });
});

const oneTool = script({ 0: [text("I note it."), note("a")], 1: [text("Noted.")] });
const stall: Rule = { fault: { kind: "stall", afterDeltas: 0 } };

function ask(more: Parameters<AgentHouse["agent"]["query"]>[0]["options"] = {}): Query {
  return house.agent.query({ prompt: "Note it, please", options: { ...house.options, ...more } });
}

describe("what was set in turn 1", () => {
  it("holds for the call that goes on in turn 2: setModel, setPermissionMode (F, A5)", async () => {
    const rules = [
      ...inTurn("First", { 0: [text("Hello.")] }),
      ...inTurn("Second", { 0: [note("a")], 1: [text("Noted.")] }),
    ];
    house.simulator.setRules(house.breaking(1, rules, { turn: "Second" }));
    const { prompt, next } = conversation(["First", "Second"]);
    const query = house.agent.query({ prompt, options: { ...house.options, permissionMode: "default" } });
    const results: SDKMessage[] = [];
    for await (const message of query) {
      if (message.type !== "result") continue;
      results.push(message);
      if (results.length === 1) {
        await query.setModel("haiku");
        await query.setPermissionMode("dontAsk");
      }
      next();
    }
    expect(results).toHaveLength(2);
    const models = upstreamBodies(house.simulator).map(({ model }) => model);
    expect(models[0]).toContain("sonnet");
    expect(models.slice(1).every((model) => model.includes("haiku"))).toBe(true);
    expect(house.simulator.requests.some(({ outcome }) => outcome === "faulted")).toBe(true);
  });
});

describe("a question to the process", () => {
  it("is answered before the first message is read, and while none is alive by the next one (F)", async () => {
    house.simulator.setRules(house.breaking(1, oneTool, { mendAfterMs: 2_500 }));
    const { prompt, next } = conversation(["Note it, please"]);
    const query = house.agent.query({ prompt, options: house.options });
    expect(await query.supportedModels()).not.toHaveLength(0);
    const reading = collect(query, ({ type }) => void (type === "result" && next()));
    await until("the refresh", () => house.agent.status().waiting > 0);
    expect(await query.mcpServerStatus()).toEqual([]);
    expect((await reading).at(-1)).toMatchObject({ type: "result", result: "Noted." });
  });
});

describe("what the caller gave", () => {
  it("works on in the process that takes over: canUseTool, a hook, an in-process MCP tool (F, A5)", async () => {
    const called: string[] = [];
    const server = createSdkMcpServer({
      name: "house",
      tools: [
        tool("ring", "Rings", { how: z.string() }, async ({ how }) => {
          called.push(`ring ${how}`);
          return { content: [{ type: "text", text: "Rung." }] };
        }),
      ],
    });
    const ring = (how: string) =>
      ({ type: "tool_use", id: `toolu_${how}`, name: "mcp__house__ring", input: { how } }) as const;
    const rules = script({ 0: [ring("once")], 1: [ring("twice")], 2: [text("Rung twice.")] });
    house.simulator.setRules(house.breaking(1, rules));
    const { prompt, next } = conversation(["Ring"]);
    const query = house.agent.query({
      prompt,
      options: {
        ...house.options,
        permissionMode: "default",
        allowedTools: [],
        mcpServers: { house: server },
        canUseTool: async (name, input) => {
          called.push(`may ${name}`);
          return { behavior: "allow", updatedInput: input };
        },
        hooks: {
          PostToolUse: [
            {
              hooks: [
                async () => {
                  called.push("hook");
                  return {};
                },
              ],
            },
          ],
        },
      },
    });
    const messages = await collect(query, ({ type }) => void (type === "result" && next()));
    expect(messages.at(-1)).toMatchObject({ result: "Rung twice." });
    const each = (how: string) => ["may mcp__house__ring", `ring ${how}`, "hook"];
    expect(called).toEqual([...each("once"), ...each("twice")]);
    expect(house.simulator.requests.some(({ outcome }) => outcome === "faulted")).toBe(true);
  });

  it("is read once: a message sent while a turn was at work is answered after the recovery (F, A5)", async () => {
    const gate = Promise.withResolvers<void>();
    const rest = Promise.withResolvers<void>();
    const say = (content: string): SDKUserMessage => ({
      type: "user",
      message: { role: "user", content },
      parent_tool_use_id: null,
    });
    async function* prompt(): AsyncGenerator<SDKUserMessage> {
      yield say("First");
      await gate.promise;
      yield say("Second");
      await rest.promise;
    }
    const rules = [
      ...inTurn("First", { 0: [note("a")], 1: [text("Noted.")] }),
      ...inTurn("Second", { 1: [text("Second answered.")] }),
    ];
    house.simulator.setRules(house.breaking(1, rules, { turn: "First", mendAfterMs: 1_500 }));
    const seen: string[] = [];
    for await (const message of house.agent.query({ prompt: prompt(), options: house.options })) {
      if (message.type === "user") gate.resolve();
      if (message.type === "result" && "result" in message) seen.push(message.result);
      if (seen.length === 2) rest.resolve();
    }
    expect(seen).toEqual(["Noted.", "Second answered."]);
    expect(await house.notes()).toBe("a\n");
    expect(JSON.stringify(upstreamBodies(house.simulator).at(-1)).split('"Second"').length - 1).toBe(1);
  });
});

describe("an end", () => {
  const ends: Readonly<Record<string, (query: Query, controller: AbortController) => unknown>> = {
    "the abort controller": (_query, controller) => controller.abort(),
    interrupt: (query) => query.interrupt(),
    close: (query) => query.close(),
    return: (query) => query.return(),
  };

  it.each(Object.keys(ends))("by %s leaves no process, whatever it was doing (F, C4)", async (name) => {
    house.simulator.setRules([stall]);
    const controller = new AbortController();
    const query = ask({ abortController: controller });
    const reading = collect(query).then(
      () => "ended",
      (error: unknown) => `threw ${(error as Error).message}`,
    );
    await until("the call", () => house.simulator.requests.some(({ method }) => method === "POST"));
    await ends[name]?.(query, controller);
    expect(await reading).toMatch(name === "the abort controller" ? /^threw .*aborted/ : /^ended|^threw/);
    await house.untilQuiet();
  });

  it.each(Object.keys(ends))("by %s ends the waiting for a renewed credential at once (F, A6)", async (name) => {
    house.simulator.setRules(house.breaking(1, oneTool, { mendAfterMs: null }));
    const controller = new AbortController();
    const query = ask({ abortController: controller });
    const reading = collect(query).catch(() => undefined);
    await until("the waiting", () => house.agent.status().waiting > 0);
    const beganAtMs = performance.now();
    void ends[name]?.(query, controller);
    await reading;
    expect(performance.now() - beganAtMs).toBeLessThan(1_000);
    expect(house.agent.status().waiting).toBe(0);
    await house.untilQuiet();
  });

  it("by leaving the loop waits until the process is gone (F, C4)", async () => {
    house.simulator.setRules(oneTool);
    for await (const message of ask()) if (message.type === "assistant") break;
    expect(await processesOf(house.home)).toEqual([]);
  });

  it("of the agent ends its queries (F)", async () => {
    house.simulator.setRules([stall]);
    const reading = collect(ask());
    await until("the call", () => house.simulator.requests.some(({ method }) => method === "POST"));
    await house.agent.close();
    expect((await reading).map(({ type }) => type)).toEqual(["system"]);
    expect(await processesOf(house.home)).toEqual([]);
  });
});

describe("the credential's manager", () => {
  it("is one for all queries with the same credential, and another one for another (F, A6)", async () => {
    house.simulator.setRules(oneTool);
    await collect(ask());
    expect(house.agent.status().state).toBe("authenticated");
    const env = { ...house.environment, ANTHROPIC_API_KEY_FILE: undefined, ANTHROPIC_API_KEY: "sk-ant-another" };
    const other = house.agent.query({ prompt: "Hi", options: { ...house.options, env } });
    await expect(collect(other)).rejects.toMatchObject({
      code: "upstream_auth_unavailable",
      action: expect.stringContaining("rotate ANTHROPIC_API_KEY"),
    });
    expect(house.agent.status()).toMatchObject({ state: "authenticated", refreshCount: 0 });
    await collect(ask());
  });

  it("is looked at without a process, and refuses options that can't be used (F)", async () => {
    const agent = createAgent({ environment: house.environment });
    expect(agent.status()).toMatchObject({ isAuthenticated: null, state: "unknown" });
    await agent.close();
    expect(() => createAgent({ refreshCommand: [] })).toThrow("refreshCommand");
    expect(house.simulator.requests).toEqual([]);
  });
});
