// OpenAI's own schemas, and Open Responses', as assertions. What they are and where they come from: test/fixtures/openai/README.md.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { root } from "./tracked-files.ts";

type Definitions = Readonly<Record<string, { readonly properties?: Readonly<Record<string, unknown>> }>>;

// Not strict: keywords of the documents' own have no effect.
const ajv = new Ajv2020({ strict: false, allErrors: true });
const chat = load("chat");
const responses = load("responses");
const openResponses = load("open-responses");

/** What is wrong with a value; empty where nothing is. */
export type Faults = readonly string[];

interface Fixture {
  readonly definitions: Definitions;
  faults(schema: string, value: unknown): Faults;
}

function load(name: string): Fixture {
  const fixture = JSON.parse(readFileSync(join(root, `test/fixtures/openai/${name}.json`), "utf8")) as {
    readonly $defs: Definitions; // Written by scripts/cut-openapi.ts.
  };
  ajv.addSchema({ ...fixture, $id: name });
  const compiled = new Map<string, ValidateFunction>();
  return {
    definitions: fixture.$defs,
    faults(schema, value) {
      const validate = compiled.get(schema) ?? ajv.compile({ $ref: `${name}#/$defs/${schema}` });
      compiled.set(schema, validate);
      return validate(value) ? [] : deepest(validate);
    },
  };
}

/** Of a union's faults those that are furthest inside: they belong to the kind that was meant. At most eight. */
function deepest({ errors }: ValidateFunction): Faults {
  const all = errors ?? [];
  const depth = (path: string) => path.split("/").length;
  const furthest = Math.max(...all.map(({ instancePath }) => depth(instancePath)));
  return all
    .filter(({ instancePath, keyword }) => depth(instancePath) === furthest || keyword === "required")
    .map(({ instancePath, message, params }) => `${instancePath || "/"} ${message} ${JSON.stringify(params)}`)
    .slice(0, 8);
}

/** The names of the fields that a request of OpenAI's may have. */
export function requestFields(schema: "CreateChatCompletionRequest" | "CreateResponse"): string[] {
  const { definitions } = schema === "CreateResponse" ? responses : chat;
  const names = (each: unknown): string[] => {
    const { properties = {}, allOf = [], $ref } = each as { properties?: object; allOf?: unknown[]; $ref?: string }; // A JSON schema.
    const referred = $ref === undefined ? [] : names(definitions[$ref.replace("#/$defs/", "")]);
    return [...Object.keys(properties), ...allOf.flatMap(names), ...referred];
  };
  return [...new Set(names(definitions[schema]))];
}

const eventSchemas = { openai: byType(responses.definitions), openResponses: byType(openResponses.definitions) };

/** What is wrong with a value, by what it ought to be. */
export const faultsOf = {
  chatRequest: (value: unknown): Faults => chat.faults("CreateChatCompletionRequest", value),
  chatCompletion: (value: unknown): Faults => chat.faults("CreateChatCompletionResponse", value),
  chatChunk: (value: unknown): Faults => chat.faults("CreateChatCompletionStreamResponse", value),
  errorBody: (value: unknown): Faults => chat.faults("ErrorResponse", value),
  model: (value: unknown): Faults => chat.faults("Model", value),
  modelList: (value: unknown): Faults => chat.faults("ListModelsResponse", value),
  responseRequest: (value: unknown): Faults => responses.faults("CreateResponse", value),
  responseItemList: (value: unknown): Faults => responses.faults("ResponseItemList", value),
  /** Held against both documents. */
  response: (value: unknown): Faults => [
    ...responses.faults("Response", asOpenai(value)),
    ...openResponses.faults("ResponseResource", asOpenResponses(value)).map(inOpenResponses),
  ],
  /** An event of the Responses API's stream: of a type that OpenAI has, and true to each document that has the type. */
  responseEvent(value: unknown): Faults {
    const { type = "" } = (value ?? {}) as { readonly type?: string }; // Looked at, whatever it is.
    const openai = eventSchemas.openai.get(type);
    if (openai === undefined) return [`There is no event of the type ${JSON.stringify(type)}`];
    const other = eventSchemas.openResponses.get(type);
    return [
      ...responses.faults(openai, asOpenai(value)),
      ...(other === undefined ? [] : openResponses.faults(other, asOpenResponses(value)).map(inOpenResponses)),
    ];
  },
} as const;

/** Fails with every fault of a value. */
export function assertValid(what: keyof typeof faultsOf, value: unknown): void {
  const faults = faultsOf[what](value);
  if (faults.length > 0) throw new Error(describeFaults(what, value, faults));
}

/** Words for a person who has to mend it. */
export function describeFaults(what: string, value: unknown, faults: Faults): string {
  return `No valid ${what}:\n  ${faults.join("\n  ")}\n  ${JSON.stringify(value)?.slice(0, 2_000)}`;
}

/**
 * Where the documents contradict each other, the live API is followed: `usage` is null until it is known, and so is the description of
 * `text.format`; OpenAI's document has no null there.
 */
function asOpenai(value: unknown): unknown {
  return mapResponse(value, ({ usage, text, ...rest }) => {
    const { format, ...other } = text as { readonly format?: { readonly description?: unknown } }; // As ours has it; else the schema says so.
    const described = format?.description === null ? { ...format, description: "" } : format;
    return { ...rest, ...(usage === null ? {} : { usage }), text: { ...other, format: described } };
  });
}

/** The same: the schema of `text.format` is repeated, where Open Responses has null alone, and it knows fewer efforts. */
function asOpenResponses(value: unknown): unknown {
  return mapResponse(value, ({ text, reasoning, ...rest }) => {
    const { format, ...other } = text as { readonly format?: object }; // As ours has it; else the schema says so.
    const { effort } = (reasoning ?? {}) as { readonly effort?: unknown }; // The same.
    return {
      ...rest,
      text: { ...other, format: format !== undefined && "schema" in format ? { ...format, schema: null } : format },
      reasoning: effort === "minimal" || effort === "max" ? { ...(reasoning as object), effort: null } : reasoning, // An object: it has an effort.
    };
  });
}

/** Changes a response, or the one inside an event. */
function mapResponse(value: unknown, change: (response: Record<string, unknown>) => unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if ("response" in value) return { ...value, response: mapResponse(value.response, change) };
  return "object" in value && value.object === "response" && "text" in value ? change({ ...value }) : value;
}

function inOpenResponses(fault: string): string {
  return `Open Responses: ${fault}`;
}

/** The schemas of events by their `type`. */
function byType(definitions: Definitions): ReadonlyMap<string, string> {
  const entries = Object.entries(definitions).flatMap(([name, { properties }]): [string, string][] => {
    const type = (properties?.["type"] as { readonly enum?: readonly [string] } | undefined)?.enum?.[0]; // As both documents write it.
    return type !== undefined && name.endsWith("Event") ? [[type, name]] : [];
  });
  return new Map(entries);
}
