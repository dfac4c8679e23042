// Control methods reach the process that is alive, and what was set is set again in the next one.
import type { Query } from "@anthropic-ai/claude-agent-sdk";
import { describe, expect, it } from "vitest";
import { type ControlName, controlNames, createControls } from "../../src/agent/controls.ts";

/** A process that notes what it is asked. */
function fake(calls: string[], answer: () => Promise<unknown> = async () => "done"): Query {
  const methods = controlNames.map((name: ControlName) => [
    name,
    (...args: unknown[]) => {
      calls.push(`${name} ${JSON.stringify(args)}`);
      return answer();
    },
  ]);
  return Object.fromEntries(methods) as Query; // All that is called of it.
}

describe("a control method", () => {
  it("called while no process is alive waits for the next (F)", async () => {
    const controls = createControls();
    const asked = controls.call("supportedModels", []);
    const calls: string[] = [];
    controls.attach(fake(calls));
    expect(await asked).toBe("done");
    expect(calls).toEqual(["supportedModels []"]);
  });

  it("whose process is replaced meanwhile is answered by the next one; other failures are the caller's (F)", async () => {
    const controls = createControls();
    const calls: string[] = [];
    const lost = Promise.withResolvers<unknown>();
    controls.attach(fake(calls, () => lost.promise));
    const asked = controls.call("accountInfo", []);
    await new Promise((resolve) => setImmediate(resolve));
    controls.detach();
    lost.reject(new Error("Query closed before response received"));
    controls.attach(fake(calls));
    expect(await asked).toBe("done");
    controls.attach(fake(calls, () => Promise.reject(new Error("No such task"))));
    await expect(controls.call("stopTask", ["t"])).rejects.toThrow("No such task");
  });

  it("that sets something is done again in the process that takes over: the latest of each, settings merged (F, A5)", async () => {
    const controls = createControls();
    controls.attach(fake([]));
    await controls.call("setModel", ["opus"]);
    await controls.call("applyFlagSettings", [{ a: 1, b: 1 }]);
    await controls.call("toggleMcpServer", ["x", false]);
    await controls.call("toggleMcpServer", ["y", false]);
    await controls.call("toggleMcpServer", ["x", true]);
    await controls.call("applyFlagSettings", [{ b: 2 }]);
    await controls.call("setModel", ["haiku"]);
    await controls.call("supportedAgents", []);
    const calls: string[] = [];
    await controls.restore(fake(calls));
    expect(calls.toSorted()).toEqual([
      'applyFlagSettings [{"a":1,"b":2}]',
      'setModel ["haiku"]',
      'toggleMcpServer ["x",true]',
      'toggleMcpServer ["y",false]',
    ]);
  });

  it("fails once no process will come (F, C4)", async () => {
    const controls = createControls();
    const asked = controls.call("interrupt", []);
    controls.close();
    await expect(asked).rejects.toThrow("Query closed");
    await expect(controls.call("interrupt", [])).rejects.toThrow("Query closed");
  });
});
