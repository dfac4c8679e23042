import { describe, expect, it } from "vitest";
import { assertSchema, compileSchema, type Schema } from "../../src/schema/compile.ts";

const problemOf = (schema: Schema, value: unknown) => compileSchema(schema, "p").problemOf(value);
const refused = (message: string) =>
  expect.objectContaining({ code: "invalid_request", param: "p", message: expect.stringContaining(message) });

describe("a schema", () => {
  const city = {
    $schema: "http://json-schema.org/draft-07/schema#",
    type: "object",
    properties: { city: { $ref: "#/definitions/name" }, n: { type: "integer", nullable: true } },
    required: ["city"],
    additionalProperties: false,
    definitions: { name: { type: "string", minLength: 1 } },
  };

  it("judges values, and says what is wrong with them (B1)", () => {
    expect(problemOf(city, { city: "Paris", n: 1 })).toBeUndefined();
    expect(problemOf(city, { city: "", n: 1.5, x: 1 })).toBe(
      "/ must NOT have additional properties; /city must NOT have fewer than 1 characters; /n must be integer",
    );
    expect(problemOf({ type: "object", required: ["toString"] }, {})).toContain("required property");
  });

  it("may be of the newest draft or of the one before, whatever it says of itself (B1)", () => {
    const newest = { $schema: "https://json-schema.org/draft/2020-12/schema", prefixItems: [{ type: "string" }] };
    const older = { items: [{ type: "string" }] };
    for (const schema of [newest, older]) {
      expect(problemOf(schema, ["a"])).toBeUndefined();
      expect(problemOf(schema, [1])).toBe("/0 must be string");
    }
  });

  it("may refer to itself, give its parts ids, and use patterns of other engines (B1)", () => {
    const tree = { type: "object", properties: { kids: { type: "array", items: { $ref: "#" } } }, required: ["kids"] };
    expect(problemOf(tree, { kids: [{ kids: [] }] })).toBeUndefined();
    expect(problemOf(tree, { kids: [{}] })).toContain("/kids/0");
    const named = () => ({
      $id: "https://example.com/s",
      $ref: "#/$defs/a",
      $defs: { a: { $id: "a", type: "string" } },
    });
    expect(problemOf(named(), 1)).toBeDefined();
    // Another client's of the same name is another schema.
    expect(problemOf({ ...named(), $ref: undefined, type: "integer" }, 1)).toBeUndefined();
    expect(problemOf({ pattern: String.raw`^\p{Lu}[\w\-]+$` }, "Ä")).toBeDefined();
    expect(problemOf({ pattern: String.raw`^\d{2}\-\d{2}$` }, "12-34")).toBeUndefined();
  });

  it.each([
    ["of no type that there is", { properties: { a: { type: "text" } } }, "/properties/a/type"],
    ["that refers to nothing", { properties: { a: { $ref: "#/$defs/b" } } }, "#/$defs/b"],
    ["that refers to another place", { $ref: "https://127.0.0.1:1/schema.json" }, "can't resolve reference"],
    ["whose pattern is none", { properties: { a: { pattern: "(" } } }, "Unterminated group"],
  ])("%s is refused with the place (B1)", (_what, schema, message) => {
    expect(() => compileSchema(schema, "p")).toThrow(refused(message));
  });

  it("that is only to be followed is looked at all the same (B1)", () => {
    expect(() => assertSchema(city, "p")).not.toThrow();
    expect(() => assertSchema({ items: [{ type: "string" }] }, "p")).not.toThrow();
    expect(() => assertSchema({ properties: { a: { type: "text" } } }, "p")).toThrow(refused("/properties/a/type"));
    expect(() => assertSchema({ properties: 5 }, "p")).toThrow(refused("/properties"));
  });
});

describe("a schema that is to do harm", () => {
  const nested = (depth: number): Schema => (depth === 0 ? {} : { properties: { a: nested(depth - 1) } });
  const doubled = (levels: number) => ({
    $defs: Object.fromEntries(
      Array.from({ length: levels }, (_, n) => [
        `d${n}`,
        n + 1 === levels
          ? { type: "string" }
          : { oneOf: [{ $ref: `#/$defs/d${n + 1}` }, { $ref: `#/$defs/d${n + 1}` }] },
      ]),
    ),
    $ref: "#/$defs/d0",
  });

  it.each([
    ["too deep", nested(60)],
    ["too large", { enum: Array.from({ length: 30_000 }, (_, n) => n) }],
  ])("is refused: %s (C4)", (_what, schema) => {
    expect(() => compileSchema(schema, "p")).toThrow(refused("too deep or too large"));
    expect(() => assertSchema(schema, "p")).toThrow(refused("too deep or too large"));
  });

  it.each([
    ["a pattern without end", { pattern: "^(a+)+$" }, `${"a".repeat(60)}b`],
    ["references in a circle", { $ref: "#" }, "x"],
    ["references that double", doubled(40), "x"],
  ])("is given up in time: %s (C4)", (_what, schema, value) => {
    expect(problemOf(schema, value)).toBe("it takes too long to check");
    expect(problemOf({ type: "integer" }, 1)).toBeUndefined();
  });
});
