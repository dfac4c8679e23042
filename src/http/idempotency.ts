// `Idempotency-Key`: the same key and body within ten minutes is the same request, however often it is sent. It gets the same answer,
// or joins the one under way; never a second run.
import { createHash } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import { CcapiError } from "../auth/errors.ts";
import type { AppEnv } from "./app-env.ts";

/** Answers that are kept. */
interface Kept {
  readonly bodyHash: string;
  /** Resolves to the answer once it is known whole; `undefined`: it failed in a way that sending it again may mend. */
  readonly answer: Promise<Answer | undefined>;
  readonly keptUntilMs: number;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** How long and how much is kept. */
export interface IdempotencyOptions {
  /** Milliseconds. Default: ten minutes. */
  readonly keepMs?: number;
  /** Answers kept at most; beyond, the oldest goes. Default: 1,000. */
  readonly maxKept?: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Makes the middleware. Put it behind those that know the client and bound the body.
 * Another body under a key that is in use: CcapiError `idempotency_key_reused`.
 */
export function idempotency({ keepMs = 600_000, maxKept = 1_000, now }: IdempotencyOptions): MiddlewareHandler<AppEnv> {
  const kept = new Map<string, Kept>();

  function find(name: string): Kept | undefined {
    for (const [key, { keptUntilMs }] of kept) {
      if (keptUntilMs > now()) break; // In the order of their beginning.
      kept.delete(key);
    }
    return kept.get(name);
  }

  return async (context, next) => {
    const key = context.req.header("idempotency-key");
    if (key === undefined) return next();
    if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
      throw new CcapiError(
        "invalid_request",
        "The header Idempotency-Key has to be 1 to 255 printable ASCII characters.",
        {
          param: "Idempotency-Key",
        },
      );
    }
    const name = JSON.stringify([context.var.client?.name, context.req.path, key]);
    const bodyHash = createHash("sha256")
      .update(await context.req.text())
      .digest("base64url");
    const before = find(name);
    if (before !== undefined) {
      if (before.bodyHash !== bodyHash) {
        throw new CcapiError("idempotency_key_reused", "This Idempotency-Key was used with another body.", {
          param: "Idempotency-Key",
        });
      }
      const answer = await before.answer;
      if (answer !== undefined) {
        const headers = new Headers(answer.headers);
        headers.set("idempotency-replayed", "true");
        return new Response(answer.body, { status: answer.status, headers });
      }
    }
    let settle: (answer: Answer | undefined) => void = () => undefined;
    const answer = new Promise<Answer | undefined>((resolve) => {
      settle = resolve;
    });
    kept.delete(name);
    kept.set(name, { bodyHash, answer, keptUntilMs: now() + keepMs });
    const oldest = kept.size > maxKept ? kept.keys().next().value : undefined;
    if (oldest !== undefined) kept.delete(oldest);
    const forget = () => {
      kept.delete(name);
      settle(undefined);
    };
    try {
      await next();
    } catch (error) {
      forget();
      throw error;
    }
    // A failure may be mended by asking again: only answers are kept.
    if (context.res.status !== 200 || context.res.body === null) return forget();
    const [forClient, forKeeping] = context.res.body.tee();
    const { status, headers } = context.res;
    context.res = new Response(forClient, { status, headers });
    void readAll(forKeeping).then((body) => {
      // A stream that ended in an error frame, or that its client left.
      if (context.var.errorCode !== undefined) return forget();
      settle({ status, headers: new Headers(headers), body });
    }, forget);
    return undefined;
  };
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
