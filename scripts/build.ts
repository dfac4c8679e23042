// src → dist: JavaScript and type declarations by the compiler, everything else copied as it is.
// `node scripts/build.ts [folder]`; the same source gives the same bytes.
import { cpSync, readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { root, run } from "./process.ts";

const source = join(root, "src");
const target = resolve(root, process.argv[2] ?? "dist");

// What an earlier build left would be published with the rest.
rmSync(target, { recursive: true, force: true });
const { code, output } = await run("tsc", ["-p", "tsconfig.build.json", "--outDir", target], { timeoutMs: 120_000 });
if (output !== "") console.error(output.trimEnd());
process.exitCode = code;

if (code === 0) {
  for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.endsWith(".ts")) continue;
    const path = join(entry.parentPath, entry.name);
    cpSync(path, join(target, path.slice(source.length)));
  }
}
