// What must not be in the repository: one machine's paths, package hosts, work left for later, tests switched off, keys.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root, trackedFiles, walk } from "./helpers/tracked-files.ts";

interface Rule {
  readonly what: string;
  readonly pattern: RegExp;
  /** Files that may. */
  readonly except?: RegExp;
}

const self = "test/repository.test.ts";

const rules: readonly Rule[] = [
  { what: "a path of one machine", pattern: /(?<![\w.-])\/(?:work|root|Users)\/[\w.-]+/, except: /^test\/fixtures\// },
  { what: "a package registry's host", pattern: /registry\.(?:npmjs|yarnpkg|npmmirror)\.\w+|"resolved": "http/ },
  {
    what: "something left for later",
    pattern: /\b(?:TODO|FIXME|XXX|HACK)\b/,
    except: /^(?:test\/fixtures\/|package-lock\.json$)/,
  },
  { what: "a test switched off", pattern: /\b(?:it|test|describe)(?:\.\w+)*\.(?:skip|only|todo|fails)\b/ },
  { what: "a check switched off", pattern: /@ts-(?:ignore|nocheck)|oxlint-disable(?!-next-line \S+ -- \S)/ },
  { what: "what looks like a real key", pattern: /sk-ant-[a-z]+\d\d-[\w-]{80,}|-----BEGIN [A-Z ]*PRIVATE KEY/ },
];

/** What is wrong with a file's text, `path:line: what`. */
function offencesIn(path: string, text: string): string[] {
  return rules
    .filter(({ except }) => except?.test(path) !== true)
    .flatMap(({ what, pattern }) =>
      text.split("\n").flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${what}`] : [])),
    );
}

describe("the repository", () => {
  const paths = trackedFiles();

  it("holds nothing that does not belong in it", () => {
    expect(paths.length).toBeGreaterThan(100);
    const texts = paths.filter((path) => path !== self && !/\.(?:png|ico|woff2|gz)$/.test(path));
    expect(texts.flatMap((path) => offencesIn(path, readFileSync(join(root, path), "utf8")))).toEqual([]);
  });

  it("is found whole where it came without its history", () => {
    const walked = new Set(walk(""));
    expect(paths.filter((path) => !walked.has(path))).toEqual([]);
  });

  it("names every platform's packages in the lock file, without which npm 11 installs nothing", () => {
    const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as LockFile; // npm's, version 3.
    const locked = (from: string, name: string): boolean => {
      const place = `${from === "" ? "" : `${from}/`}node_modules/${name}`;
      if (packages[place]?.version !== undefined) return true;
      return from !== "" && locked(from.slice(0, Math.max(0, from.lastIndexOf("node_modules/") - 1)), name);
    };
    const missing = Object.entries(packages).flatMap(([place, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter((name) => !locked(place, name)),
    );
    expect(missing).toEqual([]);
    expect(
      Object.entries(packages).filter(([place, { integrity }]) => place !== "" && integrity === undefined),
    ).toEqual([]);
  });

  it("allows the install script of no package but node", () => {
    const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as LockFile; // As above.
    const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { allowScripts: unknown }; // Ours.
    expect(manifest.allowScripts).toEqual({ node: true });
    const scripted = Object.entries(packages).filter(([, { hasInstallScript }]) => hasInstallScript === true);
    expect(
      scripted.map(([place]) => place).filter((place) => place !== "node_modules/node" && !isOptional(packages, place)),
    ).toEqual([]);
  });
});

interface LockFile {
  readonly packages: Readonly<
    Record<
      string,
      {
        readonly version?: string;
        readonly integrity?: string;
        readonly optional?: boolean;
        readonly hasInstallScript?: boolean;
        readonly optionalDependencies?: Readonly<Record<string, string>>;
      }
    >
  >;
}

function isOptional(packages: LockFile["packages"], place: string): boolean {
  return packages[place]?.optional === true;
}

describe("the search", () => {
  it.each([
    ["a path of one machine", "cd /work/checkout"],
    ["a path of one machine", 'const home = "/root/.claude";'],
    ["a path of one machine", "see /Users/someone/ccapi"],
    ["a package registry's host", '"resolved": "https://registry.npmjs.org/a/-/a-1.0.0.tgz"'],
    ["a package registry's host", '"resolved": "http://packages.example/a.tgz"'],
    ["something left for later", "// TODO: later"],
    ["something left for later", "<!-- FIXME -->"],
    ["a test switched off", 'it.only("runs alone", run);'],
    ["a test switched off", 'describe.concurrent.skip("sleeps", run);'],
    ["a check switched off", "// @ts-ignore"],
    ["a check switched off", "// oxlint-disable-next-line no-console"],
    ["what looks like a real key", `sk-ant-api03-${"a1-B_".repeat(20)}`],
  ])("finds %s in %j", (what, line) => {
    expect(offencesIn("docs/made-up.md", `First.\n${line}\n`)).toEqual([`docs/made-up.md:2: ${what}`]);
  });

  it.each([
    "GET http://localhost/work",
    "./src/root/x",
    'describe.skipIf(!hasRedis)("the Redis store", run);',
    "sk-ant-api03-made-up",
    "// oxlint-disable-next-line no-console -- a command prints",
    "The hacker's guide to todo lists",
  ])("passes over %j", (line) => {
    expect(offencesIn("docs/made-up.md", line)).toEqual([]);
  });
});
