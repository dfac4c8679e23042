// Cuts schemas out of an OpenAPI document for the tests' fixtures: the ones named and all that they lead to, without their words.
// node scripts/cut-openapi.ts <document.json> <fixture.json> <Schema> [<Schema> …]
import { readFileSync, writeFileSync } from "node:fs";

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };

/** What validates nothing, and what ajv does not know. */
const words = /^(?:x-.*|description|title|summary|examples?|externalDocs|discriminator|deprecated|format|default)$/;
const prefix = "#/components/schemas/";

const [documentPath = "", fixturePath = "", ...roots] = process.argv.slice(2);
const document = JSON.parse(readFileSync(documentPath, "utf8")) as {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly components: { readonly schemas: JsonObject };
};

const cut = new Map<string, Json>();
const wanted = [...roots];
for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
  if (cut.has(name)) continue;
  const schema = document.components.schemas[name];
  if (schema === undefined) throw new Error(`${documentPath} has no schema ${name}.`);
  cut.set(name, toJsonSchema(schema, name));
}

const { title, version } = document.info;
const lines = [...cut]
  .toSorted(([a], [b]) => (a < b ? -1 : 1))
  .map(([name, schema]) => `${JSON.stringify(name)}: ${JSON.stringify(schema)}`);
writeFileSync(
  fixturePath,
  `{"$comment": ${JSON.stringify(`${title} ${version}, OpenAPI ${document.openapi}`)},\n"$defs": {\n${lines.join(",\n")}\n}}\n`,
);

/** A schema of the document as JSON Schema 2020-12. Notes the schemas that it refers to as wanted. */
function toJsonSchema(schema: Json, name: string): Json {
  if (typeof schema !== "object" || schema === null) return schema;
  if (isList(schema)) return schema.map((each) => toJsonSchema(each, name));
  const result: Record<string, Json> = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (words.test(keyword) || keyword === "nullable" || keyword === "$recursiveAnchor") continue;
    // Where kinds are told apart by a field the document says oneOf, and some of its kinds overlap nevertheless.
    if (keyword === "oneOf") result["anyOf"] = toJsonSchema(value, name);
    // Draft 2019's way to mean the schema that one is in.
    else if (keyword === "$recursiveRef") result["$ref"] = `#/$defs/${name}`;
    else if (keyword === "$ref") result["$ref"] = reference(value);
    else if (keyword === "properties") result[keyword] = mapValues(value, (each) => toJsonSchema(each, name));
    else if (keyword === "enum" || keyword === "const" || keyword === "required") result[keyword] = value;
    else result[keyword] = toJsonSchema(value, name);
  }
  // OpenAPI 3.0's way to say it, still found in documents of 3.1.
  return schema["nullable"] === true ? { anyOf: [result, { type: "null" }] } : result;
}

/** Array.isArray does not narrow what can't be changed. */
function isList(value: readonly Json[] | JsonObject): value is readonly Json[] {
  return Array.isArray(value);
}

function mapValues(value: Json | undefined, change: (each: Json) => Json): JsonObject {
  return Object.fromEntries(Object.entries(value as JsonObject).map(([key, each]) => [key, change(each)])); // `properties` is an object.
}

function reference(value: Json | undefined): string {
  if (typeof value !== "string" || !value.startsWith(prefix))
    throw new Error(`Not understood: $ref ${JSON.stringify(value)}`);
  const target = value.slice(prefix.length);
  wanted.push(target);
  return `#/$defs/${target}`;
}
