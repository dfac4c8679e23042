// The documents lead somewhere: their links and anchors exist, and the map and the plan name every room.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";
import { rooms, roomOf } from "./helpers/architecture.ts";
import { root, trackedFiles } from "./helpers/tracked-files.ts";

const read = (path: string): string => readFileSync(join(root, path), "utf8");

/** Markdown without what is shown as code. */
function withoutCode(text: string): string {
  return text.replaceAll(/^(```+)[\s\S]*?^\1$/gm, "").replaceAll(/`[^`\n]*`/g, "");
}

/** The relative links of a document, as written. */
function linksOf(text: string): string[] {
  const links = [...withoutCode(text).matchAll(/\]\(\s*<?([^)>\s]+)>?[^)]*\)|^\[[^\]]+\]:\s*(\S+)/gm)];
  return links.map(([, inline, reference]) => inline ?? reference ?? "").filter((link) => !/^[a-z]+:/.test(link));
}

/** The anchors that a document's headings have on GitHub. */
function anchorsOf(text: string): string[] {
  // A heading's code is part of its anchor; a comment in a shell example is no heading.
  const headings = text.replaceAll(/^(```+)[\s\S]*?^\1$/gm, "").matchAll(/^#{1,6}\s+(.+?)\s*$/gm);
  return [...headings].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(/\s/g, "-"),
  );
}

/** What is wrong with the links of one document. */
function brokenLinks(path: string, text: string): string[] {
  return linksOf(text).filter((link) => {
    const [file = "", anchor] = link.split("#");
    if (file === "") return !anchorsOf(text).includes(anchor ?? "");
    const target = normalize(join(dirname(path), decodeURI(file)));
    if (target.startsWith("..") || !existsSync(join(root, target))) return true;
    return anchor !== undefined && target.endsWith(".md") && !anchorsOf(read(target)).includes(anchor);
  });
}

const documents = trackedFiles().filter((path) => path.endsWith(".md") && !path.startsWith("test/fixtures/"));

describe("the documents", () => {
  it.each(documents)("%s links to what exists", (path) => {
    expect(brokenLinks(path, read(path))).toEqual([]);
  });

  it("say that a missing file, folder or heading is missing", () => {
    const text = "# A b\n\n[a](LICENSE) [b](#a-b) [c](docs/) [d](https://example.com) `[e](no-code.md)`\n";
    expect(brokenLinks("made-up.md", text)).toEqual([]);
    const broken = "# A\n\n[a](gone.md) [b](#gone) [c](gone/) [d](AGENTS.md#gone) [e](../out.md)\n\n[f]: gone.txt\n";
    expect(brokenLinks("made-up.md", broken)).toEqual([
      "gone.md",
      "#gone",
      "gone/",
      "AGENTS.md#gone",
      "../out.md",
      "gone.txt",
    ]);
  });
});

describe("AGENTS.md", () => {
  const folders = readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory() && readdirSync(join(entry.parentPath, entry.name)).length > 0)
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length).replaceAll("\\", "/"));

  it("names every folder of the source", () => {
    expect(folders.length).toBeGreaterThan(8);
    const text = read("AGENTS.md");
    expect(folders.filter((folder) => !text.includes(`\`${folder}\``))).toEqual([]);
  });

  it("names only npm scripts that exist", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> }; // Ours.
    const named = [...read("AGENTS.md").matchAll(/`npm (?:run (?:-s )?)?([a-z0-9:]+)/g)].map(([, name = ""]) => name);
    expect(named.length).toBeGreaterThan(8);
    expect(named.filter((name) => name !== "ci" && scripts[name] === undefined)).toEqual([]);
  });
});

describe("docs/architecture.md", () => {
  it("names every room that may exist", () => {
    const text = read("docs/architecture.md");
    const named = (room: string): boolean => text.includes(`\`${room}/\``) || text.includes(`\`${room}.ts\``);
    expect(Object.keys(rooms).filter((room) => !named(room))).toEqual([]);
    expect(roomOf("src/auth/gate.ts")).toBe("auth");
  });
});
