// A running server, as the commands that ask one see it. Speaks HTTP only; knows nothing of this process's own server.
import type { RemoteConfig } from "../config.ts";

/** What a request to the server came to. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  /** The body as text. */
  readonly text: string;
  /** The body's JSON; `undefined` where it is none. */
  readonly json: unknown;
  readonly durationMs: number;
}

/** The server did not answer. The command line says so and exits with 3. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
}

/** Asks a running server. */
export interface Remote {
  readonly url: string;
  get(path: string): Promise<Reply>;
  post(path: string, body?: unknown): Promise<Reply>;
}

/** A test query may take half a minute, a whole refresh five. */
const timeoutMs = 6 * 60_000;

/** Makes the way to a server. @throws UnreachableError from each call, where nobody answers. */
export function createRemote({ url, key }: RemoteConfig): Remote {
  async function ask(path: string, init: RequestInit): Promise<Reply> {
    const startedAt = performance.now();
    try {
      const response = await fetch(url + path, {
        ...init,
        headers: {
          ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
          ...(init.body === undefined ? {} : { "content-type": "application/json" }),
        },
        signal: AbortSignal.timeout(timeoutMs),
      });
      const text = await response.text();
      const durationMs = Math.round(performance.now() - startedAt);
      return { status: response.status, headers: response.headers, text, json: parse(text), durationMs };
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "no answer";
      throw new UnreachableError(`No server answers at ${url} (${reason}). Is it running? --url says where it is.`);
    }
  }
  return {
    url,
    get: (path) => ask(path, {}),
    post: (path, body) => ask(path, { method: "POST", ...(body === undefined ? {} : { body: JSON.stringify(body) }) }),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // An event stream, or a proxy's page.
  }
}
