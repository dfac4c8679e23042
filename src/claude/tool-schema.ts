// A client's JSON schema of arguments ↔ one that the Messages API takes: an object at the root, without alternatives there, and with
// property names of letters, digits, `_`, `.` and `-` alone. Pure. What is changed is changed back in the model's arguments.
import { createHash } from "node:crypto";
import type { JsonSchema } from "../turn/turn.ts";

/** @see https://docs.claude.com/en/api/messages "Property keys should match pattern" (2026) */
const allowedKey = /^[a-zA-Z0-9_.-]{1,64}$/;

/** What stands at the root in the Messages API: "input_schema does not support oneOf, allOf, or anyOf at the top level" (2026). */
const alternatives = ["anyOf", "oneOf", "allOf"] as const;

/** Deeper values are handed on as they are. */
const maxDepth = 200;

/** A schema for the model, with the property names that it had to change: the model's → the client's. */
export interface ModelSchema {
  readonly schema: JsonSchema;
  readonly renamed: ReadonlyMap<string, string>;
}

/** The schema that the model is shown. */
export function toModelSchema(schema: JsonSchema): ModelSchema {
  const renamed = new Map<string, string>();
  const root = asObject(resolve(schema, schema));
  const flat = alternatives.some((name) => Array.isArray(root[name])) ? flatten(root, schema) : root;
  const { $schema: _dialect, ...rest } = flat;
  const named = renameSchema({ ...rest, type: "object" }, renamed, 0);
  return { schema: asObject(named), renamed };
}

/** The client's property names instead of the model's. */
export function toClientInput(input: unknown, { renamed }: ModelSchema): unknown {
  return renamed.size === 0 ? input : renameKeys(input, renamed, 0);
}

/** The model's property names instead of the client's. */
export function toModelInput(input: unknown, { renamed }: ModelSchema): unknown {
  if (renamed.size === 0) return input;
  return renameKeys(input, new Map(Array.from(renamed, ([model, client]) => [client, model])), 0);
}

/** The alternatives' properties in one object; required is what all of them require. The client's schema still says what is valid. */
function flatten(root: JsonSchema, whole: JsonSchema): JsonSchema {
  const rest = Object.fromEntries(Object.entries(root).filter(([name]) => !isAlternative(name)));
  let properties = asObject(root["properties"]);
  let required = asNames(root["required"]);
  for (const name of alternatives) {
    const branches = (Array.isArray(root[name]) ? root[name] : []).map((branch) => asObject(resolve(branch, whole)));
    for (const branch of branches) properties = { ...asObject(branch["properties"]), ...properties };
    const lists = branches.map((branch) => asNames(branch["required"]));
    const common =
      name === "allOf" ? lists.flat() : (lists[0] ?? []).filter((key) => lists.every((list) => list.includes(key)));
    required = [...new Set([...required, ...common])];
  }
  return { ...rest, properties, ...(required.length > 0 ? { required } : {}) };
}

/** What a reference into the schema itself points at; anything else as it is. */
function resolve(schema: unknown, whole: JsonSchema): unknown {
  const reference = asObject(schema)["$ref"];
  if (typeof reference !== "string" || !reference.startsWith("#/")) return schema;
  let found: unknown = whole;
  for (const part of reference.slice(2).split("/")) {
    found = asObject(found)[part.replaceAll("~1", "/").replaceAll("~0", "~")];
  }
  if (typeof found !== "object" || found === null) return schema;
  const definitions = Object.fromEntries(
    ["$defs", "definitions"].flatMap((name) => (name in whole ? [[name, whole[name]]] : [])),
  );
  return { ...definitions, ...found };
}

function renameSchema(schema: unknown, renamed: Map<string, string>, depth: number): unknown {
  if (depth > maxDepth) return schema;
  if (Array.isArray(schema)) return schema.map((item) => renameSchema(item, renamed, depth + 1));
  if (typeof schema !== "object" || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([name, value]) => {
      if (name === "properties") return [name, renameProperties(asObject(value), renamed, depth)];
      if (name === "required")
        return [name, Array.isArray(value) ? value.map((key) => toModelKey(key, renamed)) : value];
      // Data, not schemas.
      if (name === "enum" || name === "const" || name === "default" || name === "examples") return [name, value];
      return [name, renameSchema(value, renamed, depth + 1)];
    }),
  );
}

function renameProperties(properties: JsonSchema, renamed: Map<string, string>, depth: number): JsonSchema {
  return Object.fromEntries(
    Object.entries(properties).map(([key, value]) => [
      toModelKey(key, renamed),
      renameSchema(value, renamed, depth + 1),
    ]),
  );
}

function toModelKey<Key>(key: Key, renamed: Map<string, string>): Key | string {
  if (typeof key !== "string" || allowedKey.test(key)) return key;
  const hash = createHash("sha256").update(key).digest("hex").slice(0, 8);
  const model = `${key.replaceAll(/[^\w.-]/g, "_").slice(0, 48)}_${hash}`;
  renamed.set(model, key);
  return model;
}

function renameKeys(value: unknown, names: ReadonlyMap<string, string>, depth: number): unknown {
  if (depth > maxDepth || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => renameKeys(item, names, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [names.get(key) ?? key, renameKeys(item, names, depth + 1)]),
  );
}

function isAlternative(name: string): boolean {
  return alternatives.some((each) => each === name);
}

function asObject(value: unknown): JsonSchema {
  // An object of unknown content.
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonSchema) : {};
}

function asNames(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((name) => typeof name === "string") : [];
}
