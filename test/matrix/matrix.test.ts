// Every case of the recovery matrix on the real Claude CLI: an unbroken run, then one whose credential dies, and both alike.
// By default a choice in which every pair of values occurs; with CCAPI_TEST_MATRIX=all every case (npm run test:matrix).
import { afterAll, describe, expect, it } from "vitest";
import { askLibrary } from "./library.ts";
import { allCells, type Cell, endingOf, pairwiseCells } from "./cells.ts";
import { scripts } from "./scripts.ts";
import { setStage } from "./stage.ts";

const cells = process.env["CCAPI_TEST_MATRIX"] === "all" ? allCells() : pairwiseCells();
const carriedOnAfterMs: number[] = [];

afterAll(() => {
  const sorted = carriedOnAfterMs.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  console.log(`mended to carried on (G2): p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, ${sorted.length} of ${cells.length}`);
});

describe("a credential that dies", () => {
  it.each(cells)(
    "$moment ($client, $credential, mended $mended) ends as docs/recovery.md says (A5, G2)",
    async (cell: Cell) => {
      const script = scripts[cell.moment];
      const ending = endingOf(cell);
      const stage = await setStage(cell, askLibrary);
      try {
        const unbroken = await stage.play(script);
        expect(unbroken).toMatchObject({ error: undefined, notes: script.notes });
        const { carriedOnAfterMs: afterMs, ...broken } = await stage.playBroken(script);
        if (ending.is === "carried on" || (ending.is === "either" && broken.error === undefined)) {
          expect(broken).toEqual(unbroken);
          if (afterMs !== undefined) carriedOnAfterMs.push(afterMs);
        } else {
          expect(broken.error).toBe(ending.code);
          // What was said and done is a beginning of the unbroken run: nothing of it twice.
          expect(unbroken.text.startsWith(withoutLastWords(broken.text, script.isMidText))).toBe(true);
          expect(unbroken.notes.startsWith(broken.notes)).toBe(true);
        }
        await stage.untilQuiet();
      } finally {
        await stage.close();
      }
    },
  );
});

/** Broken off in a text: its last line is another answer's beginning. */
function withoutLastWords(text: string, isMidText: true | undefined): string {
  return isMidText === true ? text.split("\n\n").slice(0, -1).join("\n\n") : text;
}
