// One text or number for a field of a given name, out of what the prompt holds and within the schema's bounds. Pure.
import type { JsonObject } from "../request.ts";
import { type Clues, wordsOf } from "./clues.ts";
import { textForPattern } from "./pattern.ts";

const FORMATS: Readonly<Record<string, string>> = {
  date: "2026-01-15",
  "date-time": "2026-01-15T12:00:00Z",
  time: "12:00:00Z",
  duration: "PT1H",
  email: "user@example.com",
  hostname: "example.com",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
  uri: "https://example.com/",
  url: "https://example.com/",
  uuid: "123e4567-e89b-42d3-a456-426614174000",
};

type Source = (clues: Clues, index: number) => string | undefined;

/** By the last fitting word of a field's name: where its value comes from. */
const SOURCES: readonly (readonly [words: readonly string[], source: Source])[] = [
  [
    ["city", "location", "place", "town", "destination", "capital"],
    (clues, index) => clues.cities[index] ?? clues.cities[0] ?? "Paris",
  ],
  [["country", "nation"], (clues) => clues.countries[0] ?? "France"],
  [["expression", "formula", "equation", "calculation"], (clues) => clues.expression ?? "2 + 2"],
  [["unit", "units"], (clues) => (/fahrenheit/i.test(clues.text) ? "fahrenheit" : "celsius")],
  [["email"], (clues) => clues.emails[0] ?? FORMATS.email],
  [["url", "uri", "link", "website"], (clues) => clues.urls[0] ?? FORMATS.uri],
  [["date", "day"], (clues) => clues.dates[0] ?? FORMATS.date],
  [["path", "file", "filename", "filepath"], (clues) => clues.paths[0] ?? "/tmp/example.txt"],
  [["command", "cmd", "script"], (clues) => clues.quoted[0] ?? clues.command ?? "echo simulated"],
  [
    ["query", "question", "prompt", "text", "message", "input", "content", "request", "instruction"],
    (clues) => clues.quoted[0] ?? clues.text.slice(0, 500),
  ],
  [["language", "lang", "locale"], () => "en"],
  [["currency"], () => "EUR"],
  [["timezone", "zone"], () => "UTC"],
  [["name", "person", "user", "author"], (clues, index) => clues.names[index] ?? clues.names[0] ?? "Alice"],
  [["color", "colour"], () => "blue"],
  [
    [
      "answer",
      "reply",
      "response",
      "result",
      "summary",
      "title",
      "description",
      "reason",
      "explanation",
      "reasoning",
      "thought",
    ],
    (clues) => clues.text.slice(0, 80),
  ],
];

/** A text for the field. */
export function textFor(name: string, schema: JsonObject, clues: Clues, index: number): string {
  const { pattern, format } = schema;
  const byName = fromName(name, clues, index);
  if (typeof pattern === "string") {
    const candidates = [byName, ...clues.quoted, ...clues.dates, ...clues.emails, ...clues.names];
    const fitting = candidates.find((text) => fits(pattern, text));
    const found = fitting ?? textForPattern(pattern);
    if (found !== null) return found;
  }
  if (typeof format === "string" && Object.hasOwn(FORMATS, format)) {
    const seen = { date: clues.dates[0], email: clues.emails[0], uri: clues.urls[0] };
    return (Object.hasOwn(seen, format) ? seen[format as keyof typeof seen] : undefined) ?? FORMATS[format] ?? "";
  }
  return withinLength(byName || name || "text", schema, index);
}

function fromName(name: string, clues: Clues, index: number): string {
  const words = wordsOf(name);
  for (const word of words.toReversed()) {
    const source = SOURCES.find(([fields]) => fields.includes(word))?.[1];
    const found = source?.(clues, index);
    if (found !== undefined && found !== "") return found;
  }
  return clues.quoted[index] ?? clues.names[index] ?? (name === "" ? "text" : words.join(" "));
}

function fits(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern, "u").test(text);
  } catch {
    return false; // no expression: nothing fits
  }
}

function withinLength(text: string, schema: JsonObject, index: number): string {
  const least = typeof schema.minLength === "number" ? Math.min(schema.minLength, 10_000) : 0;
  const most = typeof schema.maxLength === "number" ? schema.maxLength : Number.POSITIVE_INFINITY;
  const distinct = index > 0 && text.length + 2 <= most ? `${text} ${index + 1}` : text;
  return distinct.padEnd(least, " and more").slice(0, Math.max(0, most));
}

/** A number for the field, within its bounds. */
export function numberFor(name: string, schema: JsonObject, clues: Clues, index: number): number {
  const whole = schema.type === "integer" || (Array.isArray(schema.type) && schema.type.includes("integer"));
  const usable = whole ? clues.numbers.filter(Number.isSafeInteger) : clues.numbers;
  const position = /(?:^|_)(?:b|y|right|second|to|end|divisor)$/i.test(name) ? 1 : 0;
  const wanted = usable[position + index] ?? usable[index] ?? (whole ? 1 : 1.5);
  const step = typeof schema.multipleOf === "number" && schema.multipleOf > 0 ? schema.multipleOf : null;
  const nudge = whole ? 1 : 0.001;
  const least = Math.max(
    bound(schema.minimum, Number.NEGATIVE_INFINITY),
    bound(schema.exclusiveMinimum, Number.NEGATIVE_INFINITY) + nudge,
  );
  const most = Math.min(
    bound(schema.maximum, Number.POSITIVE_INFINITY),
    bound(schema.exclusiveMaximum, Number.POSITIVE_INFINITY) - nudge,
  );
  const within = Math.max(least, Math.min(most, wanted));
  if (step === null) return whole ? Math.ceil(within) : within;
  const rounded = Math.ceil(within / step) * step;
  return rounded > most ? Math.floor(most / step) * step : rounded;
}

function bound(value: unknown, fallback: number): number {
  return typeof value === "number" ? value : fallback;
}
