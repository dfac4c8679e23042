// One turn from the front door to Claude and back: takes its seat, makes its attempts, tidies up behind them.
// Knows nothing of HTTP, and of processes only that an attempt has one.
import { CcapiError } from "../auth/errors.ts";
import { type AttemptEnd, type AttemptPorts, createAttempt } from "./attempt.ts";
import { createHandOvers } from "./hand-overs.ts";
import { notRenewed, type Resumption } from "./recover.ts";
import { createSeat, type Seat, type SeatPorts } from "./seat.ts";
import { assertToolMessages, assertTools } from "./tool-messages.ts";
import type { RunTurn, Turn, TurnContext, TurnEvent } from "./turn.ts";

/** What running turns needs. */
export interface TurnPorts extends AttemptPorts, SeatPorts {
  /** Time for one turn, its waiting included, in milliseconds. */
  readonly timeoutMs: number;
  /** Puts images in the place of their URLs. */
  readonly fetchImages: (turn: Turn, signal: AbortSignal) => Promise<Turn>;
  /** Told of what failed while tidying up, when no client is there any more to hear of it. */
  readonly onTidyError: (error: unknown, context: TurnContext) => void;
}

/** Runs turns, and knows when all that they left behind is tidied up. */
export interface TurnRunner {
  readonly runTurn: RunTurn;
  /** Resolves when every turn begun so far has given back what it held. */
  settled(): Promise<void>;
  /** Deletes the conversations that wait for a client's tools. Call when no turn runs any more. */
  close(): Promise<void>;
}

/** Makes a runner. */
export function createTurnRunner(ports: TurnPorts): TurnRunner {
  const untidy = new Set<Promise<void>>();
  const handOvers = createHandOvers(ports);
  const attemptPorts = { ...ports, handOvers };

  async function* runTurn(asked: Turn, context: TurnContext): AsyncGenerator<TurnEvent, void, undefined> {
    const deadline = AbortSignal.timeout(ports.timeoutMs);
    const signal = AbortSignal.any([context.signal, deadline]);
    const endsAtMs = performance.now() + ports.timeoutMs;
    const seat = createSeat(asked, context, { signal, endsAtMs }, attemptPorts);
    const track = (tidying: Promise<void>) => {
      const tidied = tidying
        .catch((error: unknown) => ports.onTidyError(error, context))
        .finally(() => untidy.delete(tidied));
      untidy.add(tidied);
      return tidied;
    };
    let last: Promise<void> = Promise.resolve();
    let resumption: Resumption | undefined;
    let isFresh = false;
    try {
      assertTools(asked);
      // Of a session's messages only the last count; what they have to answer is known when it is opened.
      if (asked.sessionId === undefined) assertToolMessages(asked.messages);
      // Before the seat: whoever waits for a server elsewhere keeps nobody waiting here.
      const turn = await ports.fetchImages(asked, signal);
      yield* seat.take();
      for (;;) {
        const attempt = createAttempt(turn, context, seat.auth, signal, attemptPorts, { resumed: resumption, isFresh });
        resumption = undefined; // Its conversation is the attempt's now.
        let end: AttemptEnd;
        try {
          end = yield* attempt.events;
        } finally {
          last = track(attempt.tidyUp());
        }
        if (end.is === "finished") return;
        ({ resumption } = end);
        isFresh ||= end.is === "again";
        const attemptIsGone = last;
        if (end.is === "carry-over") yield* renewed(seat, resumption, turn, context.signal);
        // The next attempt writes to the same transcript.
        if (resumption !== undefined || turn.sessionId !== undefined) await attemptIsGone;
      }
    } catch (error) {
      throw explain(error, context.signal, deadline, ports.timeoutMs);
    } finally {
      seat.leave();
      // One that no attempt went on with.
      const { opened } = resumption ?? {};
      if (opened !== undefined) last = track(last.then(() => opened.close()));
      // Slot and session are held until the process is gone.
      void track(last.then(() => seat.release()));
    }
  }

  return {
    runTurn,
    async settled() {
      while (untidy.size > 0) await Promise.all(untidy);
    },
    close: () => handOvers.close(),
  };
}

/** @throws CcapiError where nobody renews the credential; after tools have run, one that says so. */
async function* renewed(
  seat: Seat,
  resumption: Resumption | undefined,
  { sessionId }: Turn,
  client: AbortSignal,
): AsyncGenerator<TurnEvent, void, undefined> {
  try {
    yield* seat.renew();
  } catch (error) {
    throw client.aborted ? error : notRenewed(error, resumption?.tools ?? [], sessionId);
  }
}

function explain(error: unknown, client: AbortSignal, deadline: AbortSignal, timeoutMs: number): unknown {
  if (error instanceof CcapiError) return error;
  if (client.aborted) {
    if (client.reason instanceof CcapiError) return client.reason;
    return new CcapiError("client_closed_request", "The client closed the connection.");
  }
  if (deadline.aborted) {
    return new CcapiError("request_timeout", `The request took longer than ${timeoutMs / 1_000} s.`);
  }
  return error;
}
