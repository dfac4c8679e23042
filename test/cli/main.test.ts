// The command line as a whole: wrong use is told in one line, with exit code 2.
import { describe, expect, it } from "vitest";
import { main } from "../../src/cli.ts";

function recorded() {
  const lines: string[] = [];
  return { lines, output: { line: (text: string) => lines.push(text), error: (text: string) => lines.push(text) } };
}

describe("the command line", () => {
  it.each([
    [["nonsense"], '"nonsense" is no command. ccapi --help shows what there is.'],
    [["--env-file", "/nowhere/file"], '--env-file "/nowhere/file": can\'t be read (ENOENT).'],
    [["explain", "  "], "There is no text to explain."],
    [["--port", "x"], '--port "x": it is not such a number. Allowed: an integer from 0 to 65535.'],
  ])("says what is wrong with %j, and exits with 2 (C1)", async (argv, message) => {
    const { lines, output } = recorded();
    expect(await main(argv, output)).toBe(2);
    expect(lines).toEqual([message]);
  });
});
