// `Say exactly: X`, `Reply with X`, `say only the word papaya`: the words that a prompt dictates. Pure.

/** Longer texts are documents; only their beginning is looked at. */
const LOOKED_AT = 4000;

const ORDER =
  /(?:^|[.!?:;,\n]\s*|\b(?:and|then|please|must|to|just|only|always|can you|could you)\s+)(say|reply|respond|answer|output|print|repeat|echo|write|return)\b\s*([^\n]{0,1000})/gi;

const MARKERS =
  /^((?:\s*(?:with|only|just|exactly|precisely|back|after me|this|verbatim|the|following|single|one|exact|word|words|phrase|text|sentence|string|message|number(?=\s+\d)|nothing but)\b)*)\s*(:?)\s*(.*)$/i;

/** What asks for an answer of some kind rather than for these very words. */
const DESCRIPTIVE =
  /^(?:(?:a|an|your|some|one|two|three|at|in|as|no|json|the following|something|anything|what|whatever|more|less|how|why|which|if|me|it|this|that|to|about|briefly|shortly|valid)\b|(?:number|name|answer|result|value|word|city|code|sum|title|capital|digit|colou?r|text)[.!?]?$)/i;

const QUOTED = /^["“'‘`]([^"”'’`\n]+)["”'’`]/;

/** The words that the text asks for; null: it asks for none. */
export function dictated(text: string): string | null {
  for (const [, verb = "", rest = ""] of text.slice(0, LOOKED_AT).matchAll(ORDER)) {
    const words = wordsOf(verb.toLowerCase(), rest);
    if (words !== null) return words;
  }
  return null;
}

function wordsOf(verb: string, order: string): string | null {
  const [, markers = "", colon = "", rest = ""] = MARKERS.exec(order) ?? [];
  const quoted = QUOTED.exec(rest)?.[1]?.trim();
  if (quoted !== undefined && quoted !== "") return quoted;
  // "Reply with one word: pong", unless that colon belongs to a sentence after this one.
  const listed = colon === "" ? /^[^"“'‘`:.!?\n]{0,40}:\s+(.+)$/.exec(rest)?.[1] : rest;
  const wanted = bare(listed ?? rest);
  if (wanted === "") return null;
  if (listed !== undefined) return wanted.endsWith("?") ? null : (QUOTED.exec(wanted)?.[1] ?? wanted);
  if (DESCRIPTIVE.test(wanted)) return null;
  if (/\b(?:exactly|only|just|words?|phrase|precisely|verbatim|with|nothing but)\b/i.test(markers)) {
    return wanted;
  }
  // `Say hello to Bob` names its words; of the other verbs only `Reply OK` does, `Answer the question` does not.
  if (verb === "say" || verb === "echo" || verb === "repeat") {
    return wanted.split(/\s+/).length > 12 ? null : wanted;
  }
  return verb !== "write" && /^\p{Lu}[\p{Lu}\d_-]*$/u.test(wanted) ? wanted : null;
}

/** The first sentence without its full stop and without "and nothing else". */
function bare(text: string): string {
  const sentence = /^.*?[.!?](?=\s|$)/.exec(text)?.[0] ?? text;
  const end = sentence.search(
    /[,;]?\s+(?:and\s+|with\s+)?(?:nothing else|nothing more|no other (?:text|words)|without |only[.!]?$|please[.!]?$)/i,
  );
  return (end < 0 ? sentence : sentence.slice(0, end)).replace(/\.$/, "").trim();
}
