// What an unknown error holds that may be evidence: texts, an HTTP status, error types, gathered from wherever libraries put them.
// Never throws: getters that do, cycles, proxies and endless chains all end somewhere.

/** What was found. */
export interface Evidence {
  /** Texts in which escapes are undone and blanks are single; the outermost error's first. */
  readonly text: string;
  readonly status: number | null;
  /** `type` and `code` fields, such as `authentication_error`. */
  readonly types: readonly string[];
}

/** So much of a text's beginning and end is looked at. Errors say what they are at either. */
const maxTextLength = 8_000;
const maxDepth = 8;
const maxNodes = 200;

/** Fields in which libraries put what they know of an error. */
const textFields = [
  "message",
  "error_description",
  "detail",
  "title",
  "body",
  "response",
  "data",
  "responseBody",
  "stderr",
  "result",
  "text",
];
const statusFields = [
  "status",
  "statusCode",
  "status_code",
  "httpStatus",
  "api_error_status",
  "error_status",
  "$metadata",
  "httpStatusCode",
];
const nestedFields = [
  "cause",
  "error",
  "errors",
  "response",
  "body",
  "data",
  "innerError",
  "details",
  "originalError",
  "lastError",
  "reason",
  "$metadata",
  "metadata",
  "raw",
];
const typeFields = ["type", "code", "name", "error", "__type"];

/** Gathers evidence from anything. */
export function gather(root: unknown): Evidence {
  const texts: string[] = [];
  const types: string[] = [];
  let status: number | null = null;
  let left = maxNodes;
  const seen = new Set<object>();

  function visit(node: unknown, depth: number): void {
    if (depth > maxDepth || left-- <= 0) return;
    if (typeof node === "string") {
      texts.push(clip(node));
      return;
    }
    if (typeof node !== "object" || node === null || seen.has(node)) return;
    seen.add(node);
    if (Array.isArray(node)) {
      for (const item of node.slice(0, 20)) visit(item, depth + 1);
      return;
    }
    for (const field of statusFields) {
      const value = read(node, field);
      if (status === null && isStatus(value)) status = Number(value);
    }
    for (const field of typeFields) {
      const value = read(node, field);
      if (typeof value === "string" && value.length <= 80) types.push(value);
    }
    for (const field of textFields) {
      const value = read(node, field);
      if (typeof value === "string") texts.push(clip(value));
    }
    for (const field of nestedFields) {
      const value = read(node, field);
      if (typeof value === "object" && value !== null) visit(value, depth + 1);
    }
  }

  visit(root, 0);
  const text = normalise(texts.join("\n"));
  return { text, status: status ?? statusInText(text), types: [...types, ...typesInText(text)] };
}

/** A text with escapes undone and blanks made single, so that patterns need not know how often it was quoted. */
export function normalise(text: string): string {
  return clip(text)
    .replaceAll(/\\+(["'])/g, "$1")
    .replaceAll(/\\+[nrt]/g, " ")
    .replaceAll(/\s+/g, " ")
    .trim();
}

/** "API Error: 401", "status code 403", "HTTP 401", "Error code: 401", or a text that begins with the number. */
export function statusInText(text: string): number | null {
  const match =
    /(?:API Error:?|status(?:[_ ]code)?["':=]*|HTTP(?:\/[\d.]+)?|Error code:?|error_status"?:?|returned|Error:?|failed:?)[ ("]{0,3}([45]\d\d)\b|^\W{0,2}([45]\d\d)\b/i.exec(
      text,
    );
  return match === null ? null : Number(match[1] ?? match[2]);
}

/** `"type":"authentication_error"`, at whatever depth. */
export function typesInText(text: string): string[] {
  return [...text.matchAll(/["'](?:type|code|error)["']: ?["']([a-z_]{3,60})["']/g)].map((match) => match[1] ?? "");
}

function isStatus(value: unknown): boolean {
  const number = typeof value === "string" && /^\d{3}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && number >= 400 && number <= 599;
}

function clip(text: string): string {
  if (text.length <= maxTextLength) return text;
  return `${text.slice(0, maxTextLength / 2)} … ${text.slice(-maxTextLength / 2)}`;
}

function read(node: object, field: string): unknown {
  try {
    return (node as Record<string, unknown>)[field]; // Any object may be asked for any field.
  } catch {
    return undefined; // A getter or a proxy that throws.
  }
}
