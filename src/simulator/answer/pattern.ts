// A text that fits a regular expression of the simple kind that schemas hold. Pure; null where it can't be found.

const LONGEST = 10_000;

/** Makes a text for `pattern`: literals, classes, groups, alternatives and quantifiers; checked before it is handed out. */
export function textForPattern(pattern: string): string | null {
  let expression: RegExp;
  try {
    expression = new RegExp(pattern, "u");
  } catch {
    return null; // no expression, so nothing fits it
  }
  const made = readAlternatives({ pattern, at: 0 });
  return (
    [made, "abc", "Abc-123", "123", "2026-01-01", "user@example.com"].find(
      (text) => text.length <= LONGEST && expression.test(text),
    ) ?? null
  );
}

interface Cursor {
  readonly pattern: string;
  at: number;
}

/** Takes the first alternative, and reads over the others. */
function readAlternatives(cursor: Cursor): string {
  let first: string | null = null;
  let text = "";
  while (cursor.at < cursor.pattern.length) {
    const char = cursor.pattern[cursor.at];
    if (char === ")") break;
    if (char === "|") {
      first ??= text;
      text = "";
      cursor.at += 1;
      continue;
    }
    const unit = readUnit(cursor);
    const times = readLeast(cursor);
    // What gets longer than any field is given up; the check at the end finds out.
    text += unit.length * times > LONGEST ? unit : unit.repeat(times);
  }
  return first ?? text;
}

function readUnit(cursor: Cursor): string {
  const char = cursor.pattern[cursor.at++] ?? "";
  if (char === "^" || char === "$") return "";
  if (char === ".") return "a";
  if (char === "\\") return readEscape(cursor);
  if (char === "[") return readClass(cursor);
  if (char !== "(") return char;
  const special = /^\?(?::|<?[=!]|<\w+>)/.exec(cursor.pattern.slice(cursor.at))?.[0] ?? "";
  cursor.at += special.length;
  const inner = readAlternatives(cursor);
  cursor.at += 1;
  return special.endsWith("=") || special.endsWith("!") ? "" : inner;
}

function readEscape(cursor: Cursor): string {
  const char = cursor.pattern[cursor.at++] ?? "";
  const known: Readonly<Record<string, string>> = { d: "1", w: "a", s: " ", b: "", B: "", D: "a", W: "-", S: "a" };
  if (char !== "p" && char !== "P") return known[char] ?? char;
  const name = /^\{[^}]*\}/.exec(cursor.pattern.slice(cursor.at))?.[0] ?? "";
  cursor.at += name.length;
  return name.startsWith("{Lu") ? "A" : name.startsWith("{N") ? "1" : "a";
}

function readClass(cursor: Cursor): string {
  // An escaped bracket does not end it.
  const inner = /^(?:[^\]\\]|\\.)*/su.exec(cursor.pattern.slice(cursor.at))?.[0] ?? "";
  cursor.at += inner.length + 1;
  if (inner.startsWith("^")) {
    const wrong = new RegExp(`[${inner}]`, "u");
    return ["a", "1", "-", " "].find((char) => wrong.test(char)) ?? "a";
  }
  return inner.startsWith("\\") ? readEscape({ pattern: inner, at: 1 }) : (inner[0] ?? "");
}

/** The least number of times, but once for `*` and `?` is never needed: none is fine. */
function readLeast(cursor: Cursor): number {
  const rest = cursor.pattern.slice(cursor.at);
  const match = /^(?:([*+?])|\{(\d+)(?:,\d*)?\})\??/.exec(rest);
  if (match === null) return 1;
  cursor.at += match[0].length;
  if (match[1] === "+") return 1;
  return match[1] === undefined ? Math.min(1000, Number(match[2])) : 0;
}
