// Text cut into pieces of about a token, as a stream sends it. One piece counts as one token everywhere in the simulator.

const LONGEST = 6;

/** Pieces of up to six letters, each with the blanks before it; joined they are the text again. */
export function toPieces(text: string): string[] {
  const pieces: string[] = [];
  let start = 0;
  while (start < text.length) {
    let end = start;
    while (end < text.length && end - start < LONGEST && isBlank(text.charCodeAt(end))) end += 1;
    const word = end;
    while (end < text.length && end - word < LONGEST && !isBlank(text.charCodeAt(end))) end += 1;
    // Never between the halves of one character.
    if (isHighSurrogate(text.charCodeAt(end - 1)) && end < text.length) end += 1;
    pieces.push(text.slice(start, end));
    start = end;
  }
  return pieces;
}

/** A JSON text cut into a few pieces, as the input of a tool is streamed. */
export function toJsonPieces(json: string): string[] {
  const size = Math.max(4, Math.ceil(json.length / 40));
  const pieces: string[] = [];
  for (let start = 0; start < json.length;) {
    let end = Math.min(json.length, start + size);
    if (isHighSurrogate(json.charCodeAt(end - 1)) && end < json.length) end += 1;
    pieces.push(json.slice(start, end));
    start = end;
  }
  return pieces;
}

const FILLER = "Lorem ipsum dolor sit amet, and so on until the wanted length is reached."
  .split(" ")
  .map((word) => ` ${word}`);

/** Filler of exactly `count` pieces. */
export function fillerPieces(count: number): string[] {
  const pieces: string[] = Array.from({ length: count });
  for (let index = 0; index < count; index += 1) pieces[index] = FILLER[index % FILLER.length] ?? "";
  if (count > 0) pieces[0] = (pieces[0] ?? "").trimStart();
  return pieces;
}

/** Estimated tokens of a text: a quarter of its length. */
export function estimateTokens(length: number): number {
  return Math.max(1, Math.ceil(length / 4));
}

function isBlank(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13) || code === 160;
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}
