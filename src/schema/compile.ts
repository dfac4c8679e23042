// JSON schemas as clients send them: held against limits, compiled, and values held against them. Pure but for its clock.
// A schema may be written to do harm (patterns and references without end): whatever is computed for one has a time limit.
import { createContext, Script } from "node:vm";
import { type AnySchemaObject, type ErrorObject, Ajv } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import { CcapiError } from "../auth/errors.ts";

/** A JSON schema. */
export type Schema = { readonly [key: string]: unknown };

/** A schema that is ready. */
export interface CompiledSchema {
  /** What is wrong with a value, in words for whoever made it; `undefined`: nothing. */
  problemOf(value: unknown): string | undefined;
}

/** Objects and lists in one another. A property of an object costs two. */
const maxDepth = 100;
/** Values in the schema, of any kind. */
const maxParts = 20_000;
/** For compiling a schema, and for one check of a value. */
const timeoutMs = 250;
const maxProblems = 5;

const options = { strict: false, allErrors: true, ownProperties: true, validateFormats: false } as const;
/** The newest draft, and the one before its `items` changed; the first that takes a schema judges by it. */
const drafts = [
  { draft: new Ajv2020(options), create: () => new Ajv2020({ ...options, ...bare }) },
  { draft: new Ajv(options), create: () => new Ajv({ ...options, ...bare }) },
] as const;
// The dialects themselves are compiled once, here, and not within the first client's time.
for (const { draft } of drafts) void draft.validateSchema({});
/** A compiler for one schema alone: names that a schema gives to its parts stay its own. */
const bare = { meta: false, validateSchema: false, code: { regExp: toRegExp() } } as const;

type Errors = readonly ErrorObject[] | null | undefined;

const tooLarge = "the schema is too deep or too large";
const tooSlow = "the schema takes too long to compile";

/** A compiler's first work takes long, and must not count as the schema's: cut off there, it would stay broken. */
const warmUp = once(() => {
  for (const { draft, create } of drafts) {
    void draft.validateSchema({});
    create().compile({ type: "object", properties: { a: { type: "string" } }, required: ["a"] });
  }
});

const known = new WeakMap<Schema, CompiledSchema>();

/**
 * Makes sure that a schema is one, without compiling it: for schemas that only the model is to follow.
 *
 * @param param names the schema's place in the request.
 * @throws CcapiError `invalid_request` where it is no schema or beyond the limits; the message names the place within.
 */
export function assertSchema(schema: Schema, param: string): void {
  warmUp();
  const { $schema: _dialect, ...bareSchema } = schema;
  const problem = isWithinLimits(schema)
    ? timed(() =>
        drafts.some(({ draft }) => draft.validateSchema(bareSchema) === true) ? "" : invalidAt(drafts[0].draft.errors),
      )
    : tooLarge;
  if (problem !== "") throw refused(param, problem === "timeout" ? tooSlow : problem);
}

/**
 * Compiles a schema, once for each object. References within it are followed; none leads outside.
 *
 * Throws as {@link assertSchema}.
 */
export function compileSchema(schema: Schema, param: string): CompiledSchema {
  const before = known.get(schema);
  if (before !== undefined) return before;
  if (!isWithinLimits(schema)) throw refused(param, tooLarge);
  // Which draft it is shows in what it is made of: its `$schema` may be missing, or unknown here.
  const { $schema: _dialect, ...bareSchema } = schema;
  warmUp();
  const compiled = timed(() => compile(bareSchema));
  if (compiled === "timeout") throw refused(param, tooSlow);
  if ("problem" in compiled) throw refused(param, compiled.problem);
  known.set(schema, compiled);
  return compiled;
}

function compile(schema: AnySchemaObject): CompiledSchema | { readonly problem: string } {
  let problem: string | undefined;
  for (const { draft, create } of drafts) {
    if (draft.validateSchema(schema) !== true) {
      problem ??= invalidAt(draft.errors);
      continue;
    }
    try {
      const validate = create().compile(schema);
      return {
        problemOf(value) {
          const isValid = timed(() => validate(value));
          if (isValid === "timeout") return "it takes too long to check";
          return isValid ? undefined : describe(validate.errors);
        },
      };
    } catch (error) {
      problem = `is no valid schema: ${clip(error instanceof Error ? error.message : "")}`;
    }
  }
  return { problem: problem ?? "is no valid schema" };
}

function once(run: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) run();
    isDone = true;
  };
}

function refused(param: string, problem: string): CcapiError {
  return new CcapiError("invalid_request", `${param}: ${problem}.`, { param });
}

function invalidAt(errors: Errors): string {
  return `is no valid schema at ${describe(errors)}`;
}

function isWithinLimits(schema: Schema): boolean {
  const open: { readonly value: unknown; readonly depth: number }[] = [{ value: schema, depth: 1 }];
  for (let parts = 1; ; parts += 1) {
    const next = open.pop();
    if (next === undefined) return true;
    if (parts > maxParts || next.depth > maxDepth) return false;
    if (typeof next.value !== "object" || next.value === null) continue;
    for (const value of Object.values(next.value)) open.push({ value, depth: next.depth + 1 });
  }
}

const clock = createContext({ run: () => undefined });
const script = new Script("run()");
const timeoutCode = "ERR_SCRIPT_EXECUTION_TIMEOUT";

/** Ends a computation that takes too long, or that calls itself without end, also in the middle of a regular expression. */
function timed<T>(run: () => T): T | "timeout" {
  let result: T | "timeout" = "timeout";
  clock["run"] = () => {
    result = run();
  };
  try {
    script.runInContext(clock, { timeout: timeoutMs });
  } catch (error) {
    // The time-out's error comes from another realm.
    const isTimeout = typeof error === "object" && error !== null && "code" in error && error.code === timeoutCode;
    if (!isTimeout && !(error instanceof RangeError)) throw error;
  } finally {
    clock["run"] = () => undefined;
  }
  return result;
}

/** Patterns are ECMAScript's; many that are written for other engines work only without its strictest mode. */
function toRegExp() {
  const create = (pattern: string) => {
    try {
      return new RegExp(pattern, "u");
    } catch {
      return new RegExp(pattern);
    }
  };
  return Object.assign(create, { code: "" }); // Asked for where code is written to a file, which we don't.
}

function describe(errors: Errors): string {
  const all = (errors ?? []).map(({ instancePath, message }) => `${instancePath || "/"} ${message ?? "is wrong"}`);
  return clip([...new Set(all)].slice(0, maxProblems).join("; "));
}

function clip(text: string): string {
  return text.length > 500 ? `${text.slice(0, 500)}…` : text;
}
