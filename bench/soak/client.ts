// A client of the server that says how each request ended, by every API and in every manner of reading. Judges nothing.
import { setTimeout as sleep } from "node:timers/promises";

/** One request. */
export interface Sent {
  readonly path: string;
  readonly key: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly session?: string;
  /** Milliseconds to wait after each piece of the answer. */
  readonly pauseMs?: number;
  /** Pieces after which the client goes away, without a word. */
  readonly leaveAfter?: number;
}

/** Its answer. */
export interface Got {
  readonly status: number;
  /** Of an error, also of one in a stream. */
  readonly code: string | undefined;
  /** The answer as it came. */
  readonly raw: string;
  /** The answer's text. */
  readonly text: string;
}

const timeoutMs = 120_000;

/** Sends it, and reads the answer. @throws Error where none comes, or its time is up. */
export async function send(url: string, sent: Sent): Promise<Got> {
  const abort = new AbortController(); // Fires where the client goes away.
  const response = await fetch(url + sent.path, {
    method: "POST",
    headers: {
      authorization: `Bearer ${sent.key}`,
      "content-type": "application/json",
      ...(sent.session === undefined ? {} : { "x-session-id": sent.session }),
    },
    body: JSON.stringify(sent.body),
    signal: AbortSignal.any([abort.signal, AbortSignal.timeout(timeoutMs)]),
  });
  const raw = await read(response, sent, abort);
  const parts = raw.startsWith("{") ? [JSON.parse(raw) as unknown] : toEvents(raw);
  return {
    status: response.status,
    code: parts.map((part) => codeOf(part)).find((code) => code !== undefined),
    raw,
    text: parts.map((part) => textOf(part)).join(""),
  };
}

async function read(response: Response, { leaveAfter, pauseMs }: Sent, abort: AbortController): Promise<string> {
  const decoder = new TextDecoder();
  let raw = "";
  let pieces = 0;
  try {
    for await (const bytes of response.body ?? []) {
      raw += decoder.decode(bytes, { stream: true });
      pieces += 1;
      if (pieces === leaveAfter) abort.abort();
      if (pauseMs !== undefined) await sleep(pauseMs);
    }
  } catch (error) {
    if (!abort.signal.aborted) throw error;
  }
  return raw;
}

function toEvents(raw: string): unknown[] {
  const lines = raw.split("\n").filter((line) => line.startsWith("data: {"));
  // The last one is in pieces where the client left.
  return lines.flatMap((line) => {
    try {
      return [JSON.parse(line.slice("data: ".length)) as unknown];
    } catch {
      return [];
    }
  });
}

interface AnyAnswer {
  readonly error?: { readonly code?: string; readonly type?: string };
  readonly response?: { readonly error?: { readonly code?: string } };
  readonly choices?: readonly {
    readonly message?: { readonly content: string | null };
    readonly delta?: { readonly content?: string | null };
  }[];
  /** Of a Messages answer. */
  readonly content?: readonly { readonly text?: string }[];
  /** Of a Messages stream an object, of a Responses stream a text. */
  readonly delta?: string | { readonly text?: string };
  readonly type?: string;
  readonly output?: readonly { readonly content?: readonly { readonly text?: string }[] }[];
}

function codeOf(part: unknown): string | undefined {
  const { error, response } = part as AnyAnswer; // Whatever it is: each field may be missing.
  return error?.code ?? error?.type ?? response?.error?.code;
}

function textOf(part: unknown): string {
  const { choices, content, delta, output, type } = part as AnyAnswer; // As above.
  const choice = choices?.[0];
  if (choice !== undefined) return choice.message?.content ?? choice.delta?.content ?? "";
  if (typeof delta === "string") return type === "response.output_text.delta" ? delta : "";
  if (delta !== undefined) return delta.text ?? "";
  const blocks = content ?? output?.flatMap((item) => item.content ?? []) ?? [];
  return blocks.map(({ text }) => text ?? "").join("");
}
