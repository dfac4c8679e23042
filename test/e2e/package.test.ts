// The package as a user gets it: packed, unpacked elsewhere, with nothing beside it but what it says it depends on.
import { execFile } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync, Visitor } from "oxc-parser";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = mkdtempSync(join(realpathSync(tmpdir()), "ccapi-packed-"));
const consumer = join(folder, "consumer");
const installed = join(consumer, "node_modules", "ccapi");
const command = join(installed, "bin", "ccapi.js");

interface Manifest {
  readonly version: string;
  readonly files: readonly string[];
  readonly dependencies: Readonly<Record<string, string>>;
}
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest; // Ours.

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program with a home of its own, and nothing of this process's environment but PATH. */
function run(program: string, args: readonly string[], cwd: string): Promise<Ended> {
  const env = {
    PATH: process.env["PATH"],
    HOME: folder,
    npm_config_cache: join(folder, "cache"),
    npm_config_update_notifier: "false",
  };
  return new Promise((resolve) => {
    execFile(program, args, { cwd, env, timeout: 120_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
    });
  });
}

async function mustRun(program: string, args: readonly string[], cwd: string): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, cwd);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${code}: ${stdout}${stderr}`);
  return stdout;
}

beforeAll(async () => {
  // Built and packed aside, so that neither an old dist nor another test can stand in for the build.
  const staging = join(folder, "staging");
  mkdirSync(staging);
  for (const name of ["package.json", "README.md", "LICENSE", ...manifest.files]) {
    if (name !== "dist" && existsSync(join(root, name)))
      cpSync(join(root, name), join(staging, name), { recursive: true });
  }
  await mustRun(process.execPath, [join(root, "scripts/build.ts"), join(staging, "dist")], root);
  await mustRun("npm", ["pack", "--offline", "--ignore-scripts"], staging);
  const tarball = readdirSync(staging).find((name) => name.endsWith(".tgz")) ?? "no tarball";
  mkdirSync(installed, { recursive: true });
  await mustRun("tar", ["-xzf", join(staging, tarball), "--strip-components=1", "-C", installed], folder);

  for (const name of Object.keys(manifest.dependencies)) {
    const link = join(consumer, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, "node_modules", name), link);
  }
}, 180_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the packed package", () => {
  it("holds what runs and what explains it, and nothing else", () => {
    const names = readdirSync(installed, { recursive: true, encoding: "utf8" });
    const top = new Set(names.map((name) => name.split("/")[0]));
    expect(
      [...top].filter(
        (name) => !["bin", "dist", "package.json", "README.md", "LICENSE", "CHANGELOG.md"].includes(name ?? ""),
      ),
    ).toEqual([]);
    expect(names).toContain("dist/cli.js");
    expect(names.filter((name) => /(^|\/)tests?\/|\.test\.|(?<!\.d)\.ts$|\.env/.test(name))).toEqual([]);
  });

  // The public API. A name that goes from here breaks someone's program.
  it.each([
    [
      "ccapi",
      [
        "CcapiError",
        "classify",
        "commandStrategy",
        "createAuthManager",
        "createMemoryStore",
        "errorKinds",
        "redact",
        "reloadStrategy",
        "rereadStrategy",
        "systemClock",
        "testQueryStrategy",
      ],
    ],
    ["ccapi/agent", ["CcapiError", "createAgent", "query"]],
    ["ccapi/simulator", ["startSimulator"]],
  ])("gives %s to an importer, name by name", async (name, names) => {
    const program = `console.log(JSON.stringify(Object.keys(await import("${name}"))))`;
    const stdout = await mustRun(process.execPath, ["--input-type=module", "--eval", program], consumer);
    expect(JSON.parse(stdout)).toEqual(names);
  });

  it("gives ccapi to a program in CommonJS", async () => {
    const stdout = await mustRun(process.execPath, ["--eval", 'console.log(typeof require("ccapi"))'], consumer);
    expect(stdout).toBe("object\n");
  });

  it("loads no server for ccapi/agent, and the Agent SDK only for a query (F)", async () => {
    const hook = `import { registerHooks } from "node:module";
      registerHooks({ resolve: (specifier, context, next) => { console.log(specifier); return next(specifier, context); } });
      const { createAgent } = await import("ccapi/agent");
      console.log(typeof createAgent({ environment: {} }).query);`;
    const stdout = await mustRun(process.execPath, ["--input-type=module", "--eval", hook], consumer);
    const loaded = stdout
      .split("\n")
      .filter((name) => name !== "" && !name.startsWith(".") && !name.startsWith("node:"));
    // ajv, with its three, is what a run holds structured answers against.
    const ajv = ["ajv", "ajv/dist/2020.js", "fast-deep-equal", "json-schema-traverse", "fast-uri"];
    expect([...new Set(loaded)]).toEqual(["ccapi/agent", "zod", ...ajv, "function"]);
  });

  it("loads neither the Agent SDK nor a server for the library (F)", async () => {
    const hook = `import { registerHooks } from "node:module";
      registerHooks({ resolve: (specifier, context, next) => { console.log(specifier); return next(specifier, context); } });
      await import("ccapi");`;
    const stdout = await mustRun(process.execPath, ["--input-type=module", "--eval", hook], consumer);
    const loaded = stdout.split("\n").filter((name) => name !== "" && !name.startsWith("."));
    expect(loaded.filter((name) => name !== "ccapi" && !name.startsWith("node:"))).toEqual([]);
  });

  it("says its version and what it can do", async () => {
    expect(await run(process.execPath, [command, "--version"], consumer)).toEqual({
      code: 0,
      stdout: `${manifest.version}\n`,
      stderr: "",
    });
    const help = await run(process.execPath, [command, "--help"], consumer);
    expect([help.code, help.stderr]).toEqual([0, ""]);
    expect(help.stdout).toContain("Usage: ccapi");
  });

  it("has the dashboard's page with all its files (B8)", async () => {
    const program = `const { loadAssets } = await import(${JSON.stringify(join(installed, "dist/dashboard/assets.js"))});
      console.log(JSON.stringify([...loadAssets().keys()]));`;
    const names = JSON.parse(await mustRun(process.execPath, ["--input-type=module", "--eval", program], consumer));
    const own = readdirSync(join(root, "src/dashboard/page"));
    expect(names.toSorted()).toEqual([...own, "uplot.css", "uplot.js"].toSorted());
  });

  it("ends without a word when its reader has seen enough", async () => {
    const records = join(folder, "records.jsonl");
    writeFileSync(records, '{"text":"HTTP 401"}\n'.repeat(20_000));
    const pipe = '"$0" "$1" explain --jsonl "$2" | head -n 1; echo "${PIPESTATUS[0]}"';
    const ended = await run("bash", ["-c", pipe, process.execPath, command, records], consumer);
    expect(ended).toEqual({ code: 0, stdout: expect.stringMatching(/^\{"id":1,.*\}\n0\n$/), stderr: "" });
  });

  it("passes the exit code on", async () => {
    expect((await run(process.execPath, [command, "--no-such-flag"], consumer)).code).toBe(2);
  });
});

describe("a checkout", () => {
  const checkout = join(folder, "checkout");
  beforeAll(() => {
    mkdirSync(checkout);
    for (const name of ["package.json", "bin", "src"])
      cpSync(join(root, name), join(checkout, name), { recursive: true });
    symlinkSync(join(root, "node_modules"), join(checkout, "node_modules"));
  });

  it("that was never built runs from its source", async () => {
    const stdout = await mustRun(process.execPath, ["bin/ccapi.js", "--version"], checkout);
    expect(stdout).toBe(`${manifest.version}\n`);
  });

  it("runs from its source, however old what was built of it", async () => {
    mkdirSync(join(checkout, "dist"));
    writeFileSync(join(checkout, "dist", "cli.js"), 'export const run = () => console.log("old");\n');
    const stdout = await mustRun(process.execPath, ["bin/ccapi.js", "--version"], checkout);
    expect(stdout).toBe(`${manifest.version}\n`);
  });
});

describe("an old Node", () => {
  /** Runs the command as if by another Node. */
  async function runAs(version: string): Promise<Ended> {
    const disguise = join(folder, `node-${version}.cjs`);
    writeFileSync(disguise, `Object.defineProperty(process, "versions", { value: { node: "${version}" } });`);
    return run(process.execPath, ["--require", disguise, command, "--version"], consumer);
  }

  it.each(["12.22.12", "20.20.2", "22.17.1"])("is told so: %s", async (version) => {
    expect(await runAs(version)).toEqual({
      code: 1,
      stdout: "",
      stderr: `ccapi needs Node 22.18 or newer; this is Node ${version}.\n`,
    });
  });

  it.each(["22.18.0", "24.0.0"])("is not what %s is", async (version) => {
    expect((await runAs(version)).stdout).toBe(`${manifest.version}\n`);
  });

  it("is told so by every old Node of this machine", async () => {
    const nodes = (process.env["PATH"] ?? "").split(delimiter).map((place) => join(place, "node"));
    for (const node of new Set(nodes.filter((path) => existsSync(path) && !path.includes("node_modules")))) {
      const version = (await mustRun(node, ["--version"], folder)).trim().slice(1);
      const [major = 0, minor = 0] = version.split(".").map(Number);
      if (major > 22 || (major === 22 && minor >= 18)) continue;
      const { code, stderr } = await run(node, [command, "--version"], consumer);
      expect([code, stderr]).toEqual([1, `ccapi needs Node 22.18 or newer; this is Node ${version}.\n`]);
    }
  });

  it("can read the command's source, which uses no syntax of this decade", () => {
    const found = new Set<string>();
    const note = ({ type }: { readonly type: string }): void => void found.add(type);
    const { program, errors } = parseSync("ccapi.js", readFileSync(command, "utf8"), { sourceType: "script" });
    new Visitor({
      ArrowFunctionExpression: note,
      AwaitExpression: note,
      ChainExpression: note,
      ClassDeclaration: note,
      ImportDeclaration: note,
      SpreadElement: note,
      TemplateLiteral: note,
      VariableDeclaration: (node) => node.kind === "var" || note(node),
      CatchClause: (node) => node.param !== null || note(node),
      LogicalExpression: (node) => node.operator !== "??" || note(node),
    }).visit(program);
    expect([errors, [...found]]).toEqual([[], []]);
  });
});
