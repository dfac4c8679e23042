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

/** So much of a text's beginning and end is looked at, together. Errors say what they are at either. */
export const maxTextLength = 8_000;
const maxNodes = 200;
const maxItems = 20;

/** Fields in which libraries put what they know of an error: words, numbers, names, and further errors. */
const textFields = words(
  "message error error_description detail title body response data responseBody stderr result text raw reason statusText shortMessage",
);
const statusFields = words(
  "status statusCode status_code httpStatus httpStatusCode api_error_status error_status code",
);
const nestedFields = words(
  "cause error errors response $response body data innerError details originalError lastError reason $metadata metadata raw stderr",
);
const typeFields = words("type code name error __type reason");

/** Gathers evidence from anything. */
export function gather(root: unknown): Evidence {
  const texts: string[] = [];
  const types: string[] = [];
  let status: number | null = null;
  let nodesLeft = maxNodes;
  const seen = new Set<object>();

  function visit(node: unknown): void {
    if (nodesLeft <= 0) return;
    nodesLeft -= 1;
    if (typeof node === "string") {
      texts.push(clip(node));
      return;
    }
    if (typeof node !== "object" || node === null || seen.has(node)) return;
    seen.add(node);
    if (node instanceof Uint8Array) {
      texts.push(new TextDecoder().decode(node.subarray(0, maxTextLength)));
      return;
    }
    if (Array.isArray(node)) {
      for (let index = 0; index < maxItems; index += 1) visit(read(node, String(index)));
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
      if (typeof value === "object" && value !== null) visit(value);
    }
  }

  try {
    visit(root);
  } catch {
    // A proxy that refuses even to be asked what it is: what was found until then counts.
  }
  const text = normalise(join(texts));
  return { text, status: status ?? statusInText(text), types: [...types, ...typesInText(text)] };
}

/** A text with escapes undone and blanks made single, so that patterns need not know how often it was quoted. */
export function normalise(text: string): string {
  return clip(text)
    .replaceAll(/\\{1,64}(["'])/g, "$1")
    .replaceAll(/\\{1,64}[nrt]/g, " ")
    .replaceAll(/\s+/g, " ")
    .replaceAll("’", "'")
    .trim();
}

/** "API Error: 401", "status code 403", "HTTP 401", "Error code: 401", "401 Unauthorized", or a text that begins with the number. */
export function statusInText(text: string): number | null {
  const match =
    /(?:API Error:?|status(?:[_ ]code)?["':=]{0,3}|HTTP(?:\/[\d.]{1,4})?|Error code:?|"code"?:|error_status"?:?|returned|Error:?|failed:?)[ ("]{0,3}([45]\d\d)\b|^\W{0,3}([45]\d\d)\b(?! (?:tokens?|steps|files|lines|bytes|ms|messages|items|seconds)\b)|\b(40[13]) (?:Unauthori[sz]ed|Forbidden)\b/i.exec(
      text,
    );
  return match === null ? null : Number(match[1] ?? match[2] ?? match[3]);
}

/** `"type":"authentication_error"`, at whatever depth, and the Messages API's and the SDK's names as bare words. */
export function typesInText(text: string): string[] {
  const named = text.matchAll(/["'](?:type|code|error|error_type)["']: ?["'](\w{3,60})["']/g);
  const bare = text.matchAll(/\b(authentication_(?:error|failed)|permission_error|cloud_credential_error)\b/g);
  return [...named, ...bare].map((match) => match[1] ?? "");
}

function isStatus(value: unknown): boolean {
  const number = typeof value === "string" && /^\d{3}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && number >= 400 && number <= 599;
}

function clip(text: string): string {
  if (text.length <= maxTextLength) return text;
  return `${text.slice(0, maxTextLength / 2)} … ${text.slice(-maxTextLength / 2)}`;
}

/** Texts as one, each once, the outermost whole: what an error says of itself is not crowded out by what it wraps. */
function join(texts: readonly string[]): string {
  const distinct = [...new Set(texts)];
  let joined = "";
  for (const text of distinct) {
    if (joined.length + text.length > maxTextLength && joined !== "") break;
    joined += `${text}\n`;
  }
  return joined;
}

function read(node: object, field: string): unknown {
  try {
    return (node as Record<string, unknown>)[field]; // Any object may be asked for any field.
  } catch {
    return undefined; // A getter or a proxy that throws.
  }
}

function words(list: string): readonly string[] {
  return list.split(" ");
}
