// Answers in JSON where the prompt, rather than a field of the request, asks for it. Pure.
import { isJsonObject, type JsonObject, type ParsedRequest } from "../request.ts";
import { findClues } from "./clues.ts";
import { valueFor } from "./schema.ts";
import { questionOf } from "./tools.ts";

/** A JSON text; null where the prompt doesn't ask for one. */
export function jsonAnswer(request: ParsedRequest): string | null {
  const question = questionOf(request);
  // Claude Code's own long prompt speaks of JSON too.
  const prompt = request.system.length > 20_000 ? "" : request.system;
  if (!asksForJson(question) && !asksForJson(prompt)) return null;
  const clues = findClues(question);
  const found = [...objectsIn(question), ...objectsIn(prompt)];
  const schema = found.find((object) => isSchema(object) || isSchema(object.schema));
  if (schema !== undefined) {
    const inner = isSchema(schema) ? schema : schema.schema;
    return JSON.stringify(valueFor(isJsonObject(inner) ? inner : {}, clues));
  }
  const example = objectsIn(question)[0];
  if (example !== undefined) return JSON.stringify(example);
  const cities = clues.cities.length > 0 ? { city: clues.cities[0] } : {};
  return JSON.stringify({ ok: true, answer: question.slice(0, 200), ...cities });
}

function asksForJson(text: string): boolean {
  return (
    /\bjson\b/i.test(text) &&
    /\b(?:answer|reply|respond|return|output|give|produce|generate|as|valid|only|must|format)\b/i.test(text)
  );
}

function isSchema(value: unknown): boolean {
  return (
    isJsonObject(value) && (isJsonObject(value.properties) || (typeof value.type === "string" && "items" in value))
  );
}

/** JSON objects that stand in a text; a few at most. */
function objectsIn(text: string): readonly JsonObject[] {
  const found: JsonObject[] = [];
  let at = text.indexOf("{");
  for (let tries = 0; at >= 0 && tries < 20 && found.length < 4; tries += 1) {
    const end = closingBrace(text, at);
    const value = end < 0 ? null : parse(text.slice(at, end + 1));
    if (isJsonObject(value)) found.push(value);
    at = text.indexOf("{", value === null ? at + 1 : end + 1);
  }
  return found;
}

function closingBrace(text: string, from: number): number {
  let depth = 0;
  let quoted = false;
  for (let at = from; at < text.length; at += 1) {
    const char = text[at];
    if (quoted && char === "\\") at += 1;
    else if (char === '"') quoted = !quoted;
    else if (!quoted && char === "{") depth += 1;
    else if (!quoted && char === "}" && --depth === 0) return at;
  }
  return -1;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // braces that hold something else
  }
}
