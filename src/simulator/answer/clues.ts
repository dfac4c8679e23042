// What a text holds that could fill in a field: places, numbers, dates, quoted words, paths. Pure.

const CITIES =
  "Amsterdam|Athens|Bangkok|Barcelona|Beijing|Berlin|Boston|Brussels|Cairo|Chicago|Copenhagen|Delhi|Dublin|Geneva|Hamburg|Helsinki|Istanbul|Lisbon|London|Los Angeles|Madrid|Melbourne|Mexico City|Miami|Milan|Moscow|Mumbai|Munich|New York|Oslo|Paris|Prague|Rome|San Francisco|Seattle|Seoul|Shanghai|Singapore|Stockholm|Sydney|Tokyo|Toronto|Vienna|Warsaw|Zurich";

const COUNTRIES: Readonly<Record<string, string>> = {
  France: "Paris",
  Germany: "Berlin",
  Italy: "Rome",
  Spain: "Madrid",
  Japan: "Tokyo",
  England: "London",
  Austria: "Vienna",
  Portugal: "Lisbon",
  Norway: "Oslo",
  Sweden: "Stockholm",
};

/** What was found in a text, in the order in which it stands there. */
export interface Clues {
  readonly text: string;
  readonly cities: readonly string[];
  readonly countries: readonly string[];
  readonly numbers: readonly number[];
  /** Between quotation marks or backticks. */
  readonly quoted: readonly string[];
  readonly dates: readonly string[];
  readonly urls: readonly string[];
  readonly emails: readonly string[];
  readonly paths: readonly string[];
  /** `17 * 3` and the like. */
  readonly expression: string | null;
  /** What stands between "run" and the end of its sentence. */
  readonly command: string | null;
  /** Capitalised words that can be somebody's name. */
  readonly names: readonly string[];
}

/** Longer texts are looked at up to here: fields are filled from what a person wrote, not from documents. */
const LOOKED_AT = 4000;

export function findClues(whole: string): Clues {
  const text = whole.slice(0, LOOKED_AT);
  const named = all(text, new RegExp(String.raw`\b(?:${CITIES})\b`, "gi")).map(titleCase);
  const placed = all(text, /\b(?:in|for|at|to|from|near)\s+(\p{Lu}\p{L}+(?:[ -]\p{Lu}\p{L}+)*)/gu, 1);
  const countries = Object.keys(COUNTRIES).filter((country) => text.includes(country));
  const cities = named.length > 0 ? named : placed.filter((place) => !countries.includes(place));
  return {
    text,
    cities: [...new Set(cities)],
    countries,
    numbers: all(text, /(?<![\w.])-?\d+(?:\.\d+)?(?![\w])/g).map(Number),
    quoted: all(text, /"([^"\n]+)"|`([^`\n]+)`|“([^”\n]+)”|(?<!\w)'([^'\n]+)'(?!\w)/g, 0).map((quote) =>
      quote.slice(1, -1),
    ),
    dates: all(text, /\b\d{4}-\d{2}-\d{2}\b/g),
    urls: all(text, /\bhttps?:\/\/[^\s<>"'`)]+/g),
    emails: all(text, /\b[\w.+-]+@[\w-]+\.[\w.-]*\w/g),
    paths: all(text, /(?<![\w/:.@])(?:\.{0,2}\/)?(?:[\w.-]+\/)*[\w-]+\.[A-Za-z]\w{0,5}\b|(?<![\w/:])\/[\w./-]+\w/g),
    expression: /-?\d+(?:\.\d+)?(?:\s*[-+*/x×÷^]\s*-?\d+(?:\.\d+)?)+/.exec(text)?.[0] ?? null,
    command:
      /\b(?:run|execute)\b(?: the)?(?: shell| bash)?(?: command)?:?\s+[`"']?([^`"'\n]{1,500}?)[`"']?(?:\s+(?:using|with|in|via)\b[^\n]{0,60})?[.]?(?:\n|$)/i.exec(
        text,
      )?.[1] ?? null,
    names: all(text, /(?<=[\p{Ll},:]\s)\p{Lu}\p{Ll}+|\p{Lu}\p{Ll}+(?= (?:is|was|lives|works|has)\b)/gu).filter(
      (word) => !/^(?:What|Who|Where|This|That|There|It|He|She|How)$/.test(word),
    ),
  };
}

/** The capital of a country that the text names; null: it names none of the few that are known. */
export function capitalOf({ countries }: Clues): string | null {
  return COUNTRIES[countries[0] ?? ""] ?? null;
}

/** The value of an expression of one operator, such as `2+2`; null where it is none. */
export function calculate(expression: string | null): number | null {
  const match = /^(-?\d+(?:\.\d+)?)\s*([-+*/x×÷])\s*(-?\d+(?:\.\d+)?)$/.exec(expression ?? "");
  if (match === null) return null;
  const [left, right] = [Number(match[1]), Number(match[3])];
  const operator = match[2];
  if (operator === "+") return left + right;
  if (operator === "-") return left - right;
  if (operator === "/" || operator === "÷") return right === 0 ? null : left / right;
  return left * right;
}

/** Lower-case words; `getWeatherNow` and `get_weather` give their parts. */
export function wordsOf(text: string): readonly string[] {
  return text
    .replaceAll(/([a-z\d])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "");
}

function all(text: string, pattern: RegExp, group = 0): string[] {
  return Array.from(text.matchAll(pattern), (match) => match[group] ?? "").filter((found) => found !== "");
}

function titleCase(text: string): string {
  return text.replaceAll(/\p{L}+/gu, (word) => word[0]?.toUpperCase() + word.slice(1).toLowerCase());
}
