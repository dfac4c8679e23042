// What a process reads of its surroundings when it starts, and keeps: one that waits long for its first prompt is of use only
// where another that started now would read the same. Reads names, times and sizes, not what the files say (but for two questions).
import { createHash } from "node:crypto";
import { lstat, readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ChildSetup } from "./child-setup.ts";
import type { Profile } from "../turn/turn.ts";
import { transcriptDir } from "./transcript.ts";

/** Where a process works, and as what. */
export interface Place {
  readonly profile: Profile;
  readonly workspace: string;
  readonly child: Pick<ChildSetup, "configDir" | "environment">;
}

/** More files than that are not looked at. */
const maxFiles = 500;

/**
 * Instructions, memory, skills and the like, read at the start and kept (measured, 2.1.330: a changed CLAUDE.md is not seen by a
 * process that waits). Below the configuration folder.
 */
const readAtStart = ["CLAUDE.md", "settings.json", "rules", "skills", "agents", "commands", "output-styles", "plugins"];
/** For all users of the machine. */
const managedDir = "/etc/claude-code";

/**
 * A value that is the same for as long as a new process would read the same.
 *
 * @param today the local date, which stands in every prompt.
 * @returns `undefined` where that can't be told: no process may wait then.
 */
export async function surroundingsOf({ profile, workspace, child }: Place, today: string): Promise<string | undefined> {
  // A chat is given nothing of this host.
  if (profile === "chat") return today;
  try {
    // The state of a repository is part of the first prompt (measured: as it was when the process started).
    if (await isInRepository(workspace)) return undefined;
    const { configDir, environment } = child;
    const places = [
      ...readAtStart.map((name) => join(configDir, name)),
      join(transcriptDir(configDir, workspace), "memory"),
      managedDir,
    ];
    const files = (await Promise.all(places.map((path) => filesAt(path)))).flat();
    if (files.length > maxFiles || (await hasImports(files))) return undefined;
    const stamps = files.map(({ path, size, mtimeMs }) => [path, size, mtimeMs]);
    return hash([today, stamps, await serversOf(configDir, environment)]);
  } catch {
    return undefined;
  }
}

interface File {
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
}

/** A file, or all files below a folder but what Claude Code writes there itself. */
async function filesAt(path: string): Promise<File[]> {
  const found = await stat(path).catch(() => undefined); // Not there: no file.
  if (found === undefined) return [];
  if (!found.isDirectory()) return [{ path, size: found.size, mtimeMs: found.mtimeMs }];
  const names = await readdir(path);
  if (names.length > maxFiles) throw new Error("There are too many files.");
  const kept = names.filter((name) => name !== "store" && name !== "node_modules").toSorted();
  return (await Promise.all(kept.map((name) => filesAt(join(path, name))))).flat();
}

/** Instructions may name other files, anywhere. */
async function hasImports(files: readonly File[]): Promise<boolean> {
  const texts = files.filter(({ path }) => path.endsWith("CLAUDE.md") || /[/\\]rules[/\\]/.test(path));
  const read = await Promise.all(texts.map(({ path }) => readFile(path, "utf8")));
  return read.some((text) => /(?:^|\s)@\S/.test(text));
}

/** The operator's MCP servers, in a file that Claude Code rewrites at each start. */
async function serversOf(configDir: string, environment: Readonly<Record<string, string>>): Promise<unknown> {
  const folder = environment["CLAUDE_CONFIG_DIR"] ? configDir : dirname(configDir);
  const text = await readFile(join(folder, ".claude.json"), "utf8").catch(() => "{}"); // Not there before the first start.
  const settings: unknown = JSON.parse(text);
  return typeof settings === "object" && settings !== null && "mcpServers" in settings
    ? settings.mcpServers
    : undefined;
}

async function isInRepository(folder: string): Promise<boolean> {
  for (let at = folder; ; at = dirname(at)) {
    const found = await lstat(join(at, ".git")).catch(() => undefined); // Not there: none here.
    if (found !== undefined) return true;
    if (dirname(at) === at) return false;
  }
}

function hash(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("base64url");
}
