// `npm run bench -- [parts] [--quick] [--json FILE] [--write-docs]`: runs the benches one after another, prints what they
// measured, and ends with 1 where a goal was missed.
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { measureAuth } from "./auth.ts";
import { measureClassifier } from "./classifier.ts";
import { measureFirstToken } from "./first-token.ts";
import { measureGatewayCpu } from "./gateway-cpu.ts";
import { describeMachine, lookAtMachine } from "./machine.ts";
import { measureMemory } from "./memory.ts";
import { measureRefused } from "./refused.ts";
import { type Report, toFailure, toMarkdown } from "./report.ts";
import { measureThroughput } from "./throughput.ts";
import { writeDocs } from "./write-docs.ts";

interface Part {
  readonly title: string;
  measure(options: { readonly isQuick: boolean }): Promise<Report>;
}

/** In the order in which they run. */
const parts: Readonly<Record<string, Part>> = {
  speed: { title: "First token", measure: measureFirstToken },
  throughput: { title: "Throughput", measure: measureThroughput },
  memory: { title: "Memory at rest", measure: measureMemory },
  refused: { title: "Requests that are refused", measure: measureRefused },
  cpu: { title: "Processor time of the server itself", measure: measureGatewayCpu },
  auth: { title: "The refresh system", measure: measureAuth },
  classifier: { title: "The classifier", measure: measureClassifier },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "string" },
    "write-docs": { type: "boolean", default: false },
  },
});
const unknown = positionals.filter((name) => parts[name] === undefined);
if (unknown.length > 0) {
  console.error(`No such bench: ${unknown.join(", ")}. There are: ${Object.keys(parts).join(", ")}.`);
  process.exit(2);
}

const machine = lookAtMachine();
console.log(`${describeMachine(machine)}\n`);
const reports: Report[] = [];
for (const [name, { title, measure }] of Object.entries(parts)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const report = await measure({ isQuick: values.quick }).catch((error: unknown) => toFailure(name, title, error));
  reports.push(report);
  console.log(`${toMarkdown(report)}\n`);
}
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify({ machine, reports }, undefined, 2)}\n`);
if (values["write-docs"]) await writeDocs(reports, describeMachine(machine));
process.exitCode = reports.every(({ goals }) => goals.every(({ isMet }) => isMet)) ? 0 : 1;
