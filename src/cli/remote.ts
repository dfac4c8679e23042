// A running server, as the commands that ask one see it. Speaks HTTP only; knows nothing of this process's own server.
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { RemoteConfig } from "../config.ts";

/** What a request to the server came to. */
export interface Reply {
  readonly status: number;
  /** The body as text, as far as it came. */
  readonly text: string;
  /** False where the connection broke, or time ran out, before the body's end. */
  readonly isComplete: boolean;
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
const standardTimeoutMs = 6 * 60_000;

/** Makes the way to a server. @throws UnreachableError from each call, where nobody answers. */
export function createRemote({ url, key }: RemoteConfig, timeoutMs = standardTimeoutMs): Remote {
  async function ask(path: string, method: string, body?: unknown): Promise<Reply> {
    const startedAt = performance.now();
    const response = await send(new URL(url + path), {
      method,
      body: body === undefined ? "" : JSON.stringify(body),
      headers: {
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      signal: AbortSignal.timeout(timeoutMs),
    }).catch((error: NodeJS.ErrnoException) => {
      const reason =
        error.code === "ABORT_ERR" ? `no answer within ${timeoutMs / 1_000} s` : (error.code ?? "no answer");
      throw new UnreachableError(`No server answers at ${url} (${reason}). Is it running? --url says where it is.`);
    });
    const { text, isComplete } = await readBody(response);
    const durationMs = Math.round(performance.now() - startedAt);
    return { status: response.statusCode ?? 0, text, isComplete, json: parse(text), durationMs };
  }
  return {
    url,
    get: (path) => ask(path, "GET"),
    post: (path, body) => ask(path, "POST", body),
  };
}

interface Question {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

/** Resolves with the head of the answer. Not `fetch`: that gives up on a head after five minutes, whatever it is told. */
function send(url: URL, { body, ...options }: Question): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = url.protocol === "https:" ? requestHttps : requestHttp;
    request(url, options, resolve).once("error", reject).end(body);
  });
}

async function readBody(response: IncomingMessage): Promise<{ text: string; isComplete: boolean }> {
  const chunks: Buffer[] = [];
  let isComplete = true;
  try {
    for await (const chunk of response) chunks.push(chunk as Buffer); // No encoding was set.
  } catch {
    isComplete = false; // What came is worth showing.
  }
  return { text: Buffer.concat(chunks).toString("utf8"), isComplete };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // An event stream, or a proxy's page.
  }
}
