// Rules and faults as JSON says them, checked at the boundary. A regular expression is `{"regexp":"…","flags":"i"}`.
import type { Fault, Rule } from "./contract.ts";
import { isJsonObject } from "./request.ts";

/** What is wrong with a piece of JSON, in words for its author. */
export interface Rejected {
  readonly problem: string;
}

type Read<T> = { readonly value: T } | Rejected;

/** Reads a list of rules. */
export function readRules(json: unknown): Read<readonly Rule[]> {
  if (!Array.isArray(json)) return { problem: "rules must be an array" };
  const rules: Rule[] = [];
  for (const [index, entry] of json.entries()) {
    const read = readRule(entry);
    if ("problem" in read) return { problem: `rule ${index}: ${read.problem}` };
    rules.push(read.value);
  }
  return { value: rules };
}

const NUMBERS = ["tokens", "delayMs", "firstTokenDelayMs"] as const;

function readRule(json: unknown): Read<Rule> {
  if (!isJsonObject(json)) return { problem: "it is no object" };
  const when = readWhen(json.when);
  if ("problem" in when) return when;
  const fault = json.fault === undefined ? { value: undefined } : readFault(json.fault);
  if ("problem" in fault) return fault;
  for (const field of NUMBERS) {
    const value = json[field];
    if (value === undefined) continue;
    if (typeof value !== "number" || value < 0 || value > 1e6) {
      return { problem: `${field} must be a number from 0 to 1000000` };
    }
  }
  if (json.tokens !== undefined && !Number.isInteger(json.tokens)) {
    return { problem: "tokens must be a whole number" };
  }
  if (json.times !== undefined && !(isWhole(json.times) && json.times > 0)) {
    return { problem: "times must be a whole number from 1 on" };
  }
  for (const field of ["name", "stopReason"] as const) {
    if (json[field] !== undefined && typeof json[field] !== "string") {
      return { problem: `${field} must be a text` };
    }
  }
  if (json.usage !== undefined && !(isJsonObject(json.usage) && Object.values(json.usage).every(isWhole))) {
    return { problem: "usage must be an object of whole numbers" };
  }
  const blocks = json.answer === undefined ? null : answerProblem(json.answer);
  if (blocks !== null) return { problem: blocks };
  const rule: Record<string, unknown> = { ...json };
  if (when.value === undefined) delete rule.when;
  else rule.when = when.value;
  // Every field that a rule reads was checked above.
  return { value: rule };
}

function readWhen(json: unknown): Read<string | RegExp | undefined> {
  if (json === undefined || typeof json === "string") return { value: json };
  if (!isJsonObject(json) || typeof json.regexp !== "string") {
    return { problem: 'when must be a text or {"regexp":"…","flags":"i"}' };
  }
  try {
    return { value: new RegExp(json.regexp, typeof json.flags === "string" ? json.flags : "") };
  } catch (error) {
    return { problem: `when: ${error instanceof Error ? error.message : "no regular expression"}` };
  }
}

function answerProblem(json: unknown): string | null {
  if (!Array.isArray(json)) return "answer must be an array of content blocks";
  const wrong = json.findIndex((block) => !isAnswerBlock(block));
  return wrong < 0
    ? null
    : `answer block ${wrong} must be {"type":"text","text"}, {"type":"thinking","thinking"} or {"type":"tool_use","name","input"}`;
}

function isAnswerBlock(block: unknown): boolean {
  if (!isJsonObject(block)) return false;
  if (block.type === "text") return typeof block.text === "string";
  if (block.type === "thinking") return typeof block.thinking === "string";
  return block.type === "tool_use" && typeof block.name === "string" && isJsonObject(block.input);
}

/** Reads a fault. */
export function readFault(json: unknown): Read<Fault> {
  if (!isJsonObject(json)) return { problem: "a fault is an object with a kind" };
  const { kind, status, afterDeltas, headers } = json;
  if (kind === "status") {
    if (!Number.isInteger(status) || Number(status) < 400 || Number(status) > 599) {
      return { problem: "status must be a number from 400 to 599" };
    }
    const fields = ["type", "message", "body"].find(
      (field) => json[field] !== undefined && typeof json[field] !== "string",
    );
    if (fields !== undefined) return { problem: `${fields} must be a text` };
    if (headers !== undefined && !isHeaders(headers)) {
      return { problem: "headers must be an object of texts" };
    }
    return { value: json as unknown as Fault }; // checked field by field above
  }
  if (kind !== "mid-stream-error" && kind !== "stall" && kind !== "drop") {
    return { problem: "kind must be status, mid-stream-error, stall or drop" };
  }
  const after = afterDeltas ?? 0;
  if (!Number.isInteger(after) || Number(after) < 0) {
    return { problem: "afterDeltas must be a whole number, 0 or more" };
  }
  return { value: { ...json, kind, afterDeltas: Number(after) } as Fault }; // as above
}

function isWhole(json: unknown): json is number {
  return Number.isSafeInteger(json) && Number(json) >= 0;
}

function isHeaders(json: unknown): boolean {
  return (
    isJsonObject(json) &&
    Object.entries(json).every(
      ([name, value]) => /^[\w-]+$/.test(name) && typeof value === "string" && /^[\t\x20-\x7e]*$/.test(value),
    )
  );
}
