// Reads server-sent events as strictly as the strictest client: each event whole, `data:` lines only, comments apart.

export interface Stream {
  /** The `data` of each event, parsed; `[DONE]` as that text. */
  readonly events: readonly unknown[];
  readonly comments: readonly string[];
  readonly isDone: boolean;
}

/** A chunk of a chat completion, as far as tests look. */
export interface Chunk {
  readonly id: string;
  readonly choices: readonly {
    readonly delta: { readonly role?: string; readonly content?: string; readonly reasoning_content?: string };
    readonly finish_reason: string | null;
  }[];
  readonly usage?: { readonly completion_tokens: number };
  readonly error?: { readonly code: string; readonly message: string };
}

export async function readStream(response: Response): Promise<Stream> {
  return parseStream(await response.text());
}

function parseStream(text: string): Stream {
  const events: unknown[] = [];
  const comments: string[] = [];
  let isDone = false;
  for (const block of text.split("\n\n").filter((part) => part !== "")) {
    if (block.startsWith(":")) {
      comments.push(block);
      continue;
    }
    const match = /^data: (.*)$/s.exec(block);
    if (match?.[1] === undefined || match[1].includes("\n")) throw new Error(`No valid event: ${block}`);
    if (isDone) throw new Error(`After [DONE]: ${block}`);
    if (match[1] === "[DONE]") isDone = true;
    else events.push(JSON.parse(match[1]));
  }
  return { events, comments, isDone };
}

/** The text of a stream's chunks. */
export function textOf(chunks: readonly Chunk[]): string {
  return chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
}

/** The response's chunks as they come, for tests that act while it streams. */
export async function* liveChunks(response: Response): AsyncGenerator<Chunk> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of response.body ?? []) {
    rest += decoder.decode(bytes, { stream: true });
    const blocks = rest.split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      if (block.startsWith("data: {")) yield JSON.parse(block.slice(6)) as Chunk;
    }
  }
}
