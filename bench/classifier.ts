// Prints the classifier's precision and recall on the labelled texts, and its time for one. `npm run bench:classifier`
import { classify } from "../src/auth/classify.ts";
import { toSignal } from "../src/cli/explain.ts";
import { readErrors } from "../test/auth/errors.ts";

const rounds = 50;

for (const name of ["dev", "held-out"] as const) {
  const all = readErrors(name);
  const decided = all.filter(({ why }) => !why.startsWith("AMBIGUOUS"));
  const judged = decided.map((entry) => ({ label: entry.label, found: classify(toSignal(entry)).verdict }));
  const auth = judged.filter(({ label }) => label !== "not_auth");
  const hits = auth.filter(({ found }) => found !== "not_auth");
  const precision = hits.length / judged.filter(({ found }) => found !== "not_auth").length;
  const recall = hits.length / auth.length;
  const sameKind = hits.filter(({ label, found }) => label === found).length / hits.length;
  const signals = all.map((entry) => toSignal(entry));
  const startedAt = performance.now();
  for (let round = 0; round < rounds; round += 1) for (const signal of signals) classify(signal);
  const nanoseconds = ((performance.now() - startedAt) * 1_000_000) / (rounds * all.length);
  console.log(
    `${name.padEnd(9)} ${decided.length} texts (${all.length - decided.length} ambiguous ones left out): precision ${precision.toFixed(3)}, ` +
      `recall ${recall.toFixed(3)}, refreshable or permanent told apart ${sameKind.toFixed(3)}; ${nanoseconds.toFixed(0)} ns a text`,
  );
}
