// Puts what was measured into docs/performance.md, each bench into its own part.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { withPart } from "../scripts/write-docs.ts";
import { type Report, toMarkdown } from "./report.ts";

const file = "docs/performance.md";

/** @throws Error where the document has no part for a bench. */
export async function writeDocs(reports: readonly Report[], machine: string): Promise<void> {
  const path = fileURLToPath(new URL(`../${file}`, import.meta.url));
  let document = await readFile(path, "utf8");
  for (const report of reports) {
    const text = `${toMarkdown(report)}\n\n_Measured on ${machine}._`;
    document = withPart(document, { file, name: `bench-${report.part}`, text });
  }
  await writeFile(path, document);
}
