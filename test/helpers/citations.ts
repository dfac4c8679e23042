// Finds the requirement ids that tests cite at the end of their names. Reads the source only: a name that is put
// together at run time is read as far as it is written.
import { parseSync, Visitor } from "oxc-parser";

/** Functions that name a test or a group of tests. */
const naming = /^(it|test|describe)$/;

/** `… (B1)`, `… (A1, A2)`: a capital letter, digits or none. */
const citation = /\(([A-G]\d*(?:, ?[A-G]\d*)*)\)$/;

/** The ids cited by the names of tests and groups in one file. */
export function citedIds(path: string, text: string): string[] {
  const ids: string[] = [];
  new Visitor({
    CallExpression(node) {
      const [name] = node.arguments;
      if (name === undefined || !naming.test(rootName(node.callee))) return;
      const written =
        name.type === "Literal" ? name.value : name.type === "TemplateLiteral" ? name.quasis.at(-1)?.value.cooked : "";
      const found = citation.exec(String(written));
      if (found?.[1] !== undefined) ids.push(...found[1].split(/, ?/));
    },
  }).visit(parseSync(path, text).program);
  return ids;
}

/** `it` of `it(…)`, `it.each(…)(…)`, `` it.each`…`(…) ``, `it.for(…)(…)`. */
function rootName(callee: unknown): string {
  if (typeof callee !== "object" || callee === null) return "";
  if ("name" in callee && typeof callee.name === "string") return callee.name;
  for (const part of ["callee", "object", "tag"]) {
    if (part in callee) return rootName((callee as Record<string, unknown>)[part]); // A node is a plain object.
  }
  return "";
}
