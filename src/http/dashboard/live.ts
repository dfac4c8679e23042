// GET /dashboard/events: the entries of the history as server-sent events, the last ones first. A viewer who reads too slowly is let go.
import type { Context } from "hono";
import { CcapiError } from "../../auth/errors.ts";
import type { Entry } from "../../observe/history/entries.ts";
import type { History } from "../../observe/history.ts";
import type { AppEnv } from "../app-env.ts";
import type { Seat } from "./seats.ts";

const maxViewers = 20;
/** Frames that may wait for one viewer. */
const maxBehind = 500;
const encoder = new TextEncoder();

/** Makes the handler. */
export function liveEvents(history: Pick<History, "startedAtMs" | "entriesSince" | "subscribe">, heartbeatMs: number) {
  let viewers = 0;
  // A server that was started anew counts anew: its ids are none of the last one's.
  const idOf = (id: number) => `${history.startedAtMs}-${id}`;
  const frame = (event: string, id: number, data: unknown) =>
    encoder.encode(`id: ${idOf(id)}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);

  return (context: Context<AppEnv>, seat: Seat, isLive: () => boolean): Response => {
    if (viewers >= maxViewers) {
      throw new CcapiError("rate_limit_exceeded", `${maxViewers} pages watch this server already.`, {
        retryAfterMs: 30_000,
      });
    }
    viewers += 1;
    const [start, after] = (context.req.header("last-event-id") ?? "").split("-");
    const isGoingOn = start === String(history.startedAtMs) && /^\d{1,15}$/.test(after ?? "");
    const seenId = isGoingOn ? Number(after) : 0;
    let leave: (() => void) | undefined;

    const body = new ReadableStream<Uint8Array>(
      {
        start(controller) {
          const backlog = history.entriesSince(seenId);
          controller.enqueue(frame("backlog", backlog.at(-1)?.id ?? seenId, { isWhole: !isGoingOn, entries: backlog }));
          const end = () => {
            if (leave === undefined) return; // The end of its seat is told twice.
            leave();
            controller.close();
          };
          const send = (bytes: Uint8Array) => {
            if ((controller.desiredSize ?? 0) > 0) controller.enqueue(bytes);
            else end(); // It comes back by itself, and goes on after the last that it got.
          };
          const beat = setInterval(() => (isLive() ? send(encoder.encode(": keep-alive\n\n")) : end()), heartbeatMs);
          let unsubscribe = (): void => undefined;
          leave = () => {
            leave = undefined;
            viewers -= 1;
            clearInterval(beat);
            unsubscribe();
            seat.signal.removeEventListener("abort", end);
          };
          seat.signal.addEventListener("abort", end);
          // Last, for it may tell of the end at once.
          unsubscribe = history.subscribe({
            onEntry: (entry: Entry) => send(frame("entry", entry.id, entry)),
            onClose: end,
          });
        },
        cancel: () => leave?.(),
      },
      { highWaterMark: maxBehind },
    );
    return context.body(body, 200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  };
}
