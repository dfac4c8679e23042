// What a soak left behind that should not be there: processes, transcripts, commands that ran twice.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** Command lines of living processes that have this home, whoever their parent is now. */
export async function processesOf(home: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      try {
        const environment = await readFile(`/proc/${pid}/environ`, "utf8");
        if (!environment.split("\0").includes(`HOME=${home}`)) return "";
        return (await readFile(`/proc/${pid}/cmdline`, "utf8")).replaceAll("\0", " ").trim();
      } catch {
        return ""; // Somebody else's, or gone.
      }
    }),
  );
  return found.filter((command) => command !== "");
}

/** Claude Code's transcripts below a home. */
export async function transcriptsOf(home: string): Promise<string[]> {
  const all = await readdir(join(home, ".claude", "projects"), { recursive: true }).catch(() => []);
  return all.filter((name) => name.endsWith(".jsonl"));
}

/** Marks that commands of agents left below a home: how many there are, and which of them more than once. */
export async function marksOf(home: string): Promise<{ readonly count: number; readonly repeated: readonly string[] }> {
  const files = (await readdir(home, { recursive: true })).filter((name) => name.endsWith("/marks"));
  const texts = await Promise.all(files.map((name) => readFile(join(home, name), "utf8")));
  const marks = texts
    .join("\n")
    .split("\n")
    .filter((line) => line.startsWith("mark-"));
  const repeated = [...Map.groupBy(marks, (mark) => mark)].flatMap(([mark, all]) => (all.length > 1 ? [mark] : []));
  return { count: marks.length, repeated };
}
