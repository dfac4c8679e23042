// A turn as server-sent events, each sent as soon as it is there, a comment when nothing happens for long.
// Makes no timer for a token. What comes at once goes out in one write: a write costs more than all else that is done for a token.
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

type Controller = ReadableStreamDefaultController<Uint8Array>;

/** In one write. */
const mostFrames = 64;

const encoder = new TextEncoder();
const comment = ": keep-alive\n\n";

/** The body of a streaming answer. The turn goes on only as fast as the client reads. */
export function toEventStream(
  iterator: AsyncIterator<TurnEvent, void>,
  { events, pending: heldPending }: ReleasedTurn,
  options: EventStreamOptions,
): ReadableStream<Uint8Array> {
  let pending = heldPending;
  let beats: { readonly note: () => void; readonly stop: () => void } | undefined;

  function send(controller: Controller, frames: readonly string[]): void {
    if (frames.length === 0) return;
    controller.enqueue(encoder.encode(frames.length === 1 ? frames[0] : frames.join("")));
    beats?.note();
  }

  function end(controller: Controller, frames: readonly string[]): void {
    beats?.stop();
    send(controller, frames);
    controller.close();
  }

  /** The frames of the next event, and of those that are there with it. @returns whether it was the last. */
  async function gather(frames: string[]): Promise<boolean> {
    let rest: Promise<undefined> | undefined;
    while (frames.length < mostFrames) {
      pending ??= iterator.next();
      const result = await (rest === undefined ? pending : Promise.race([pending, rest]));
      if (result === undefined) return false;
      pending = undefined;
      if (result.done === true) return true;
      frames.push(...options.toFrames(result.value));
      if (frames.length > 0) rest ??= restOfTurn();
    }
    return false;
  }

  async function pull(controller: Controller): Promise<void> {
    const frames: string[] = [];
    try {
      if (await gather(frames)) end(controller, [...frames, ...options.lastFrames]);
      else send(controller, frames);
    } catch (error) {
      end(controller, [...frames, ...options.toErrorFrames(error)]);
    }
  }

  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        for (const event of events) send(controller, options.toFrames(event));
        beats = startBeats(controller, options);
      },
      pull,
      async cancel() {
        beats?.stop();
        options.abandon(new Error("The client closed the connection."));
        // A turn that waits for its next event to be asked for hears of nothing else.
        await iterator.return?.();
      },
    },
    { highWaterMark: 1 },
  );
}

/** One timer for the whole stream: it looks how long ago something was sent, and then when to look again. */
function startBeats(controller: Controller, { heartbeatMs, heartbeat = comment }: EventStreamOptions) {
  const frame = encoder.encode(heartbeat);
  let sentAtMs = performance.now();
  const look = () => {
    const quietMs = performance.now() - sentAtMs;
    // Who has not read what there is needs no sign of life.
    const isDue = quietMs >= heartbeatMs;
    if (isDue && (controller.desiredSize ?? 0) > 0) controller.enqueue(frame);
    if (isDue) sentAtMs = performance.now();
    timer = setTimeout(look, isDue ? heartbeatMs : heartbeatMs - quietMs).unref();
  };
  let timer = setTimeout(look, heartbeatMs).unref();
  return {
    note() {
      sentAtMs = performance.now();
    },
    stop: () => clearTimeout(timer),
  };
}

/** Resolves when this turn of the event loop has read all that there was to read. */
function restOfTurn(): Promise<undefined> {
  return new Promise((resolve) => void setImmediate(() => resolve(undefined)));
}
