import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { generatedParts, withPart } from "../../scripts/write-docs.ts";
import { errorKinds } from "../../src/auth/errors.ts";

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");

describe("the documents", () => {
  it.each(generatedParts())("$file shows $name as the code has it", (part) => {
    expect(withPart(read(part.file), part)).toBe(read(part.file));
  });

  it("docs/errors.md explains every code with its status, and no other", () => {
    const rows = [...read("docs/errors.md").matchAll(/^\| `([a-z_]+)` \| (\d+) \|/gm)].map(
      ([, code, status]) => `${code} ${status}`,
    );
    const codes = Object.entries(errorKinds).map(([code, { status }]) => `${code} ${status}`);
    expect(new Set(rows)).toEqual(new Set(codes));
    expect(rows).toHaveLength(codes.length);
  });
});
