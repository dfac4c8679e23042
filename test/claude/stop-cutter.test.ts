import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createStopCutter, isOurs } from "../../src/claude/stop-cutter.ts";

/** Feeds pieces as a stream would. */
function cut(pieces: readonly string[], stops: readonly string[]): { text: string; stop: string | undefined } {
  const cutter = createStopCutter(stops);
  let text = "";
  for (const piece of pieces) {
    const result = cutter.push(piece);
    text += result.text;
    if (result.stop !== undefined) return { text, stop: result.stop };
  }
  return { text: text + cutter.flush(), stop: undefined };
}

describe("a stop sequence of blanks", () => {
  it("is ours to cut, for the model API refuses it (B1)", () => {
    expect(["\n", " ", "\n\n", "\t"].map(isOurs)).toEqual([true, true, true, true]);
    expect(["END", " a", "\nHuman:"].map(isOurs)).toEqual([false, false, false]);
  });

  it("ends the answer before it, also where it comes in two pieces (B1)", () => {
    expect(cut(["one\n", "\ntwo"], ["\n\n"])).toEqual({ text: "one", stop: "\n\n" });
    expect(cut(["one\n", "two"], ["\n\n"])).toEqual({ text: "one\ntwo", stop: undefined });
    expect(cut(["one\n"], ["\n\n"])).toEqual({ text: "one\n", stop: undefined });
  });

  it("gives the same answer however the text is split (B1)", () => {
    const piece = fc.string({ unit: fc.constantFrom("a", "\n", " ") });
    const stops = fc.uniqueArray(fc.constantFrom("\n", "\n\n", " \n", "  "), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(piece), stops, (pieces, sequences) => {
        const whole = pieces.join("");
        const at = Math.min(...sequences.map((stop) => whole.indexOf(stop)).filter((index) => index >= 0));
        expect(cut(pieces, sequences).text.trimEnd()).toBe((at === Infinity ? whole : whole.slice(0, at)).trimEnd());
      }),
    );
  });
});
