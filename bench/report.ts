// What a bench hands over, and how it is printed: figures in columns, then the goals that they are held against. Pure.
import { type Row, toTable } from "./table.ts";

/** A column: the field that it shows, its heading, and how many digits its numbers have behind the point. */
export interface Column {
  readonly key: string;
  readonly head: string;
  readonly digits?: number;
}

/** One line of figures, by column; `undefined`: not measured. */
export type Figures = Readonly<Record<string, string | number | undefined>>;

/** One bench's outcome. */
export interface Report {
  /** The name by which it is asked for on the command line. */
  readonly part: string;
  readonly title: string;
  /** What the figures are, in sentences for a reader who did not see the bench. */
  readonly notes: readonly string[];
  readonly columns: readonly Column[];
  readonly figures: readonly Figures[];
  readonly goals: readonly Row[];
}

/** Figures and goals in Markdown. */
export function toMarkdown({ title, notes, columns, figures, goals }: Report): string {
  const parts = [`**${title}**`, ...notes];
  if (figures.length > 0) parts.push(toColumns(columns, figures));
  if (goals.length > 0) parts.push(toTable(goals));
  return parts.join("\n\n");
}

/** A report of a bench that could not end: a missed goal. */
export function toFailure(part: string, title: string, error: unknown): Report {
  const measured = `not measured: ${error instanceof Error ? error.message : String(error)}`;
  const goal = { id: part, what: title, goal: "measured", measured, isMet: false };
  return { part, title, notes: [], columns: [], figures: [], goals: [goal] };
}

/** Figures in Markdown. */
export function toColumns(columns: readonly Column[], figures: readonly Figures[]): string {
  const rows = figures.map((each) => columns.map(({ key, digits }) => cell(each[key], digits)));
  const lines = [columns.map(({ head }) => head), columns.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function cell(value: string | number | undefined, digits = 0): string {
  if (value === undefined) return "–";
  if (typeof value === "string") return value;
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
