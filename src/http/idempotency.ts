// `Idempotency-Key`: the same key and body is the same request, however often it is sent. It gets the same answer for ten minutes,
// or joins the run under way, which goes on although its first client has gone; never a second run.
import { createHash } from "node:crypto";
import type { Context, MiddlewareHandler } from "hono";
import { CcapiError } from "../auth/errors.ts";
import type { AppEnv } from "./app-env.ts";
import { createKeptRuns, type KeptLimits, type KeptRun, type KeptRuns } from "./kept-runs.ts";
import { record, type Recording } from "./recording.ts";
import { readTurnHeaders } from "./turn-headers.ts";

/** How long and how much is kept of each client's answers. */
export interface IdempotencyOptions extends Partial<KeptLimits> {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const standardLimits: KeptLimits = { keepMs: 600_000, maxRuns: 1_000, maxBytes: 64 * 1_048_576 };

/**
 * Makes the middleware. Put it behind those that know the client and bound the body.
 * Another body under a key that is in use: CcapiError `idempotency_key_reused`.
 */
export function idempotency({ now, ...limits }: IdempotencyOptions): MiddlewareHandler<AppEnv> {
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
    // The same words in another session, or for another end user, are another request.
    const bodyHash = hash(JSON.stringify([readTurnHeaders(context), await context.req.text()]));
    const runs = roomOf(context);
    const before = runs.find(key);
    if (before !== undefined) return join(before, bodyHash);

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
    });
    context.res = replayOf(recording);
    return undefined;
  };
}

async function join(run: KeptRun, bodyHash: string): Promise<Response> {
  if (run.bodyHash !== bodyHash) throw reused("This Idempotency-Key was used with another body or another session.");
  if (run.state === "too-large") {
    throw reused("The request with this Idempotency-Key was answered, and its answer was too large to be kept.");
  }
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

function reused(message: string): CcapiError {
  return new CcapiError("idempotency_key_reused", message, { param: "Idempotency-Key" });
}

function hash(request: string): string {
  return createHash("sha256").update(request).digest("base64url");
}
