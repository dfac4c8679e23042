// The public names of ccapi/agent, and that its query is the SDK's to the compiler.
import type { Query, query as sdkQuery } from "@anthropic-ai/claude-agent-sdk";
import { describe, expect, expectTypeOf, it } from "vitest";
import * as entry from "../../src/agent.ts";
import { controlNames } from "../../src/agent/controls.ts";

describe("ccapi/agent", () => {
  it("has these names and no others (F)", () => {
    expect(Object.keys(entry).toSorted()).toEqual(["CcapiError", "createAgent", "query"]);
  });

  it("has a query that stands wherever the SDK's does (F)", () => {
    expectTypeOf<ReturnType<typeof entry.query>>().toExtend<Query>();
    expectTypeOf<typeof entry.query>().toExtend<typeof sdkQuery>();
    expectTypeOf<Parameters<typeof sdkQuery>[0]>().toExtend<Parameters<typeof entry.query>[0]>();
  });

  it("has every control method, on a query that was closed before it began (F)", async () => {
    const agent = entry.createAgent({ environment: {} });
    const query = agent.query({ prompt: "Hi" });
    query.close();
    for (const name of controlNames) expect(query[name]).toBeTypeOf("function");
    expect(await query.next()).toEqual({ done: true, value: undefined });
    await expect(query.setModel("haiku")).rejects.toThrow("Query closed");
    await agent.close();
  });
});
