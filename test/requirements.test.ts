// Each requirement of a finished part is proven by a test that cites it; no test cites one that does not exist.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { citedIds } from "./helpers/citations.ts";
import { isFinished, requirements } from "./requirements.ts";

const root = fileURLToPath(new URL("./", import.meta.url));

const cited = new Map<string, string>();
for (const path of readdirSync(root, { recursive: true, encoding: "utf8" })) {
  if (!path.endsWith(".test.ts") || path === "requirements.test.ts") continue;
  for (const id of citedIds(path, readFileSync(root + path, "utf8"))) cited.set(id, path);
}

describe("the requirements", () => {
  it("are each cited by a test, where their part is finished", () => {
    const unproven = Object.entries(requirements).filter(([id, { part }]) => isFinished[part] && !cited.has(id));
    expect(unproven.map(([id, { text }]) => `${id}: ${text}`)).toEqual([]);
  });

  it("are all that tests cite", () => {
    expect([...cited].filter(([id]) => !(id in requirements)).map(([id, path]) => `${path} cites ${id}`)).toEqual([]);
  });

  it("are the forty of the specification, each with a text of one line", () => {
    const count = { A: 10, B: 9, C: 6, D: 2, E: 3, F: 1, G: 9 };
    const found: Record<string, number> = {};
    for (const id of Object.keys(requirements)) found[id.slice(0, 1)] = (found[id.slice(0, 1)] ?? 0) + 1;
    expect(found).toEqual(count);
    expect(Object.values(requirements).filter(({ text }) => !/^[^\n]{20,120}\.$/.test(text))).toEqual([]);
  });
});

describe("a citation", () => {
  it.each([
    ['it("streams (B1)", () => {})', ["B1"]],
    ['test("streams (B1)", () => {})', ["B1"]],
    ['it("detects (A1, A2)", () => {})', ["A1", "A2"]],
    ['it.each([1])("adds %s (D)", () => {})', ["D"]],
    ['it.for([1])("adds %s (A10)", () => {})', ["A10"]],
    ['it.each`a\n${1}`("adds $a (C4)", () => {})', ["C4"]],
    ["it(`of ${name} (C2)`, () => {})", ["C2"]],
    ['describe("the sessions (B3)", () => {})', ["B3"]],
    ['it("cites nothing", () => {})', []],
    ['it("(B1) at its beginning", () => {})', []],
    ['// it("streams (B1)")', []],
    ['run("streams (B1)", () => {})', []],
  ])("is read from %j", (text, ids) => {
    expect(citedIds("made.test.ts", text)).toEqual(ids);
  });
});
