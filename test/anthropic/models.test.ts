import { describe, expect, it } from "vitest";
import { listModels, type PageQuery, toModelObject } from "../../src/anthropic/models.ts";

const aliases = new Map([["gpt-4o", "sonnet"]]);
const idsOf = (query: PageQuery) => listModels(aliases, query).data.map(({ id }) => id);
const all = idsOf({});

describe("Anthropic's list of models", () => {
  it("shows the same names as OpenAI's (B2, B7)", () => {
    expect(all).toEqual(
      expect.arrayContaining(["claude-code", "claude-code/opus", "opus", "sonnet", "haiku", "gpt-4o"]),
    );
    expect(listModels(aliases, {})).toMatchObject({ has_more: false, first_id: all[0], last_id: all.at(-1) });
  });

  it("comes in pages, forwards and backwards (B7)", () => {
    expect(listModels(aliases, { limit: "2" })).toMatchObject({ has_more: true, first_id: all[0], last_id: all[1] });
    expect(idsOf({ limit: "3", after_id: all[1] })).toEqual(all.slice(2, 5));
    expect(idsOf({ limit: "2", before_id: all[4] })).toEqual(all.slice(2, 4));
    expect(listModels(aliases, { after_id: all.at(-1) })).toEqual({
      data: [],
      has_more: false,
      first_id: null,
      last_id: null,
    });
  });

  it.each([{ limit: "0" }, { limit: "1001" }, { limit: "x" }, { after_id: "gone" }, { before_id: "gone" }])(
    "refuses the page %j (B7)",
    (query) => {
      expect(() => listModels(aliases, query)).toThrow(
        expect.objectContaining({ code: "invalid_request", param: Object.keys(query)[0] }),
      );
    },
  );

  it("says of a model what is known (B7)", () => {
    expect(toModelObject("claude-code/opus")).toMatchObject({
      type: "model",
      display_name: "Claude Code (opus)",
      created_at: "2025-08-24T00:00:00Z",
      line: "opus",
    });
    expect(toModelObject("claude-code").display_name).toBe("Claude Code");
    expect(toModelObject("sonnet")).toMatchObject({ display_name: "Claude Sonnet", line: "sonnet" });
    expect(toModelObject("gpt-4o")).toMatchObject({ display_name: "gpt-4o", line: null });
  });
});
