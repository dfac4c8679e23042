// The page's files: all there, none forgotten, nothing in them that takes markup from data.
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { loadAssets } from "../../src/dashboard/assets.ts";

const folder = fileURLToPath(new URL("../../src/dashboard/page/", import.meta.url));
const assets = loadAssets();
const scripts = [...assets].filter(([name]) => name.endsWith(".js") && name !== "uplot.js");

describe("the page's files", () => {
  it("are all served, and the plotting library beside them", () => {
    expect([...assets.keys()].toSorted()).toEqual([...readdirSync(folder), "uplot.css", "uplot.js"].toSorted());
  });

  it("import nothing but one another", () => {
    for (const [name, { body }] of assets) {
      for (const [, path = ""] of body.matchAll(/^import .*?from "(.*?)";/gms)) {
        expect(assets.has(path.replace("./", "")), `${name}: ${path}`).toBe(true);
      }
    }
  });

  it.each(scripts.map(([name, { body }]) => ({ name, body })))("never make markup of data: $name", ({ body }) => {
    expect(body).not.toMatch(
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser|srcdoc/,
    );
    expect(body).not.toMatch(/localStorage|sessionStorage|https?:/);
  });
});
