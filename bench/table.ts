// What the benches measured as one table, and whether it is what was promised. Pure.

/** One goal and what was measured of it. */
export interface Row {
  readonly id: string;
  readonly what: string;
  readonly goal: string;
  readonly measured: string;
  readonly isMet: boolean;
}

/** The rows in Markdown; a missed goal says so. */
export function toTable(rows: readonly Row[]): string {
  const lines = rows.map(
    ({ id, what, goal, measured, isMet }) => `| ${id} | ${what} | ${goal} | ${isMet ? "" : "**MISSED** "}${measured} |`,
  );
  return ["| id | what | goal | measured |", "| --- | --- | --- | --- |", ...lines].join("\n");
}

/** "12 ms", or that nothing was measured. */
export function inMs(value: number | undefined, digits = 0): string {
  return value === undefined ? "not measured" : `${value.toFixed(digits)} ms`;
}

/** Whether a value was measured and is below its limit. */
export function isBelow(value: number | undefined, limit: number): boolean {
  return value !== undefined && value < limit;
}

/** "9 runs", and how many of them gave no figure. */
export function runs(all: number, measured: number): string {
  return `${all} runs${measured === all ? "" : `, ${all - measured} FAILED`}`;
}
