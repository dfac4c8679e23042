// Sends notices to the operator's address, signed as Standard Webhooks says, so that its receiver can tell them from a stranger's.
// Makes one attempt: trying again is the outbox's.
import { createHmac } from "node:crypto";
import type { Notice } from "./incidents.ts";
import { type Sender, toPayload, toSlack } from "./payload.ts";

/** Where to and how. */
export interface WebhookOptions {
  readonly url: string;
  /** Signs what is sent; `whsec_…` is base64, anything else is taken as it is. Absent: nothing is signed. */
  readonly secret: string | undefined;
  readonly format: "json" | "slack";
  readonly sender: Sender;
  /** Time for one attempt, in milliseconds. */
  readonly timeoutMs: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Default: the platform's. */
  readonly fetch?: typeof fetch;
}

/**
 * Makes a way to tell of a notice by HTTP. Rejects where the receiver did not answer with 2xx in time; the error's words hold
 * neither the address nor the secret.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function webhook(options: WebhookOptions): (notice: Notice, signal: AbortSignal) => Promise<void> {
  const { url, secret, format, sender, timeoutMs, now, fetch: send = fetch } = options;
  return async (notice, signal) => {
    const body = JSON.stringify(format === "slack" ? toSlack(notice, sender) : toPayload(notice, sender));
    // The same for each attempt: a receiver that had it already knows it by this.
    const id = `${notice.incident}.${notice.status}`;
    const response = await send(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "user-agent": `ccapi/${sender.version}`,
        ...(secret === undefined ? {} : sign(secret, id, Math.floor(now() / 1_000), body)),
      },
      body,
      redirect: "error",
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    }).catch((error: unknown) => {
      throw new Error(`the receiver was not reached (${reasonOf(error)})`);
    });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`the receiver answered ${response.status}`);
  };
}

function sign(secret: string, id: string, timestamp: number, body: string): Record<string, string> {
  const key = secret.startsWith("whsec_") ? Buffer.from(secret.slice("whsec_".length), "base64") : secret;
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": String(timestamp), "webhook-signature": `v1,${signature}` };
}

/** What went wrong, without the address: it may hold a token. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  const { cause } = error;
  if (cause instanceof Error && "code" in cause && typeof cause.code === "string") return cause.code;
  return error.name;
}
