// The rooms keep to their own: who imports whom, who starts processes, who prints, how files are named and how long
// they are. The made-up files below show that each rule can fail.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { findBreaches, rooms, roomOf } from "./helpers/architecture.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

const sources = readdirSync(`${root}src`, { recursive: true, encoding: "utf8" })
  .map((path) => `src/${path.replaceAll("\\", "/")}`)
  .filter((path) => path.endsWith(".ts"))
  .map((path) => ({ path, text: readFileSync(root + path, "utf8") }));

/** The breaches of one made-up file; a comment is put at its head. */
function breachesOf(path: string, text: string): string[] {
  return findBreaches([{ path, text: `// Made up.\n${text}\n` }]);
}

describe("the source", () => {
  it("keeps every rule of docs/architecture.md", () => {
    expect(sources.length).toBeGreaterThan(30);
    expect(findBreaches(sources)).toEqual([]);
  });

  it("has the rooms that the rules know", () => {
    expect(sources.map(({ path }) => roomOf(path)).filter((room) => rooms[room] === undefined)).toEqual([]);
  });
});

describe("the check of imports", () => {
  const ways: Record<string, string> = {
    "a static import": 'import { run } from "../turn/run.ts"; run();',
    "an import for its effects": 'import "../turn/run.ts";',
    "a type import": 'import type { Run } from "../turn/run.ts"; export type R = Run;',
    "an inline type import": 'import { type Run } from "../turn/run.ts"; export type R = Run;',
    "an import type": 'export type R = typeof import("../turn/run.ts");',
    "a dynamic import": 'export const load = () => import("../turn/run.ts");',
    "a dynamic import of a template": "export const load = () => import(`../turn/run.ts`);",
    "a re-export": 'export { run } from "../turn/run.ts";',
    "a re-export of all": 'export * from "../turn/run.ts";',
    "a re-export of a type": 'export type { Run } from "../turn/run.ts";',
    "a require": 'export const run = require("../turn/run.ts");',
    "a require's resolve": 'export const run = require.resolve("../turn/run.ts");',
    "an import equals": 'import run = require("../turn/run.ts"); export const r = run;',
    "a made require": 'const load = createRequire(import.meta.url); load("../turn/run.ts");',
    "a made require's resolve": 'const load = createRequire(import.meta.url); load.resolve("../turn/run.ts");',
    "a made require, called at once": 'createRequire(import.meta.url)("../turn/run.ts");',
    "a resolve": 'export const run = import.meta.resolve("../turn/run.ts");',
    "a neighbour's URL": 'export const run = new URL("../turn/run.ts", import.meta.url);',
  };

  it.each(Object.entries(ways))("sees %s", (_way, text) => {
    expect(breachesOf("src/auth/gate.ts", text)).toEqual([
      "src/auth/gate.ts: auth may not import from src/turn/run.ts",
    ]);
  });

  it("sees a neighbour's URL whose suffix is computed, and takes data for data", () => {
    const text = "export const at = (suffix: string) => new URL(`../turn/run${suffix}`, import.meta.url);";
    expect(breachesOf("src/auth/gate.ts", text)).toEqual(["src/auth/gate.ts: auth may not import from src/turn/run"]);
    expect(breachesOf("src/auth/gate.ts", 'export const at = new URL("../package.json", import.meta.url);')).toEqual(
      [],
    );
  });

  it("refuses a module whose name is computed", () => {
    const text = "export const load = (name: string) => import(name);";
    expect(breachesOf("src/http/app.ts", text)).toEqual(["src/http/app.ts: imports a module whose name is computed"]);
    expect(breachesOf("src/claude/runtime.ts", text)).toEqual([]);
  });

  it("refuses a file that cannot be parsed", () => {
    expect(() => breachesOf("src/auth/gate.ts", "const = ;")).toThrow("src/auth/gate.ts");
  });
});

describe("the layers", () => {
  it.each([
    ["src/auth/gate.ts", "../claude/run.ts"],
    ["src/auth/gate.ts", "hono"],
    ["src/auth/gate.ts", "node:fs"],
    ["src/auth/gate.ts", "node:http"],
    ["src/auth/gate.ts", "node:child_process"],
    ["src/auth/manager.ts", "redis"],
    ["src/claude/run.ts", "../turn/run.ts"],
    ["src/claude/run.ts", "../http/app.ts"],
    ["src/turn/run.ts", "../http/app.ts"],
    ["src/turn/run.ts", "../openai/error.ts"],
    ["src/turn/run.ts", "@anthropic-ai/claude-agent-sdk"],
    ["src/turn/run.ts", "node:child_process"],
    ["src/openai/chat/request.ts", "../../auth/manager.ts"],
    ["src/openai/chat/request.ts", "../../turn/run.ts"],
    ["src/openai/chat/request.ts", "../../http/app.ts"],
    ["src/openai/chat/request.ts", "hono"],
    ["src/openai/chat/request.ts", "node:fs"],
    ["src/anthropic/request.ts", "../openai/error.ts"],
    ["src/openai/error.ts", "../anthropic/error.ts"],
    ["src/names/models.ts", "../openai/error.ts"],
    ["src/http/app.ts", "../claude/run.ts"],
    ["src/http/app.ts", "../server.ts"],
    ["src/http/app.ts", "@anthropic-ai/claude-agent-sdk/sdk-tools.js"],
    ["src/observe/metrics.ts", "../http/app.ts"],
    ["src/simulator/server.ts", "../auth/errors.ts"],
    ["src/simulator/server.ts", "hono"],
    ["src/simulator/server.ts", "node:child_process"],
    ["src/config/kinds.ts", "../auth/errors.ts"],
    ["src/cli/serve.ts", "../http/app.ts"],
    ["src/cli.ts", "./claude/run.ts"],
    ["src/server.ts", "./cli.ts"],
    ["src/server.ts", "./simulator/index.ts"],
    ["src/index.ts", "./claude/run.ts"],
    ["src/index.ts", "@anthropic-ai/claude-agent-sdk"],
    ["src/agent.ts", "./http/app.ts"],
    ["src/agent/drive.ts", "../turn/run.ts"],
    ["src/agent/drive.ts", "../server.ts"],
    ["src/agent/drive.ts", "@anthropic-ai/claude-agent-sdk"],
    ["src/agent/drive.ts", "node:child_process"],
    ["src/turn/run.ts", "../agent/drive.ts"],
    ["src/claude/run.ts", "../agent/drive.ts"],
    ["src/server.ts", "./agent.ts"],
    ["src/http/app.ts", "node:process"],
    ["src/http/app.ts", "../../test/helpers/imports.ts"],
  ])("keep %s from importing %s", (path, specifier) => {
    expect(breachesOf(path, `import * as made from "${specifier}"; made.up();`)).toHaveLength(1);
  });

  it.each([
    ["src/auth/gate.ts", "./errors.ts"],
    ["src/auth/strategies/command.ts", "node:child_process"],
    ["src/auth/store/redis-link.ts", "@redis/client"],
    ["src/auth/manager.ts", "node:crypto"],
    ["src/claude/run.ts", "@anthropic-ai/claude-agent-sdk"],
    ["src/claude/run.ts", "../auth/errors.ts"],
    ["src/turn/run.ts", "../claude/run.ts"],
    ["src/openai/chat/request.ts", "../../auth/errors.ts"],
    ["src/openai/chat/request.ts", "@hono/zod-openapi"],
    ["src/anthropic/to-turn.ts", "../names/models.ts"],
    ["src/http/app.ts", "../openai/error.ts"],
    ["src/http/app.ts", "hono/cors"],
    ["src/simulator/server.ts", "node:http"],
    ["src/cli/serve.ts", "../server.ts"],
    ["src/cli.ts", "../package.json"],
    ["src/agent/drive.ts", "../turn/progress.ts"],
    ["src/agent/drive.ts", "../wiring.ts"],
    ["src/agent.ts", "./claude/runtime.ts"],
  ])("let %s import %s", (path, specifier) => {
    expect(breachesOf(path, `import * as made from "${specifier}"; made.up();`)).toEqual([]);
  });

  it.each([
    ["src/claude/run.ts", "../turn/turn.ts"],
    ["src/names/models.ts", "../turn/turn.ts"],
    ["src/http/app.ts", "../turn/sessions.ts"],
    ["src/http/app.ts", "../observe/log.ts"],
    ["src/observe/alerts.ts", "../auth/contract.ts"],
  ])("let %s import the types of %s, and its values not", (path, specifier) => {
    expect(breachesOf(path, `import type { A } from "${specifier}"; export type B = A;`)).toEqual([]);
    expect(breachesOf(path, `import { a } from "${specifier}"; a();`)[0]).toContain("may not import values from");
  });
});

it("lets the library know the Agent SDK's types, and others not", () => {
  const text = 'import type { Query } from "@anthropic-ai/claude-agent-sdk"; export type Q = Query;';
  expect(breachesOf("src/agent.ts", text)).toEqual([]);
  expect(breachesOf("src/agent/drive.ts", text)).toEqual([]);
  expect(breachesOf("src/turn/run.ts", text)).toHaveLength(1);
});

describe("the process's surroundings", () => {
  it.each([
    ["process.env", "export const home = process.env.HOME;"],
    ["process.env", 'export const home = process["env"].HOME;'],
    ["process.env", "export const home = globalThis.process.env.HOME;"],
    ["process.env", "const { env } = process; export const home = env.HOME;"],
    ["process.stdout", 'process.stdout.write("x");'],
    ["process.stderr", 'process.stderr.write("x");'],
    ["console", 'console.log("x");'],
  ])("are found: %s in %s", (name, text) => {
    expect(breachesOf("src/http/app.ts", text)[0]).toContain(`uses ${name}`);
  });

  it("are seen through where they belong", () => {
    expect(breachesOf("src/config.ts", "export const home = process.env.HOME;")).toEqual([]);
    expect(breachesOf("src/cli/output.ts", 'process.stdout.write("x"); console.log("x");')).toEqual([]);
  });

  it("are not found in comments and strings", () => {
    expect(breachesOf("src/http/app.ts", '// process.env\nexport const text = "console.log(process.env)";')).toEqual(
      [],
    );
  });
});

describe("the habits of files", () => {
  it.each([
    ["src/openai/chat/chat-request.ts", "the folder's name"],
    ["src/http/openai-http-errors.ts", "the folder's name"],
    ["src/auth/utils.ts", "says nothing"],
    ["src/auth/helpers/clock.ts", "says nothing"],
    ["src/turn/event-types.ts", "says nothing"],
    ["src/common/clock.ts", "no room of this house"],
    ["src/auth/authManager.ts", "kebab-case"],
    ["src/auth/index.ts", "no entry of the package"],
  ])("refuse the name %s", (path, reason) => {
    expect(breachesOf(path, "export const a = 1;").join()).toContain(reason);
  });

  it.each([
    ["export default 1;", "has a default export"],
    ["const a = 1; export { a as default };", "has a default export"],
  ])("refuse %j", (text, reason) => {
    expect(breachesOf("src/auth/gate.ts", text).join()).toContain(reason);
  });

  it("refuse a file without a word on what it is for", () => {
    expect(findBreaches([{ path: "src/auth/gate.ts", text: "export const a = 1;\n" }])).toHaveLength(1);
  });

  it("refuse the 251st line, not the 250th", () => {
    expect(breachesOf("src/auth/gate.ts", `export const a = 1;${"\n".repeat(249)}`).join()).toContain("has 251 lines");
    expect(breachesOf("src/auth/gate.ts", `export const a = 1;${"\n".repeat(248)}`)).toEqual([]);
  });
});
