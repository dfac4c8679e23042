// A client's tools as the model sees them, and back.
import { describe, expect, it } from "vitest";
import { toModelName } from "../../src/claude/tool-names.ts";
import { offeredTools, toModelMessages, upstreamToolChoice } from "../../src/claude/toolbox.ts";
import type { ClientTool, JsonSchema } from "../../src/turn/turn.ts";

const tool = (name: string, inputSchema: JsonSchema = { type: "object" }): ClientTool => ({
  name,
  description: undefined,
  inputSchema,
  strict: false,
});
const settings = {
  profile: "chat" as const,
  tools: [tool("a"), tool("b")],
  toolChoice: { type: "auto" as const },
  parallelToolCalls: true,
};

describe("a tool's name", () => {
  it("is the client's own wherever Claude's rules allow it (B1)", () => {
    for (const name of ["get_weather", "x", "a-b", "Read", "a".repeat(64)])
      expect(toModelName(name, "chat")).toBe(name);
  });

  it("is another one where they don't, readable, and never another tool's (B1)", () => {
    const odd = [
      "get weather",
      "get.weather",
      "a".repeat(65),
      "a".repeat(66),
      "mcp__x__y",
      "天気",
      "天候",
      "",
      "StructuredOutput",
    ];
    const names = odd.map((name) => toModelName(name, "chat"));
    expect(new Set(names).size).toBe(odd.length);
    for (const name of names) expect(name).toMatch(/^(?!mcp__)[a-zA-Z0-9_-]{1,64}$/);
    expect(names[0]).toMatch(/^get_weather_/);
  });

  it("never takes the place of one of the agent's own tools (B1)", () => {
    expect(toModelName("Bash", "agent")).not.toBe("Bash");
    expect(toModelName("bash", "agent")).toBe("bash");
  });

  it("is mapped alike in the conversation's past, whatever tools are offered now (B1)", () => {
    const block = { type: "tool_use", id: "t", name: "get weather", input: {} } as const;
    const [message] = toModelMessages([{ role: "assistant", content: [block] }], { ...settings, tools: [] });
    expect(message?.content).toEqual([{ ...block, name: toModelName("get weather", "chat") }]);
  });
});

describe("a tool's schema", () => {
  const schemaOf = (schema: JsonSchema) => offeredTools({ ...settings, tools: [tool("x", schema)] })[0];

  it("is an object's, with alternatives at its root in one (B1)", () => {
    expect(schemaOf({})?.schema).toEqual({ type: "object" });
    const either = {
      anyOf: [{ properties: { a: {} }, required: ["a"] }, { $ref: "#/$defs/b" }],
      $defs: { b: { properties: { b: {} } } },
    };
    expect(schemaOf(either)?.schema).toEqual({
      type: "object",
      properties: { a: {}, b: {} },
      $defs: { b: { properties: { b: {} } } },
    });
  });

  it("has property names that the model API takes; the client gets its own back (B1)", () => {
    const inner = { type: "object", properties: { "größe in m": {} }, required: ["größe in m"] };
    const offered = schemaOf({
      type: "object",
      properties: { $filter: { enum: ["$filter"] }, list: { type: "array", items: inner } },
    });
    const properties = offered?.schema["properties"] as Record<string, unknown>;
    const keys = Object.keys(properties);
    for (const key of keys) expect(key).toMatch(/^[a-zA-Z0-9_.-]{1,64}$/);
    expect(properties[keys[0] ?? ""]).toEqual({ enum: ["$filter"] });
    expect(offered?.isVerbatim).toBe(false);
    expect(offered?.toClient({ [keys[0] ?? ""]: "$filter" })).toEqual({ $filter: "$filter" });
  });
});

describe("the choice of a tool", () => {
  it("shows what may be called, and no more (B1)", () => {
    const names = (toolChoice: Parameters<typeof offeredTools>[0]["toolChoice"]) =>
      offeredTools({ ...settings, toolChoice }).map(({ name }) => name);
    expect(names({ type: "auto" })).toEqual(["a", "b"]);
    expect(names({ type: "required" })).toEqual(["a", "b"]);
    expect(names({ type: "none" })).toEqual([]);
    expect(names({ type: "tool", name: "b" })).toEqual(["b"]);
  });

  it("is the model API's own where it holds for each call: not an agent's (B1)", () => {
    const choice = (more: Partial<Parameters<typeof upstreamToolChoice>[0]>) =>
      upstreamToolChoice({ ...settings, ...more });
    expect(choice({})).toBeUndefined();
    expect(choice({ parallelToolCalls: false })).toEqual({ type: "auto", disable_parallel_tool_use: true });
    expect(choice({ toolChoice: { type: "required" } })).toEqual({ type: "any" });
    expect(choice({ toolChoice: { type: "tool", name: "b" } })).toEqual({ type: "tool", name: "b" });
    expect(choice({ toolChoice: { type: "required" }, profile: "agent" })).toBeUndefined();
    expect(choice({ tools: [], toolChoice: { type: "required" } })).toBeUndefined();
  });
});
