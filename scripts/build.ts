// src → dist: JavaScript and type declarations by the compiler, everything else copied as it is.
// `node scripts/build.ts [folder]`; the same source gives the same bytes. Of this checkout it replaces dist/ and nothing else.
import { cpSync, readdirSync, rmSync } from "node:fs";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { root, run } from "./process.ts";

const source = join(root, "src");
const target = resolve(root, process.argv[2] ?? "dist");

if (!isWithin(target, join(root, "dist")) && (isWithin(target, root) || isWithin(root, target))) {
  throw new Error(
    `${target} is, or holds, what this checkout is made of: build into dist, or into a folder elsewhere.`,
  );
}
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

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
