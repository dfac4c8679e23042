// The classifier's precision and recall on the labelled texts, and its time for one.
import { classify } from "../src/auth/classify.ts";
import { toSignal } from "../src/cli/explain.ts";
import { readErrors } from "../test/auth/errors.ts";
import type { Figures, Report } from "./report.ts";
import type { Row } from "./table.ts";

const rounds = 50;

/** Measures both sets of texts. */
export async function measureClassifier(): Promise<Report> {
  const figures = (["dev", "held-out"] as const).map((name) => measureSet(name));
  return {
    part: "classifier",
    title: "The classifier",
    notes: [
      "Labelled texts; those that no text alone can decide are left out. Kinds: refreshable or permanent told apart.",
    ],
    columns: [
      { key: "set", head: "texts" },
      { key: "count", head: "number" },
      { key: "ambiguous", head: "left out" },
      { key: "precision", head: "precision", digits: 3 },
      { key: "recall", head: "recall", digits: 3 },
      { key: "sameKind", head: "kinds", digits: 3 },
      { key: "nanoseconds", head: "ns a text" },
    ],
    figures,
    goals: figures.map((one) => toGoal(one)),
  };
}

type SetFigures = Figures & { set: string; precision: number; recall: number };

function measureSet(set: "dev" | "held-out"): SetFigures {
  const all = readErrors(set);
  const decided = all.filter(({ why }) => !why.startsWith("AMBIGUOUS"));
  const judged = decided.map((entry) => ({ label: entry.label, found: classify(toSignal(entry)).verdict }));
  const auth = judged.filter(({ label }) => label !== "not_auth");
  const hits = auth.filter(({ found }) => found !== "not_auth");
  const signals = all.map((entry) => toSignal(entry));
  const startedAt = performance.now();
  for (let round = 0; round < rounds; round += 1) for (const signal of signals) classify(signal);
  return {
    set,
    count: decided.length,
    ambiguous: all.length - decided.length,
    precision: hits.length / judged.filter(({ found }) => found !== "not_auth").length,
    recall: hits.length / auth.length,
    sameKind: hits.filter(({ label, found }) => label === found).length / hits.length,
    nanoseconds: ((performance.now() - startedAt) * 1_000_000) / (rounds * all.length),
  };
}

function toGoal({ set, precision, recall }: SetFigures): Row {
  return {
    id: "G8",
    what: `auth told from the rest, ${set}`,
    goal: "precision and recall ≥ 0.95",
    measured: `${precision.toFixed(3)} and ${recall.toFixed(3)}`,
    isMet: precision >= 0.95 && recall >= 0.95,
  };
}
