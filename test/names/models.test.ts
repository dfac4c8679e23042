import { describe, expect, it } from "vitest";
import { listedModels, resolveModel } from "../../src/names/models.ts";

const aliases = new Map([
  ["gpt-4o", "sonnet"],
  ["coder", "claude-code/opus"],
]);

describe("a model name", () => {
  it.each([
    ["claude-code", "agent", undefined],
    ["claude-code/opus", "agent", "opus"],
    ["claude-code/claude-opus-4-5", "agent", "claude-opus-4-5"],
    ["sonnet", "chat", "sonnet"],
    ["sonnet[1m]", "chat", "sonnet[1m]"],
    ["claude-haiku-4-5-20251001", "chat", "claude-haiku-4-5-20251001"],
    ["anthropic/claude-sonnet-4-5", "chat", "claude-sonnet-4-5"],
    ["us.anthropic.claude-sonnet-4-5-20250929-v1:0", "chat", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"],
    ["claude-sonnet-4-5@20250929", "chat", "claude-sonnet-4-5@20250929"],
    ["gpt-4o", "chat", "sonnet"],
    ["coder", "agent", "opus"],
  ] as const)("%s is %s with %s (B2)", (name, profile, model) => {
    expect(resolveModel(name, aliases)).toEqual({ profile, model });
  });

  it.each([
    "gpt-5",
    "",
    "claude-code/",
    "claude-code/gpt-4o",
    "Sonnet",
    "claude-",
    "claude-x y",
    "sonnet\n",
    "../claude-x",
  ])("%j is none of ours: 404 model_not_found (B2)", (name) => {
    expect(() => resolveModel(name, aliases)).toThrow(
      expect.objectContaining({ code: "model_not_found", param: "model", status: 404 }),
    );
  });

  it("that is listed can be used (B2)", () => {
    const names = listedModels(aliases);
    expect(names).toEqual(
      expect.arrayContaining(["claude-code", "claude-code/opus", "opus", "sonnet", "haiku", "gpt-4o", "coder"]),
    );
    for (const name of names) expect(() => resolveModel(name, aliases)).not.toThrow();
  });
});
