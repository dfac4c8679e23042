import { describe, expect, it } from "vitest";
import { classify } from "../../src/auth/classify.ts";
import { toSignal } from "../../src/cli/explain.ts";
import { type Labelled, readErrors } from "./errors.ts";

const decided = (name: "dev" | "held-out") => readErrors(name).filter(({ why }) => !why.startsWith("AMBIGUOUS"));

function score(records: readonly Labelled[]) {
  const judged = records.map((entry) => ({ ...entry, found: classify(toSignal(entry)).verdict }));
  const auth = judged.filter(({ label }) => label !== "not_auth");
  const taken = judged.filter(({ found }) => found !== "not_auth");
  const hits = auth.filter(({ found }) => found !== "not_auth");
  return {
    precision: hits.length / taken.length,
    recall: hits.length / auth.length,
    sameKind: hits.filter(({ label, found }) => label === found).length / hits.length,
    wrong: judged.filter(({ label, found }) => label !== found).map(({ id }) => id),
  };
}

describe.each(["dev", "held-out"] as const)("on the %s texts", (name) => {
  const { precision, recall, sameKind, wrong } = score(decided(name));

  it("tells auth from all else: precision and recall at least 0.95 (G8, A1)", () => {
    expect({ precision: precision >= 0.95, recall: recall >= 0.95 }, wrong.join(" ")).toEqual({
      precision: true,
      recall: true,
    });
  });

  it("tells what a renewal may mend from what needs a person in at least nine of ten (A2)", () => {
    expect(sameKind, wrong.join(" ")).toBeGreaterThanOrEqual(0.9);
  });
});

describe("the held-out texts", () => {
  it("are many, each with an id and a source, none of them a text that the rules were made on (G8)", () => {
    const held = decided("held-out");
    const developed = new Set(readErrors("dev").map(({ text }) => text));
    expect(held.length).toBeGreaterThanOrEqual(150);
    expect(new Set(readErrors("held-out").map(({ id }) => id)).size).toBe(readErrors("held-out").length);
    for (const { text, source } of held) {
      expect(developed.has(text)).toBe(false);
      expect(source).toMatch(/.{3}/);
    }
  });
});
