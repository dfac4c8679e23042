import { describe, expect, it } from "vitest";
import { explainLines, explainText, toSignal } from "../../src/cli/explain.ts";
import { readErrors } from "../auth/errors.ts";

function screen() {
  const out: string[] = [];
  const errors: string[] = [];
  return { out, errors, line: (text: string) => void out.push(text), error: (text: string) => void errors.push(text) };
}

const parsed = (lines: readonly string[]) => lines.map((line) => JSON.parse(line) as Record<string, unknown>);

describe("explaining a text to a person", () => {
  it.each([
    ["API Error: 401 OAuth token has expired", "auth_refreshable", /renewing it may mend/, "expired"],
    ["invalid x-api-key", "auth_permanent", /may have been rotated/, "invalid-api-key"],
    ["OAuth token revoked · Please run /login", "auth_permanent", /only a person can mend it/, "revoked"],
    ["EACCES: permission denied, open 'x'", "not_auth", /not about the Claude credential/, "file-permission"],
  ])(
    "says of %s what it is, what it means, what to do, which rule and its source (A1, A2)",
    (text, verdict, meaning, rule) => {
      const shown = screen();
      expect(explainText(text, shown)).toBe(0);
      expect(shown.out.map((line) => line.slice(0, 9).trim())).toEqual(["verdict", "meaning", "why", "to do", "rule"]);
      expect(shown.out[0]).toContain(verdict);
      expect(shown.out[1]).toMatch(meaning);
      expect(shown.out[4]).toMatch(new RegExp(`${rule} \\(.{5,}\\)`));
      expect(shown.errors).toEqual([]);
    },
  );

  it("repeats nothing of the text, which may hold a key (A1)", () => {
    const shown = screen();
    explainText("API Error: 401 invalid x-api-key sk-ant-marked-secret", shown);
    expect([...shown.out, ...shown.errors].join("\n")).not.toContain("marked");
  });
});

describe("explaining records by the line", () => {
  it("answers each with its id, verdict, reason and rule, in order (A1)", async () => {
    const shown = screen();
    const code = await explainLines(
      [
        '{"id":"a","text":"API Error: 401 OAuth token has expired","shape":"assistant_text","http_status":401}',
        '{"id":7,"text":"OAuth token has expired","shape":"tool_output","http_status":401}',
        '{"text":"Not logged in · Please run /login"}',
      ],
      shown,
    );
    expect(code).toBe(0);
    expect(parsed(shown.out)).toEqual([
      { id: "a", verdict: "auth_refreshable", reason: expect.stringMatching(/\.$/), rule: "expired" },
      { id: 7, verdict: "not_auth", reason: expect.stringMatching(/\.$/), rule: "not-evidence" },
      { id: 3, verdict: "auth_permanent", reason: expect.stringMatching(/\.$/), rule: "not-logged-in" },
    ]);
  });

  it("names a line that it can't read, goes on, and ends with 2 (A1)", async () => {
    const shown = screen();
    const code = await explainLines(["{", '{"id":"b"}', "null", "[]", '{"id":"c","text":"HTTP 401"}'], shown);
    expect(code).toBe(2);
    expect(parsed(shown.out).map(({ id, error }) => [id, error !== undefined])).toEqual([
      [null, true],
      [null, true],
      [null, true],
      [null, true],
      ["c", false],
    ]);
    expect(shown.errors.map((line) => /Line (\d)/.exec(line)?.[1])).toEqual(["1", "2", "3", "4"]);
  });

  it("takes what it does not understand beside the text for missing (A1)", async () => {
    const shown = screen();
    const lines = ['{"id":{"x":1},"text":"API Error: 401 token expired","shape":"video","http_status":"soon"}', ""];
    expect(await explainLines(lines, shown)).toBe(0);
    expect(parsed(shown.out)).toMatchObject([{ id: 1, verdict: "auth_refreshable" }]);
  });

  it("reads a file with a byte order mark and blank lines (A1)", async () => {
    const shown = screen();
    expect(await explainLines(['\uFEFF{"id":"a","text":"HTTP 401"}', " ", ""], shown)).toBe(0);
    expect(shown.out).toHaveLength(1);
  });

  it("reads them as they come, however many (A1)", async () => {
    async function* many() {
      for (let index = 0; index < 1_000; index += 1) yield `{"id":${index},"text":"HTTP 401"}`;
    }
    const shown = screen();
    await explainLines(many(), shown);
    expect(shown.out).toHaveLength(1_000);
  });

  it("judges each of the labelled texts without an error line (G8)", async () => {
    const shown = screen();
    const lines = [...readErrors("dev"), ...readErrors("held-out")].map((entry) => JSON.stringify(entry));
    expect(await explainLines(lines, shown)).toBe(0);
    expect(shown.out).toHaveLength(lines.length);
  });
});

describe("where a text stood", () => {
  it.each([
    ["tool_output", "tool_output"],
    ["model_text", "model_text"],
    ["stderr", "stderr"],
    ["http_body", "http"],
    ["error_message", "text"],
    ["assistant_text", "text"],
    ["result_text", "text"],
    [undefined, "text"],
  ])("is kept: %s is judged as %s (A1)", (shape, source) => {
    expect(toSignal({ text: "x", http_status: 401, ...(shape === undefined ? {} : { shape }) }).source).toBe(source);
  });
});
