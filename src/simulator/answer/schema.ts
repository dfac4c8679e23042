// A value that matches a JSON schema and, where it can, says what the prompt says. Pure and deterministic.
import { isJsonObject, type JsonObject } from "../request.ts";
import type { Clues } from "./clues.ts";
import { numberFor, textFor } from "./field.ts";

/** References may go in circles: below this depth only what is required is made, below twice of it nothing. */
const DEEP = 6;

/** So many parts at most, references followed included: circles in several places at once grow without measure. */
const MAX_PARTS = 2000;

interface Place {
  readonly root: JsonObject;
  readonly budget: { left: number };
  readonly clues: Clues;
  readonly name: string;
  readonly depth: number;
  /** Place in a list, so that its items differ. */
  readonly index: number;
}

/** Makes the value. @param clues what the fields are filled from */
export function valueFor(schema: JsonObject, clues: Clues): unknown {
  return make(schema, {
    root: schema,
    budget: { left: MAX_PARTS },
    clues,
    name: "",
    depth: 0,
    index: 0,
  });
}

/** Input for a tool: always an object. */
export function inputFor(schema: JsonObject, clues: Clues): JsonObject {
  const value = valueFor(schema, clues);
  return isJsonObject(value) ? value : {};
}

function make(given: unknown, place: Place): unknown {
  if (--place.budget.left < 0 || place.depth > 2 * DEEP) return null;
  if (!isJsonObject(given)) return "text";
  const schema = resolve(given, place);
  if ("const" in schema) return schema.const;
  if (Array.isArray(schema.enum)) return chooseFrom(schema.enum, place.clues.text);
  if ("default" in schema && schema.default !== null) return schema.default;
  if (Array.isArray(schema.examples) && schema.examples.length > 0) {
    return chooseFrom(schema.examples, place.clues.text);
  }
  const options = [schema.anyOf, schema.oneOf].find((list) => Array.isArray(list));
  if (options !== undefined) return make(chooseOption(options, place), deeper(place));

  switch (typeOf(schema)) {
    case "object":
      return makeObject(schema, place);
    case "array":
      return makeArray(schema, place);
    case "string":
      return textFor(place.name, schema, place.clues, place.index);
    case "integer":
    case "number":
      return numberFor(place.name, schema, place.clues, place.index);
    case "boolean":
      return true;
    default:
      return null;
  }
}

function makeObject(schema: JsonObject, place: Place): JsonObject {
  const properties = isJsonObject(schema.properties) ? schema.properties : {};
  const required = stringsOf(schema.required);
  // A model fills in what it must; where nothing must be, all of it is more telling than nothing.
  const names = required.length > 0 || place.depth > DEEP ? required : Object.keys(properties);
  const entries = names.map((name): [string, unknown] => {
    const property = Object.hasOwn(properties, name) ? properties[name] : schema.additionalProperties;
    return [name, make(isJsonObject(property) ? property : {}, { ...deeper(place), name })];
  });
  return Object.fromEntries(entries);
}

function makeArray(schema: JsonObject, place: Place): readonly unknown[] {
  const fixed = Array.isArray(schema.prefixItems) ? schema.prefixItems : [];
  const least = typeof schema.minItems === "number" ? schema.minItems : 0;
  const most = typeof schema.maxItems === "number" ? schema.maxItems : Number.POSITIVE_INFINITY;
  // One item, unless that would go ever deeper.
  const wanted = Math.max(least, fixed.length, place.depth > DEEP ? 0 : 1);
  const length = Math.min(wanted, most, 100);
  return Array.from({ length }, (_, index) => make(fixed[index] ?? schema.items ?? {}, { ...deeper(place), index }));
}

/** The first option that is not null, and not an object once it gets deep. */
function chooseOption(options: readonly unknown[], place: Place): unknown {
  const schemas = options.filter(isJsonObject).map((option) => ({ option, type: typeOf(resolve(option, place)) }));
  const simple = schemas.find(({ type }) => type !== "object" && type !== "array");
  const solid = schemas.find(({ type }) => type !== "null");
  return ((place.depth > DEEP ? simple : undefined) ?? solid ?? schemas[0])?.option ?? {};
}

function resolve(schema: JsonObject, place: Place, hops = 0): JsonObject {
  const stop = --place.budget.left < 0 || hops >= 20;
  if (typeof schema.$ref === "string" && !stop) {
    const { $ref: reference, ...beside } = schema;
    const target = lookUp(reference, place.root);
    return resolve({ ...target, ...beside }, place, hops + 1);
  }
  if (!Array.isArray(schema.allOf)) return schema;
  const { allOf, ...merged } = schema;
  if (stop) return merged;
  return allOf.filter(isJsonObject).reduce<JsonObject>((sum, part) => {
    const next = resolve(part, place, hops + 1);
    const properties = { ...asObject(sum.properties), ...asObject(next.properties) };
    const required = [...stringsOf(sum.required), ...stringsOf(next.required)];
    return {
      ...sum,
      ...next,
      ...(Object.keys(properties).length > 0 && { properties }),
      ...(required.length > 0 && { required: [...new Set(required)] }),
    };
  }, merged);
}

function lookUp(reference: string, root: JsonObject): JsonObject {
  if (!reference.startsWith("#")) return {};
  let found: unknown = root;
  for (const step of reference
    .slice(1)
    .split("/")
    .filter((part) => part !== "")) {
    const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
    found = isJsonObject(found) && Object.hasOwn(found, key) ? found[key] : undefined;
  }
  return asObject(found);
}

function typeOf(schema: JsonObject): string {
  const { type } = schema;
  if (typeof type === "string") return type;
  if (Array.isArray(type)) return String(type.find((name) => name !== "null") ?? "null");
  if ("properties" in schema || "required" in schema) return "object";
  if ("items" in schema || "prefixItems" in schema) return "array";
  return "minimum" in schema || "maximum" in schema ? "number" : "string";
}

const OPERATIONS: Readonly<Record<string, RegExp>> = {
  "+": /^(?:\+|add|sum|plus)/i,
  "-": /^(?:-|sub|minus)/i,
  "*": /^(?:\*|x$|mul|times|product)/i,
  "/": /^(?:\/|div)/i,
};

/** The one that the prompt names, or whose sign stands between its numbers; else the first. */
function chooseFrom(values: readonly unknown[], text: string): unknown {
  const spoken = text.toLowerCase();
  const named = values.find(
    (value) => typeof value === "string" && value.length > 1 && spoken.includes(value.toLowerCase()),
  );
  const operator = /\d\s*([-+*/])\s*\d/.exec(text)?.[1] ?? "";
  const operation = values.find((value) => OPERATIONS[operator]?.test(String(value)) === true);
  return named ?? operation ?? values.find((value) => value !== null) ?? null;
}

function deeper(place: Place): Place {
  return { ...place, depth: place.depth + 1 };
}

function asObject(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

function stringsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
