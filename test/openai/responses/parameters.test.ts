// The tables know every parameter and every kind of tool that the documents have, and no other but our own.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { harmlessValues, parameters, toolKinds } from "../../../src/openai/responses/parameters.ts";
import { requestFields } from "../../helpers/openai-schema.ts";
import { root } from "../../helpers/tracked-files.ts";

interface Schema {
  readonly properties?: Readonly<Record<string, { readonly enum?: readonly string[] }>>;
  readonly anyOf?: readonly { readonly $ref: string }[];
}

function definitions(name: string): Readonly<Record<string, Schema>> {
  const text = readFileSync(join(root, `test/fixtures/openai/${name}.json`), "utf8");
  return (JSON.parse(text) as { $defs: Record<string, Schema> }).$defs; // Cut from the documents.
}

describe("the table of parameters", () => {
  it("names every parameter of both documents, and session_id, each once (B7)", () => {
    const open = Object.keys(definitions("open-responses")["CreateResponseBody"]?.properties ?? {});
    const names = new Set([...requestFields("CreateResponse"), ...open, "session_id"]);
    expect(names.size).toBeGreaterThan(30);
    expect(parameters.map(({ name }) => name).toSorted()).toEqual([...names].toSorted());
  });

  it("says why where it refuses, and knows harmless values only of what has no effect (B7)", () => {
    const refused = parameters.filter(({ fate }) => fate === "refused");
    expect(refused.filter(({ note }) => note === "")).toEqual([]);
    const effectless = parameters.filter(({ fate }) => fate === "refused" || fate === "ignored");
    const names = effectless.map(({ name }) => name);
    expect(Object.keys(harmlessValues).filter((name) => !names.includes(name))).toEqual([]);
  });
});

describe("the table of tools", () => {
  it("names every kind of OpenAI's but functions, each once (B7)", () => {
    const all = definitions("responses");
    const kinds = (all["Tool"]?.anyOf ?? []).flatMap(
      ({ $ref }) => all[$ref.replace("#/$defs/", "")]?.properties?.["type"]?.enum ?? [],
    );
    expect(kinds.length).toBeGreaterThan(10);
    expect(["function", ...toolKinds.map(({ type }) => type)].toSorted()).toEqual(kinds.toSorted());
  });
});
