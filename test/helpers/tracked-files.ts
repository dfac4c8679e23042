// The files that belong to the repository, also where it came as an archive without its history.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's folder, with a slash at its end. */
export const root = fileURLToPath(new URL("../../", import.meta.url));

/** Never part of the repository; the same as in .gitignore. */
const left = new Set([".git", "node_modules", "dist", "coverage"]);

/** Paths from the root, with `/`. */
export function trackedFiles(): string[] {
  if (!existsSync(join(root, ".git"))) return walk("");
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
    timeout: 30_000,
  });
  // A file that was deleted and not yet committed is still listed.
  return listed.split("\0").filter((path) => path !== "" && existsSync(join(root, path)));
}

/** All files below the root, without what is never part of the repository. */
export function walk(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (left.has(entry.name) || /^\.env|\.tgz$|^\.DS_Store$/.test(entry.name)) return [];
    return entry.isDirectory() ? walk(path) : [path];
  });
}
