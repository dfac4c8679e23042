// POST /v1/messages and /v1/messages/count_tokens: body → Turn → one message, or a stream of its events; and an estimate.
import { randomUUID } from "node:crypto";
import type { Context } from "hono";
import { toErrorBody } from "../anthropic/error.ts";
import { toMessage } from "../anthropic/message.ts";
import type { CountTokensRequest, MessagesRequest } from "../anthropic/request.ts";
import { createStreamMapper } from "../anthropic/stream.ts";
import { toTurn } from "../anthropic/to-turn.ts";
import { estimateTokens } from "../anthropic/token-estimate.ts";
import { resolveModel } from "../names/models.ts";
import { type AnswerPorts, answerStream, answerWhole } from "./answer.ts";
import type { AppEnv } from "./app-env.ts";
import { readTurnHeaders } from "./turn-headers.ts";

/** Makes the handlers of validated bodies. */
export function messageHandlers(ports: AnswerPorts) {
  return {
    async create(context: Context<AppEnv>, body: MessagesRequest): Promise<Response> {
      const headers = { ...readTurnHeaders(context), betas: context.req.header("anthropic-beta") };
      const understood = toTurn(body, headers, ports.modelAliases);
      const toStreamEvents = createStreamMapper({
        id: `msg_${randomUUID().replaceAll("-", "")}`,
        model: understood.turn.requestedModel,
        shownThinking: understood.shownThinking,
      });
      if (body.stream !== true) {
        return answerWhole(context, understood, ports, (events) => toMessage(events, toStreamEvents));
      }
      return answerStream(context, understood, ports, {
        toFrames: (event) => toStreamEvents(event).map(frame),
        lastFrames: [],
        toErrorFrames: (error) => [frame(toErrorBody(error, context.var.requestId))],
        heartbeat: frame({ type: "ping" }),
      });
    },
    countTokens(context: Context<AppEnv>, body: CountTokensRequest): Response {
      resolveModel(body.model, ports.modelAliases);
      context.header("x-token-count", "estimate");
      return context.json({ input_tokens: estimateTokens(body) });
    },
  };
}

function frame(event: { readonly type: string }): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
