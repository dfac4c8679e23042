// What the person said earlier in the same conversation, so that a test can see that history arrived. Pure.
import { type ParsedRequest, textOf, withoutReminders } from "../request.ts";

interface Fact {
  /** Words of what it is about, such as `name` or `favourite colour`. */
  readonly about: string;
  readonly value: string;
}

const VALUE = String.raw`["'“‘*\x60]*([^\s"'”’*\x60.,;!?][^"”’*\x60.,;!?\n]{0,80}?)["'”’*\x60]*(?=[.,;!?\n]|\s+(?:and|but|please|so)\b|$)`;

const NOUNS = "word|number|code|token|secret|phrase|name|value|colou?r|animal|fruit|city|password|id";
/** What is remembered, up to the last of its nouns: the `code word`, not the `code`. */
const SUBJECT = String.raw`((?:\p{L}+ ){0,3}?(?:${NOUNS})(?!\s+(?:${NOUNS})\b))`;

const TELLING: readonly (readonly [pattern: RegExp, about: string | null])[] = [
  [new RegExp(String.raw`\bmy ((?:\p{L}+ ){0,3}\p{L}+) (?:is|was|=) ${VALUE}`, "giu"), null],
  [/\b(?:I am|I'm|I’m) (\p{Lu}\p{Ll}+)(?=[.,!\n]|$| and\b)/gu, "name"],
  [new RegExp(String.raw`\b(?:i am called|call me|i'm called) ${VALUE}`, "giu"), "name"],
  [
    new RegExp(
      String.raw`\b(?:remember|memori[sz]e|note|keep in mind|store)(?: that)?(?: the| this| my)? ${SUBJECT}(?:\s*[:=]|\s+is)?\s+${VALUE}`,
      "giu",
    ),
    null,
  ],
  [new RegExp(String.raw`\bthe ${SUBJECT} (?:is|=)\s*${VALUE}`, "giu"), null],
  [new RegExp(String.raw`\bremember(?: this| that)?\s*:\s*${VALUE}`, "giu"), "word"],
];

const ASKING =
  /\b(?:what(?:'s|’s| is| was| are| were)?|which|who|tell me|do you (?:still )?(?:remember|know|recall)|recall|repeat|say)\b/i;

/** The answer to a question about something told before; null where the text is no such question. */
export function recall(request: ParsedRequest): string | null {
  const question = request.lastUserText;
  if (question.length > 500 || !ASKING.test(question)) return null;
  const spoken = request.messages
    .filter((message) => message.role === "user")
    .map((message) => withoutReminders(textOf(message.content)));
  const before = spoken.slice(0, -1);
  if (
    /\b(?:my|the) (?:previous|last|first) (?:message|question|request)\b|\bdid i (?:just )?(?:say|ask)\b/i.test(
      question,
    )
  ) {
    const said = /\bfirst\b/i.test(question) ? before[0] : before.at(-1);
    if (said !== undefined && !/\bremember\b/i.test(question)) return `You said: "${said}"`;
  }
  const personal = /\b(?:my|am i|me|remember|recall|code|word|secret|number|told)\b/i.test(question);
  const facts = personal ? before.flatMap(factsOf) : [];
  if (facts.length === 0) {
    return personal && /\b(?:what|which)\b.*\bmy\b|\bremember\b/i.test(question) && before.length === 0
      ? unknownAnswer(question)
      : null;
  }
  const asked = question.toLowerCase();
  const exact = facts.findLast((fact) => asked.includes(fact.about));
  const partial = facts.findLast((fact) =>
    fact.about.split(" ").some((word) => word.length > 3 && asked.includes(word)),
  );
  const who = /\bwho am i\b/i.test(question) ? facts.findLast((fact) => fact.about === "name") : undefined;
  const latest = /\b(?:remember|recall|told|word|secret|code|number)\b/i.test(question) ? facts.at(-1) : undefined;
  const fact = exact ?? partial ?? who ?? latest;
  if (fact === undefined) return null;
  if (wantsOnly(question)) return fact.value;
  return fact.about === "name" ? `Your name is ${fact.value}.` : `The ${fact.about} is ${fact.value}.`;
}

/** "Reply with just the name": the thing itself is wanted, without a sentence around it. */
export function wantsOnly(text: string): boolean {
  return /\b(?:just|only|nothing but)\s+(?:with\s+)?(?:the|that|my|its?|a)\s+\p{L}+/iu.test(text);
}

/** What a message tells, for later. */
function factsOf(text: string): readonly Fact[] {
  if (text.length > 20_000) return [];
  const found: { readonly at: number; readonly fact: Fact }[] = [];
  for (const [pattern, about] of TELLING) {
    for (const match of text.matchAll(pattern)) {
      const [subject, value] = about === null ? [match[1], match[2]] : [about, match[1]];
      if (subject === undefined || value === undefined) continue;
      found.push({ at: match.index, fact: { about: subject.toLowerCase(), value: value.trim() } });
    }
  }
  return found.toSorted((a, b) => a.at - b.at).map(({ fact }) => fact);
}

function unknownAnswer(question: string): string | null {
  return /\bname\b/i.test(question) ? "I don't know your name: you have not told me yet." : null;
}
