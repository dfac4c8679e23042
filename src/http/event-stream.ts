// A turn as server-sent events: one write for each event, a comment when nothing happens for long.
import type { TurnEvent } from "../turn/turn.ts";
import type { ReleasedTurn } from "./hold.ts";

/** What one API's stream looks like, and its limits. */
export interface EventStreamOptions {
  /** The frames of an event, each whole: `data: {…}\n\n`. */
  readonly toFrames: (event: TurnEvent) => readonly string[];
  /** What is sent after the last event. */
  readonly lastFrames: readonly string[];
  /** What is sent where the turn fails; nothing follows it. */
  readonly toErrorFrames: (error: unknown) => readonly string[];
  readonly heartbeatMs: number;
  /** A sign of life that clients pass over: a whole frame. A comment unless the API has one of its own. */
  readonly heartbeat?: string;
  /** Ends the turn: the client has gone. */
  readonly abandon: (reason: Error) => void;
}

const encoder = new TextEncoder();
const comment = ": keep-alive\n\n";

/** The body of a streaming answer. The turn goes on only as fast as the client reads. */
export function toEventStream(
  iterator: AsyncIterator<TurnEvent, void>,
  { events, pending: heldPending }: ReleasedTurn,
  options: EventStreamOptions,
): ReadableStream<Uint8Array> {
  let pending = heldPending;
  const heartbeat = encoder.encode(options.heartbeat ?? comment);

  function send(controller: ReadableStreamDefaultController<Uint8Array>, frames: readonly string[]): void {
    for (const frame of frames) controller.enqueue(encoder.encode(frame));
  }

  async function pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      let isSent = false;
      while (!isSent) {
        pending ??= iterator.next();
        const result = await orHeartbeat(pending, options.heartbeatMs);
        if (result === undefined) {
          controller.enqueue(heartbeat);
          break;
        }
        pending = undefined;
        if (result.done === true) {
          send(controller, options.lastFrames);
          controller.close();
          return;
        }
        const frames = options.toFrames(result.value);
        send(controller, frames);
        isSent = frames.length > 0;
      }
    } catch (error) {
      send(controller, options.toErrorFrames(error));
      controller.close();
      return;
    }
  }

  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        for (const event of events) send(controller, options.toFrames(event));
      },
      pull,
      async cancel() {
        options.abandon(new Error("The client closed the connection."));
        // A turn that waits for its next event to be asked for hears of nothing else.
        await iterator.return?.();
      },
    },
    { highWaterMark: 1 },
  );
}

/** `undefined` where `ms` pass first. */
async function orHeartbeat<T>(wait: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const beat = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([wait, beat]);
  } finally {
    clearTimeout(timer);
  }
}
