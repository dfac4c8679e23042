// The labelled error texts, as the tests read them.
import { readFileSync } from "node:fs";
import type { Verdict } from "../../src/auth/signal.ts";

/** A text that users saw, with the verdict that a person gave it. */
export interface Labelled {
  readonly id: string;
  readonly text: string;
  readonly shape: string;
  readonly http_status: number | null;
  readonly label: Verdict;
  readonly why: string;
  readonly source: string;
}

/** All of a fixture's records, ambiguous ones too. */
export function readErrors(name: "dev" | "held-out"): Labelled[] {
  return readLines(name).map((line) => JSON.parse(line) as Labelled); // Our own fixture.
}

/** One text for each row of the tables. */
export function readExamples(): { readonly rule: string; readonly text: string }[] {
  return readLines("rules").map((line) => JSON.parse(line) as { rule: string; text: string }); // Our own fixture.
}

function readLines(name: string): string[] {
  return readFileSync(new URL(`../fixtures/errors/${name}.jsonl`, import.meta.url), "utf8")
    .trim()
    .split("\n");
}
