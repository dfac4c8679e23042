// Reads an answer as it comes and takes the time of its first words. The same for every way of asking.

/** A streamed answer. */
export interface Streamed {
  /** From the question to the first piece of text, milliseconds. */
  readonly firstMs: number;
  /** To the end of the stream. */
  readonly totalMs: number;
  readonly text: string;
}

/** A stream's line → the text that it carries; `undefined`: none. */
export type TextOf = (line: string) => string | undefined;

/** @throws Error where no text came. */
export async function readStreamed(
  chunks: AsyncIterable<Uint8Array>,
  textOf: TextOf,
  startedAt: number,
): Promise<Streamed> {
  const decoder = new TextDecoder();
  let rest = "";
  let text = "";
  let firstMs: number | undefined;
  for await (const bytes of chunks) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const piece = textOf(line);
      if (piece === undefined || piece === "") continue;
      firstMs ??= performance.now() - startedAt;
      text += piece;
    }
  }
  if (firstMs === undefined) throw new Error(`An answer without text: ${rest.slice(0, 300)}`);
  return { firstMs, totalMs: performance.now() - startedAt, text };
}

/** Sends a body and reads the answer's stream. @throws Error for another status than 200. */
export async function postStreamed(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: object,
  textOf: TextOf,
): Promise<Streamed> {
  const startedAt = performance.now();
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(60_000),
  });
  if (response.status !== 200 || response.body === null) {
    throw new Error(`${response.status}: ${(await response.text()).slice(0, 300)}`);
  }
  return readStreamed(response.body, textOf, startedAt);
}

/** A chunk of a chat completion. */
export function chunkText(line: string): string | undefined {
  if (!line.startsWith("data: {")) return undefined;
  const chunk = JSON.parse(line.slice(6)) as {
    choices: readonly { delta?: { content?: string | null } }[];
    error?: { message: string };
  };
  if (chunk.error !== undefined) throw new Error(`In the stream: ${chunk.error.message}`);
  return chunk.choices[0]?.delta?.content ?? undefined;
}

/** An event of the Messages API, behind `data: ` or, in Claude Code's output, in an envelope. */
export function eventText(line: string): string | undefined {
  if (!line.includes('"text_delta"')) return undefined;
  const json = line.startsWith("data: ") ? line.slice(6) : line;
  const { event, ...bare } = JSON.parse(json) as { delta?: Delta; event?: { delta?: Delta } };
  return (event ?? bare).delta?.text;
}

interface Delta {
  readonly text?: string;
}
