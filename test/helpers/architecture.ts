// The rules of the house as data, and the function that holds a set of source files against them.
// docs/architecture.md says the same in words; the two change together.
import { posix } from "node:path";
import { readFacts, type Import } from "./imports.ts";

/** A file by its path from the repository's root, with `/`. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** What a room may import beside its own files. */
interface RoomRule {
  /** Rooms, or single files, whose values may be imported. */
  readonly from?: readonly string[];
  /** Rooms, or single files, of which only types may be imported: the ports. */
  readonly typesFrom?: readonly string[];
  /** Node's modules and packages; `true`: any that no other rule keeps back. */
  readonly packages: readonly string[] | true;
}

const turnTypes = "src/turn/turn.ts";
const errors = "src/auth/errors.ts";

/** Node's modules that touch nothing outside the process. */
const pureNodeModules = [
  "node:async_hooks",
  "node:buffer",
  "node:crypto",
  "node:events",
  "node:path",
  "node:perf_hooks",
  "node:timers",
  "node:timers/promises",
  "node:url",
  "node:util",
];

const frontDoor: RoomRule = {
  from: ["names", errors, "src/media/inline.ts", "schema"],
  typesFrom: [turnTypes],
  packages: ["zod", "@hono/zod-openapi"],
};

/** Who may import whom. A room that is not here may not exist. */
export const rooms: Readonly<Record<string, RoomRule>> = {
  auth: { packages: pureNodeModules },
  claude: { from: ["auth", "schema"], typesFrom: [turnTypes], packages: true },
  turn: { from: ["auth", "claude", "schema"], packages: true },
  cluster: { from: ["auth", "claude", "turn"], typesFrom: ["http"], packages: pureNodeModules },
  names: { from: [errors], typesFrom: [turnTypes], packages: ["zod"] },
  schema: { from: [errors], packages: ["ajv", "node:vm"] },
  media: { from: [errors, "src/auth/until-aborted.ts"], typesFrom: [turnTypes], packages: true },
  openai: frontDoor,
  anthropic: frontDoor,
  http: {
    from: ["openai", "anthropic", "names", "dashboard", "version", errors],
    typesFrom: ["auth", "turn", "observe", "config"],
    packages: true,
  },
  observe: { typesFrom: ["auth", "turn", "config"], packages: true },
  dashboard: { packages: ["node:crypto", "node:fs", "uplot"] },
  simulator: { packages: ["node:"] },
  config: { packages: ["node:"] },
  server: {
    from: [
      "auth",
      "claude",
      "turn",
      "cluster",
      "media",
      "openai",
      "anthropic",
      "http",
      "observe",
      "dashboard",
      "config",
      "made-key",
      "version",
      "wiring",
    ],
    packages: true,
  },
  wiring: { from: ["auth", "claude"], typesFrom: ["config"], packages: [] },
  doctor: { from: ["auth", "claude", "turn", "config", "version"], packages: true },
  cli: { from: ["server", "doctor", "config", "simulator", "auth", "observe", "made-key", "version"], packages: true },
  "made-key": { packages: ["node:crypto"] },
  version: { packages: ["node:fs"] },
  index: { from: ["auth"], packages: [] },
  agent: {
    from: ["auth", "claude", "wiring", "src/turn/progress.ts", "src/turn/model-blame.ts"],
    typesFrom: [turnTypes],
    packages: true,
  },
};

/** Modules that only some files may load, whatever their room allows. */
const reserved: readonly {
  readonly module: RegExp;
  readonly path: RegExp;
  /** Files that may load its types beside. */
  readonly typesPath?: RegExp;
  readonly why: string;
}[] = [
  {
    module: /^@anthropic-ai\//,
    path: /^src\/claude\//,
    // Its own arguments, messages and control methods are what the library hands on.
    typesPath: /^src\/agent(\.ts|\/)/,
    why: "only claude/ speaks to the Agent SDK",
  },
  {
    module: /^(node:)?(child_process|cluster)$/,
    path: /^src\/(claude\/|auth\/strategies\/command\.ts$|observe\/alerts\/program\.ts$)/,
    why: "only claude/, auth/strategies/command.ts and observe/alerts/program.ts start processes",
  },
  {
    module: /^(node:)?process$/,
    path: /^src\/(config|cli)\.ts$/,
    why: "the process's surroundings reach a room as options",
  },
  {
    module: /^(redis|ioredis|@redis\/.+)$/,
    path: /^src\/auth\/store\/redis-link\.ts$/,
    why: "a store's client belongs to the store",
  },
];

/** Packages that one file may load beyond its room's rule. */
const extraPackages: Readonly<Record<string, RegExp>> = {
  "src/auth/strategies/command.ts": /^node:child_process$/,
  "src/auth/store/redis-link.ts": /^(redis|ioredis|@redis\/.+)$/,
};

const globalsOnlyIn: Readonly<Record<string, { readonly path: RegExp; readonly why: string }>> = {
  env: { path: /^src\/(config|agent)\.ts$/, why: "only config.ts and agent.ts read process.env" },
  stdout: { path: /^src\/cli(\.ts|\/)/, why: "only the command line prints" },
  stderr: { path: /^src\/cli(\.ts|\/)/, why: "only the command line prints" },
  console: { path: /^src\/cli(\.ts|\/)/, why: "only the command line prints" },
};

/** The one place where a module's address is made at run time: the SDK, loaded anew. */
const mayComputeImports = /^src\/claude\/runtime\.ts$/;
const entries = /^src\/(simulator\/)?index\.ts$/;
const emptyWords = /^(utils?|helpers|types|common|shared|misc)$/;
const maxLines = 250;

/**
 * Holds source files against the rules.
 *
 * @returns one line for each breach, `path: what`; none: all is well.
 */
export function findBreaches(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    [...namingBreaches(file), ...importBreaches(file)].map((breach) => `${file.path}: ${breach}`),
  );
}

/** `src/auth/store/redis.ts` and `src/auth.ts` are both of the room `auth`. */
export function roomOf(path: string): string {
  return /^src\/([^/]+?)(?:\.ts)?(?:\/|$)/.exec(path)?.[1] ?? "";
}

function* namingBreaches({ path, text }: SourceFile): Generator<string> {
  const names = path.replace(/\.ts$/, "").split("/").slice(1);
  const file = names.at(-1) ?? "";
  for (const name of names) {
    if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) yield `"${name}" is not kebab-case`;
    if (name.split("-").some((word) => emptyWords.test(word))) yield `"${name}" says nothing of what is in it`;
  }
  const repeated = names.slice(0, -1).find((folder) => file.split("-").includes(folder) && path !== turnTypes);
  if (repeated !== undefined) yield `the folder's name "${repeated}" is repeated in the file's`;
  if (file === "index" && !entries.test(path)) yield "an index.ts that is no entry of the package";
  if (!/^(#!.*\n)?(\/\/|\/\*)/.test(text)) yield "does not begin with a comment that says what it is for";
  const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  if (lines > maxLines) yield `has ${lines} lines, more than ${maxLines}`;
}

function* importBreaches({ path, text }: SourceFile): Generator<string> {
  const facts = readFacts(path, text);
  if (facts.hasDefaultExport) yield "has a default export";
  for (const name of facts.globals) {
    const rule = globalsOnlyIn[name];
    if (rule !== undefined && !rule.path.test(path))
      yield `uses ${name === "console" ? name : `process.${name}`}: ${rule.why}`;
  }
  const rule = rooms[roomOf(path)];
  if (rule === undefined) {
    yield `"${roomOf(path)}" is no room of this house`;
    return;
  }
  for (const entry of facts.imports) {
    const breach = importBreach(path, rule, entry);
    if (breach !== undefined) yield breach;
  }
}

function importBreach(path: string, rule: RoomRule, { specifier, isTypeOnly }: Import): string | undefined {
  if (specifier === undefined)
    return mayComputeImports.test(path) ? undefined : "imports a module whose name is computed";
  if (!specifier.startsWith(".")) return packageBreach(path, rule, { specifier, isTypeOnly });
  const target = posix.normalize(posix.join(posix.dirname(path), specifier));
  if (!target.startsWith("src/")) {
    return target === "package.json" ? undefined : `imports ${specifier}, which is outside src`;
  }
  const room = roomOf(target);
  const allowed = [roomOf(path), ...(rule.from ?? []), ...(isTypeOnly ? (rule.typesFrom ?? []) : [])];
  if (allowed.includes(room) || allowed.includes(target)) return undefined;
  const asType = [room, target].some((name) => rule.typesFrom?.includes(name));
  return `${roomOf(path)} may not import ${asType ? "values " : ""}from ${target}`;
}

function packageBreach(
  path: string,
  rule: RoomRule,
  { specifier, isTypeOnly }: { readonly specifier: string; readonly isTypeOnly: boolean },
): string | undefined {
  const keeper = reserved.find(({ module }) => module.test(specifier) || module.test(toPackageName(specifier)));
  const isKept = keeper?.path.test(path) === false && !(isTypeOnly && keeper.typesPath?.test(path) === true);
  if (isKept) return `imports ${specifier}: ${keeper.why}`;
  if (rule.packages === true || extraPackages[path]?.test(specifier) === true) return undefined;
  const allowed = rule.packages.some((name) =>
    name.endsWith(":") ? specifier.startsWith(name) : name === specifier || name === toPackageName(specifier),
  );
  return allowed ? undefined : `${roomOf(path)} may not import ${specifier}`;
}

function toPackageName(specifier: string): string {
  if (specifier.startsWith("node:")) return specifier;
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}
