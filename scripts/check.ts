// Everything that CI runs, with one exit code. Each step is run whatever became of those before it.
// The tests come last, so that their count is the last line that a build system reads.
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { type Ended, root, run } from "./process.ts";

interface Step {
  readonly name: string;
  readonly run: () => Promise<Ended>;
}

const stepTimeoutMs = 180_000;
const testTimeoutMs = 75 * 60_000;
const exampleTimeoutMs = 60_000;
const soakTimeoutMs = 8 * 60_000;

const steps: readonly Step[] = [
  tool("format", "oxfmt", "--check", "."),
  tool("lint", "oxlint", "--type-aware", "--deny-warnings"),
  tool("types", "tsc", "-p", "tsconfig.json"),
  tool("dead code", "knip"),
  tool("build", process.execPath, "scripts/build.ts"),
  { name: "package", run: checkPackage },
  { name: "examples", run: runExamples },
  { name: "soak", run: () => run(process.execPath, ["bench/soak.ts", "--minutes", "3"], { timeoutMs: soakTimeoutMs }) },
  { name: "tests", run: runTests },
];

const failed: string[] = [];
let closingLine = "0 passed, 1 failed";
for (const step of steps) {
  const startMs = performance.now();
  const { code, output } = await step.run();
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  if (code !== 0) failed.push(step.name);
  // The tests have been shown as they ran.
  if (code !== 0 && step.name !== "tests") console.log(output.trimEnd());
  console.log(`${code === 0 ? "ok    " : "FAILED"} ${step.name} (${seconds} s)`);
  if (process.exitCode === 130) break;
}
if (failed.length > 0) {
  console.log(`\nFailed: ${failed.join(", ")}. "npm run fix" mends format and lint where it can.`);
  process.exitCode ??= 1;
}
console.log(closingLine);

function tool(name: string, command: string, ...args: readonly string[]): Step {
  return { name, run: () => run(command, args, { timeoutMs: stepTimeoutMs }) };
}

/** What would be published: complete, its types found by every kind of importer that ccapi is for. */
async function checkPackage(): Promise<Ended> {
  const folder = mkdtempSync(join(tmpdir(), "ccapi-package-"));
  try {
    const packed = await run("npm", ["pack", "--offline", "--ignore-scripts", "--pack-destination", folder], {
      timeoutMs: stepTimeoutMs,
    });
    const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"));
    if (packed.code !== 0 || tarball === undefined) return { ...packed, code: 1 };
    const path = join(folder, tarball);
    const results = [
      await run("publint", ["run", path, "--strict"], { timeoutMs: stepTimeoutMs }),
      await run("attw", [path, "--profile", "esm-only", "--no-emoji"], { timeoutMs: stepTimeoutMs }),
    ];
    return combine(results);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Each example is a program that ends by itself with 0. */
async function runExamples(): Promise<Ended> {
  const folder = join(root, "examples");
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".ts")) : [];
  const results: Ended[] = [];
  for (const name of names) {
    const ended = await run(process.execPath, [join(folder, name)], { timeoutMs: exampleTimeoutMs });
    results.push({ ...ended, output: `examples/${name} ended with ${ended.code}\n${ended.output}` });
  }
  return combine(results);
}

async function runTests(): Promise<Ended> {
  const ended = await run("vitest", ["run"], {
    timeoutMs: testTimeoutMs,
    onOutput: (text) => void process.stdout.write(text),
  });
  const counts = [
    ...stripVTControlCharacters(ended.output).matchAll(/^(\d+) passed, (\d+) failed, (\d+) skipped$/gm),
  ].at(-1);
  if (counts === undefined) return { ...ended, code: 1 };
  closingLine = counts[0];
  const isIncomplete = process.env["CI"] === "true" && counts[3] !== "0";
  if (isIncomplete) console.log("With CI=true no test may be skipped.");
  return isIncomplete ? { ...ended, code: 1 } : ended;
}

function combine(results: readonly Ended[]): Ended {
  return {
    code: results.every(({ code }) => code === 0) ? 0 : 1,
    output: results.map(({ output }) => output).join("\n"),
  };
}
