// Prints the classifier's precision and recall on the labelled texts, and its time for one. `npm run bench:classifier`
import { readFileSync } from "node:fs";
import { classify } from "../src/auth/classify.ts";
import { toSignal } from "../src/cli/explain.ts";

interface Labelled {
  readonly text: string;
  readonly shape: "error_message";
  readonly http_status: number | null;
  readonly label: string;
  readonly why: string;
}

for (const name of ["dev", "held-out"]) {
  const file = new URL(`../test/fixtures/errors/${name}.jsonl`, import.meta.url);
  const all = readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Labelled);
  const decided = all.filter(({ why }) => !why.startsWith("AMBIGUOUS"));
  const judged = decided.map((entry) => ({ label: entry.label, found: classify(toSignal(entry)).verdict }));
  const hits = judged.filter(({ label, found }) => label !== "not_auth" && found !== "not_auth").length;
  const precision = hits / judged.filter(({ found }) => found !== "not_auth").length;
  const recall = hits / judged.filter(({ label }) => label !== "not_auth").length;
  const exact = judged.filter(({ label, found }) => label === found).length / judged.length;
  const rounds = 50;
  const startedAt = performance.now();
  for (let round = 0; round < rounds; round += 1) for (const entry of all) classify(toSignal(entry));
  const microseconds = ((performance.now() - startedAt) * 1_000) / (rounds * all.length);
  console.log(
    `${name.padEnd(9)} ${decided.length} texts (${all.length - decided.length} ambiguous ones left out): precision ${precision.toFixed(3)}, ` +
      `recall ${recall.toFixed(3)}, exact verdict ${exact.toFixed(3)}; ${microseconds.toFixed(0)} µs a text`,
  );
}
