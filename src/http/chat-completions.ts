// POST /v1/chat/completions: body → Turn → one answer, or a stream of chunks.
import { randomUUID } from "node:crypto";
import type { Context } from "hono";
import type { Logger } from "../observe/log.ts";
import { createChunkMapper } from "../openai/chat/chunks.ts";
import { type ChatAnswer, toCompletion } from "../openai/chat/completion.ts";
import { type ChatRequest, sessionId } from "../openai/chat/request.ts";
import { type ChatTurn, toTurn } from "../openai/chat/to-turn.ts";
import { toErrorBody } from "../openai/error.ts";
import { CcapiError } from "../auth/errors.ts";
import type { RunTurn } from "../turn/turn.ts";
import type { AppEnv } from "./app-env.ts";
import { toCcapiError } from "./errors.ts";
import { toEventStream } from "./event-stream.ts";
import { holdBack } from "./hold.ts";

/** Clients bound the size of an answer's headers. */
const maxIgnoredNames = 40;

/** What answering takes. */
export interface ChatPorts {
  readonly runTurn: RunTurn;
  readonly modelAliases: ReadonlyMap<string, string>;
  readonly log: Logger;
  readonly timing: StreamTiming;
}

/** Times of a stream, milliseconds. */
export interface StreamTiming {
  /** How long headers are held back while the model works. */
  readonly holdMs: number;
  /** Between two signs of life. */
  readonly heartbeatMs: number;
}

/** Makes the handler of a validated body. */
export function chatCompletions(ports: ChatPorts): (context: Context<AppEnv>, body: ChatRequest) => Promise<Response> {
  return async (context, body) => {
    const chat = toTurn(body, readHeaders(context), ports.modelAliases);
    if (chat.ignored.length > 0)
      context.header("x-ignored-parameters", chat.ignored.slice(0, maxIgnoredNames).join(", "));
    if (chat.turn.sessionId !== undefined) context.header("x-session-id", chat.turn.sessionId);
    const answer: ChatAnswer = {
      id: `chatcmpl-${randomUUID().replaceAll("-", "")}`,
      created: Math.floor(Date.now() / 1_000),
      model: chat.turn.requestedModel,
      profile: chat.turn.profile,
    };
    const run = startTurn(context, chat, ports.runTurn);
    if (body.stream !== true) return context.json(await toCompletion(run.events, answer));
    return stream(context, run, answer, body.stream_options?.include_usage === true, ports);
  };
}

async function stream(
  context: Context<AppEnv>,
  { events, abandon }: RunningTurn,
  answer: ChatAnswer,
  includeUsage: boolean,
  { timing, log }: ChatPorts,
): Promise<Response> {
  const iterator = events[Symbol.asyncIterator]();
  const released = await holdBack(iterator, timing.holdMs);
  const toChunks = createChunkMapper(answer, { includeUsage });
  const body = toEventStream(iterator, released, {
    toFrames: (event) => toChunks(event).map(frame),
    lastFrames: ["data: [DONE]\n\n"],
    toErrorFrames(thrown) {
      const error = toCcapiError(thrown);
      context.set("errorCode", error.code);
      if (error.code === "internal_error")
        log.error(
          { requestId: context.var.requestId, stack: String(thrown instanceof Error ? thrown.stack : "") },
          "Unforeseen error",
        );
      return [frame(toErrorBody(error))];
    },
    heartbeatMs: timing.heartbeatMs,
    abandon,
  });
  return context.body(body, 200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    // nginx would gather events before it passes them on.
    "x-accel-buffering": "no",
  });
}

interface RunningTurn {
  readonly events: ReturnType<RunTurn>;
  readonly abandon: (reason: Error) => void;
}

function startTurn(context: Context<AppEnv>, { turn }: ChatTurn, runTurn: RunTurn): RunningTurn {
  const { client, requestId } = context.var;
  if (client === undefined) throw new CcapiError("invalid_api_key", "No API key was given."); // The routes demand one.
  const abandoned = new AbortController();
  const signal = AbortSignal.any([context.var.runSignal ?? context.req.raw.signal, abandoned.signal]);
  return {
    events: runTurn(turn, { requestId, client, signal }),
    abandon: (reason) => abandoned.abort(reason),
  };
}

function readHeaders({ req }: Context<AppEnv>): Parameters<typeof toTurn>[1] {
  const session = req.header("x-session-id");
  if (session !== undefined && !sessionId.safeParse(session).success) {
    throw new CcapiError(
      "invalid_request",
      "The header X-Session-Id has to be 1 to 128 letters, digits, dots, dashes or underscores.",
      { param: "X-Session-Id" },
    );
  }
  return { sessionId: session, endUser: req.header("x-openwebui-user-id")?.slice(0, 1_024) };
}

function frame(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}
