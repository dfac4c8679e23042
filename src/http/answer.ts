// What every front door does with a turn that it understood: has it run, and answers with one body or a stream of frames.
// Knows no API's shapes: those come as an AnswerShape.
import type { Context } from "hono";
import { CcapiError } from "../auth/errors.ts";
import type { Logger } from "../observe/log.ts";
import type { Delivery, RunTurn, Turn, TurnEvent } from "../turn/turn.ts";
import type { AppEnv } from "./app-env.ts";
import { logUnforeseen, toCcapiError } from "./errors.ts";
import { toEventStream } from "./event-stream.ts";
import { holdBack, type HoldTimes } from "./hold.ts";

/** Clients bound the size of an answer's headers. */
const maxIgnoredNames = 40;

/** What answering takes, whatever the API. */
export interface AnswerPorts {
  readonly runTurn: RunTurn;
  readonly modelAliases: ReadonlyMap<string, string>;
  readonly log: Logger;
  readonly timing: StreamTiming;
}

/** Times of a stream, milliseconds. */
export interface StreamTiming {
  /** How long headers are held back. */
  readonly hold: HoldTimes;
  /** Between two signs of life. */
  readonly heartbeatMs: number;
}

/** A request, understood. */
export interface UnderstoodTurn {
  readonly turn: Turn;
  /** Names of parameters that have no effect, for `x-ignored-parameters`. */
  readonly ignored: readonly string[];
}

/** An API's way to say what a turn yields. Made for one answer: it may remember what it has said. */
export interface StreamShape {
  /** Whole SSE frames, each ending in a blank line. */
  toFrames(event: TurnEvent): readonly string[];
  /** What ends a stream that ended well. */
  readonly lastFrames: readonly string[];
  /** How a failure is told once the stream has begun. */
  toErrorFrames(error: CcapiError): readonly string[];
  /** A sign of life that clients pass over; by default an SSE comment. */
  readonly heartbeat?: string;
}

/** Has a turn run and answers with one JSON body. */
export async function answerWhole(
  context: Context<AppEnv>,
  understood: UnderstoodTurn,
  { runTurn }: AnswerPorts,
  toBody: (events: AsyncIterable<TurnEvent>) => Promise<object>,
): Promise<Response> {
  setHeaders(context, understood);
  return context.json(await toBody(startTurn(context, understood, runTurn, "whole").events));
}

/** Has a turn run and answers with a stream. What fails before its first word is an error with a status of its own. */
export async function answerStream(
  context: Context<AppEnv>,
  understood: UnderstoodTurn,
  { runTurn, timing, log }: AnswerPorts,
  shape: StreamShape,
): Promise<Response> {
  setHeaders(context, understood);
  const { events, abandon } = startTurn(context, understood, runTurn, "stream");
  const iterator = events[Symbol.asyncIterator]();
  const released = await holdBack(iterator, timing.hold);
  const body = toEventStream(iterator, released, {
    toFrames: (event) => shape.toFrames(event),
    lastFrames: shape.lastFrames,
    toErrorFrames(thrown) {
      const error = toCcapiError(thrown);
      context.set("errorCode", error.code);
      logUnforeseen(log, error, context);
      return shape.toErrorFrames(error);
    },
    heartbeatMs: timing.heartbeatMs,
    ...(shape.heartbeat === undefined ? {} : { heartbeat: shape.heartbeat }),
    abandon,
  });
  return context.body(body, 200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    // nginx would gather events before it passes them on.
    "x-accel-buffering": "no",
  });
}

function setHeaders(context: Context<AppEnv>, { turn, ignored }: UnderstoodTurn): void {
  if (ignored.length > 0) context.header("x-ignored-parameters", ignored.slice(0, maxIgnoredNames).join(", "));
  if (turn.sessionId !== undefined) context.header("x-session-id", turn.sessionId);
}

interface RunningTurn {
  readonly events: ReturnType<RunTurn>;
  readonly abandon: (reason: Error) => void;
}

function startTurn(
  context: Context<AppEnv>,
  { turn }: UnderstoodTurn,
  runTurn: RunTurn,
  delivery: Delivery,
): RunningTurn {
  const { client, requestId } = context.var;
  if (client === undefined) throw new CcapiError("invalid_api_key", "No API key was given."); // The routes demand one.
  const abandoned = new AbortController();
  const signal = AbortSignal.any([context.var.runSignal ?? context.req.raw.signal, abandoned.signal]);
  return {
    events: runTurn(turn, { requestId, client, delivery, signal }),
    abandon: (reason) => abandoned.abort(reason),
  };
}
