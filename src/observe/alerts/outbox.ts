// Notices on their way out by one channel: in their order, tried again with growing pauses, never in anybody's way.
import PQueue from "p-queue";
import pRetry from "p-retry";
import type { Logger } from "../log.ts";
import type { Notice } from "./incidents.ts";

/** How hard it is tried. */
export interface OutboxOptions {
  /** As logs name the channel. */
  readonly channel: string;
  readonly send: (notice: Notice, signal: AbortSignal) => Promise<void>;
  readonly log: Pick<Logger, "info" | "warn" | "error">;
  /** The first pause, in milliseconds; each is twice the one before, an hour at most. Default 1 000. */
  readonly firstPauseMs?: number;
  /** Attempts after the first. Default 12: about two hours. */
  readonly retries?: number;
}

/** Notices beyond this are dropped: a receiver that is gone for so long is no use for old news. */
const maxWaiting = 100;

/** One channel's outbox. */
export interface Outbox {
  /** Takes a notice to be sent; returns at once and never throws. */
  post(notice: Notice): void;
  /** Gives up what is still on its way. */
  close(): void;
}

/** Makes an outbox. */
export function createOutbox({ channel, send, log, firstPauseMs = 1_000, retries = 12 }: OutboxOptions): Outbox {
  const queue = new PQueue({ concurrency: 1 });
  const closing = new AbortController();

  async function deliver(notice: Notice): Promise<void> {
    const fields = { channel, kind: notice.kind, status: notice.status };
    try {
      await pRetry(async () => send(notice, closing.signal), {
        retries,
        minTimeout: firstPauseMs,
        maxTimeout: 3_600_000,
        randomize: true,
        unref: true,
        signal: closing.signal,
        onFailedAttempt: ({ error, attemptNumber }) =>
          log.warn({ ...fields, attempt: attemptNumber, reason: error.message }, "An alert was not delivered"),
      });
      log.info(fields, "An alert was delivered");
    } catch (error) {
      if (closing.signal.aborted) return;
      const reason = error instanceof Error ? error.message : "unknown";
      log.error({ ...fields, reason }, "An alert is given up");
    }
  }

  return {
    post(notice) {
      if (closing.signal.aborted) return;
      if (queue.size >= maxWaiting) {
        log.error({ channel, kind: notice.kind, status: notice.status }, "An alert is dropped: too many wait");
        return;
      }
      void queue.add(() => deliver(notice));
    },
    close() {
      closing.abort();
      queue.clear();
    },
  };
}
