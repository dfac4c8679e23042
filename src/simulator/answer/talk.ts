// Answers in words: says what it is told to say, counts, calculates, remembers, or gives the question back. Pure.
import type { ParsedRequest } from "../request.ts";
import { calculate, capitalOf, findClues } from "./clues.ts";
import { dictated } from "./dictation.ts";
import { recall, wantsOnly } from "./memory.ts";

const GREETING = "Hello there! How can I help you today?";

/** A person's `count to 5` as `1, 2, 3, 4, 5`; null: nothing is to be counted. */
function counted(text: string): string | null {
  const match =
    /\bcount\b[^.\d\n]{0,40}?(?:(?:from\s+)?(-?\d+)\s*(?:(?:up |down )?to|until|through|-)\s*(\d+)|(?:to|until)\s+(\d+))/i.exec(
      text,
    );
  if (match === null) return null;
  const from = match[1] === undefined ? 1 : Number(match[1]);
  const to = Number(match[2] ?? match[3]);
  const length = Math.min(10_000, Math.abs(to - from) + 1);
  const step = to < from ? -1 : 1;
  const lines = /\b(?:line|newline)/i.test(text);
  return Array.from({ length }, (_, index) => from + index * step).join(lines ? "\n" : ", ");
}

/** The answer in words. */
export function talk(request: ParsedRequest): string {
  const text = request.lastUserText;
  const always = systemOrder(request.system);
  if (always !== null) return always;
  const images = imagesIn(request);
  const answer =
    greeting(text) ?? dictated(text) ?? recall(request) ?? counted(text) ?? known(text) ?? echo(text, images);
  return images === "" || answer.includes(images) ? answer : `${answer} ${images}`;
}

/** A short system prompt may dictate every answer; Claude Code's long one is full of such words and means others. */
function systemOrder(system: string): string | null {
  if (system.length > 4000) return null;
  return /\b(?:always|only|every (?:answer|reply|message))\b/i.test(system)
    ? dictated(system.split(/(?<=[.!?])\s+/).find((line) => /\b(?:always|only|every)\b/i.test(line)) ?? "")
    : null;
}

function known(text: string): string | null {
  if (text.length > 300) return null;
  const clues = findClues(text);
  const value = calculate(clues.expression);
  if (value !== null) return wantsOnly(text) ? String(value) : `${clues.expression} = ${value}`;
  const capital = /\bcapital\b/i.test(text) ? capitalOf(clues) : null;
  if (capital !== null && wantsOnly(text)) return capital;
  if (capital !== null) return `The capital of ${clues.countries[0]} is ${capital}.`;
  return null;
}

/** `Say hello` asks for a greeting; `Say exactly: hello` for that word. */
function greeting(text: string): string | null {
  const asked = /^\W*(?:please |can you )?say (?:hello|hi)\W*$/i.test(text);
  const greeted = /^\W*(?:hi|hello|hey|good (?:morning|evening|day))\b[^?:]{0,40}$/i.test(text);
  return asked || greeted ? GREETING : null;
}

function echo(text: string, images: string): string {
  if (text === "") return images === "" ? "I am a simulated model and have nothing to answer." : images;
  const shown = text.length > 600 ? `${text.slice(0, 600)} …` : text;
  return `This is a simulated answer. You said: ${shown}`;
}

function imagesIn(request: ParsedRequest): string {
  const last = request.messages.findLast((message) => message.role === "user");
  const images = (last?.content ?? []).filter((block) => block.type === "image");
  if (images.length === 0) return "";
  const kinds = images.map(({ source }) => {
    const given = typeof source === "object" && source !== null ? source : {};
    if ("data" in given && "media_type" in given) {
      return `${String(given.media_type)}, ${Math.floor((String(given.data).length * 3) / 4)} bytes`;
    }
    return "from a URL";
  });
  return `I see ${images.length} image${images.length > 1 ? "s" : ""} (${kinds.join("; ")}).`;
}
