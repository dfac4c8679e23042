// POST /v1/chat/completions: body → Turn → one answer, or a stream of chunks.
import { randomUUID } from "node:crypto";
import type { Context } from "hono";
import { createChunkMapper } from "../openai/chat/chunks.ts";
import { type ChatAnswer, toCompletion } from "../openai/chat/completion.ts";
import type { ChatRequest } from "../openai/chat/request.ts";
import { toTurn } from "../openai/chat/to-turn.ts";
import { toErrorBody } from "../openai/error.ts";
import { type AnswerPorts, answerStream, answerWhole } from "./answer.ts";
import type { AppEnv } from "./app-env.ts";
import { readTurnHeaders } from "./turn-headers.ts";

/** Makes the handler of a validated body. */
export function chatCompletions(
  ports: AnswerPorts,
): (context: Context<AppEnv>, body: ChatRequest) => Promise<Response> {
  return async (context, body) => {
    const understood = toTurn(body, readTurnHeaders(context), ports.modelAliases);
    const answer: ChatAnswer = {
      id: `chatcmpl-${randomUUID().replaceAll("-", "")}`,
      created: Math.floor(Date.now() / 1_000),
      model: understood.turn.requestedModel,
      profile: understood.turn.profile,
    };
    if (body.stream !== true) return answerWhole(context, understood, ports, (events) => toCompletion(events, answer));
    const toChunks = createChunkMapper(answer, { includeUsage: body.stream_options?.include_usage === true });
    return answerStream(context, understood, ports, {
      toFrames: (event) => toChunks(event).map(frame),
      lastFrames: ["data: [DONE]\n\n"],
      toErrorFrames: (error) => [frame(toErrorBody(error))],
    });
  };
}

function frame(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}
