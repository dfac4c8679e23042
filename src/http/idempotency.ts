// `Idempotency-Key`: the same key and body is the same request, however often it is sent. It gets the same answer for ten minutes,
// or joins the run under way, which goes on although its first client has gone; never a second run, on whichever server.
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Context, MiddlewareHandler } from "hono";
import { CcapiError } from "../auth/errors.ts";
import type { AppEnv } from "./app-env.ts";
import { createKeptRuns, type KeptLimits, type KeptRun, type KeptRuns } from "./kept-runs.ts";
import { record, type Recording } from "./recording.ts";
import type { KeyedRequest, OwnRun, SharedAnswer, SharedRuns } from "./run-claims.ts";
import { readTurnHeaders } from "./turn-headers.ts";

/** How long and how much is kept of each client's answers. */
export interface IdempotencyOptions extends Partial<KeptLimits> {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** What other servers have begun or answered; `undefined`: there are none. */
  readonly shared?: SharedRuns | undefined;
  /** Whether nothing comes of a request but its answer. */
  readonly isRepeatable: (body: string) => boolean;
}

/** Longer than any run: a server that lives ends it before. */
const longestWaitMs = 24 * 3_600_000;

const standardLimits: KeptLimits = { keepMs: 600_000, maxRuns: 1_000, maxBytes: 64 * 1_048_576 };

/**
 * Makes the middleware. Put it behind those that know the client and bound the body.
 * Another body under a key that is in use: CcapiError `idempotency_key_reused`.
 */
export function idempotency(options: IdempotencyOptions): MiddlewareHandler<AppEnv> {
  const { now, shared, isRepeatable, ...limits } = options;
  const rooms = new Map<string, KeptRuns>();

  function roomOf({ var: { client } }: Context<AppEnv>): KeptRuns {
    const name = client?.name ?? "";
    const room = rooms.get(name) ?? createKeptRuns({ ...standardLimits, ...limits }, now);
    rooms.set(name, room);
    return room;
  }

  return async (context, next) => {
    const header = context.req.header("idempotency-key");
    if (header === undefined) return next();
    const key = JSON.stringify([context.req.path, readKey(header)]);
    const body = await context.req.text();
    // The same words in another session, or for another end user, are another request.
    const bodyHash = hash(JSON.stringify([readTurnHeaders(context), body]));
    const runs = roomOf(context);
    const before = runs.find(key);
    if (before !== undefined) return join(before, bodyHash);
    let own: OwnRun | undefined;
    if (shared !== undefined) {
      const clientName = context.var.client?.name ?? "";
      const request = { clientName, key, bodyHash, isRepeatable: isRepeatable(body) };
      const found = await claim(shared, request, () => runs.find(key), context.req.raw.signal);
      if (found instanceof Response) return found;
      if ("recording" in found) return join(found, bodyHash);
      own = found;
    }

    const { promise, resolve, reject } = Promise.withResolvers<Recording>();
    promise.catch(() => undefined); // Mostly nobody has joined.
    const run = runs.begin(key, bodyHash, promise);
    // Whoever left may ask again: its run goes on.
    context.set("runSignal", new AbortController().signal);
    try {
      await next();
      // What a handler throws is an answer already when it comes here.
      if (context.error !== undefined) throw context.error;
    } catch (error) {
      runs.forget(key, run);
      own?.forget();
      reject(error);
      throw error;
    }
    const recording = record(context.res);
    resolve(recording);
    void recording.ended.then(() => {
      // A failure, a stream that ended in an error: asking again may mend it.
      const isAnswer = recording.status === 200 && context.var.errorCode === undefined;
      if (isAnswer) runs.keep(key, run, recording.bytes);
      else runs.forget(key, run);
      if (isAnswer) void toShared(recording).then((answer) => own?.keep(answer));
      else own?.forget();
    });
    context.res = replayOf(recording);
    return undefined;
  };
}

/** Takes a request for this server, or waits for what becomes of it here or elsewhere. */
async function claim(
  shared: SharedRuns,
  request: KeyedRequest,
  findHere: () => KeptRun | undefined,
  signal: AbortSignal,
): Promise<OwnRun | KeptRun | Response> {
  for (let waitedMs = 0; waitedMs < longestWaitMs; waitedMs += shared.askAgainMs) {
    const here = findHere();
    if (here !== undefined) return here;
    const found = await shared.claim(request);
    switch (found.is) {
      case "mine":
        return found.run;
      case "kept":
        if (found.answer === undefined) throw tooLarge();
        return fromShared(found.answer);
      case "reused":
        throw otherBody();
      case "lost":
        throw new CcapiError(
          "idempotent_run_lost",
          "The server that ran the request with this Idempotency-Key is gone. Tools may have run: see what they did, then ask again with another key.",
          { param: "Idempotency-Key", shouldRetry: false },
        );
      case "running":
        await sleep(shared.askAgainMs, undefined, { signal });
    }
  }
  throw new CcapiError("request_timeout", "The request with this Idempotency-Key does not end.");
}

async function toShared(recording: Recording): Promise<SharedAnswer> {
  const bytes = await new Response(recording.replay()).arrayBuffer();
  const { status, headers } = recording;
  return { status, headers: [...headers], body: Buffer.from(bytes).toString("base64") };
}

function fromShared({ status, headers, body }: SharedAnswer): Response {
  const response = new Response(Buffer.from(body, "base64"), { status, headers: headers.map(([...each]) => each) });
  response.headers.set("idempotency-replayed", "true");
  return response;
}

async function join(run: KeptRun, bodyHash: string): Promise<Response> {
  if (run.bodyHash !== bodyHash) throw otherBody();
  if (run.state === "too-large") throw tooLarge();
  const response = replayOf(await run.recording);
  response.headers.set("idempotency-replayed", "true");
  return response;
}

function replayOf(recording: Recording): Response {
  const { status, headers } = recording;
  return new Response(recording.replay(), { status, headers: new Headers(headers) });
}

function readKey(header: string): string {
  if (/^[\x21-\x7e]{1,255}$/.test(header)) return header;
  throw new CcapiError(
    "invalid_request",
    "The header Idempotency-Key has to be 1 to 255 printable ASCII characters without blanks.",
    { param: "Idempotency-Key" },
  );
}

function otherBody(): CcapiError {
  return reused("This Idempotency-Key was used with another body or another session.");
}

function tooLarge(): CcapiError {
  return reused("The request with this Idempotency-Key was answered, and its answer was too large to be kept.");
}

function reused(message: string): CcapiError {
  return new CcapiError("idempotency_key_reused", message, { param: "Idempotency-Key" });
}

function hash(request: string): string {
  return createHash("sha256").update(request).digest("base64url");
}
