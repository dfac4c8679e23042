// POST /v1/responses: body → Turn → one response, or a stream of its events. GET and DELETE /v1/responses/:id and its input.
import { randomUUID } from "node:crypto";
import type { Context } from "hono";
import { CcapiError } from "../auth/errors.ts";
import { createResponseBuilder, type ResponseBuilder, type ResponseEvent } from "../openai/responses/builder.ts";
import { responseIdPattern } from "../openai/responses/items.ts";
import type { ResponseRequest } from "../openai/responses/request.ts";
import { toInputResources } from "../openai/responses/stored.ts";
import { toTurn } from "../openai/responses/to-turn.ts";
import type { ResponseStore, StoredResponse } from "../turn/responses.ts";
import type { RunTurn } from "../turn/turn.ts";
import { type AnswerPorts, answerStream, answerWhole } from "./answer.ts";
import type { AppEnv } from "./app-env.ts";
import { loadPast } from "./past-responses.ts";
import { readTurnHeaders } from "./turn-headers.ts";

/** What these routes need. */
export interface ResponsePorts extends AnswerPorts {
  readonly responses: ResponseStore;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Which of a response's input items are asked for. */
export interface InputItemsQuery {
  readonly limit: number;
  readonly order: "asc" | "desc";
  readonly after: string | undefined;
}

/** Makes the handlers. */
export function responseHandlers(ports: ResponsePorts) {
  const { responses, now, log } = ports;

  async function find(context: Context<AppEnv>, id: string): Promise<StoredResponse> {
    const record = responseIdPattern.test(id) ? await responses.get(clientName(context), id) : undefined;
    if (record !== undefined) return record;
    throw new CcapiError("response_not_found", "There is no response of this id, or it has expired.", { param: "id" });
  }

  /** Keeps a response before its client hears of its end: what it asks next finds it. */
  async function keep(record: StoredResponse, requestId: string): Promise<void> {
    try {
      await responses.put(record);
    } catch (error) {
      // The answer is there: it goes out, and only what would go on from it fails.
      log.error({ requestId, reason: error instanceof Error ? error.name : "unknown" }, "Storing a response failed");
    }
  }

  return {
    async create(context: Context<AppEnv>, body: ResponseRequest): Promise<Response> {
      const client = clientName(context);
      const past = await loadPast(body, client, responses);
      const understood = toTurn(body, { ...readTurnHeaders(context), ...past }, ports.modelAliases);
      const id = `resp_${randomUUID().replaceAll("-", "")}`;
      const frame = { id, created_at: Math.floor(now() / 1_000), echo: understood.echo };
      const builder = createResponseBuilder({ frame, profile: understood.turn.profile, now });
      const previousId = body.previous_response_id ?? undefined;
      const toRecord = (): StoredResponse => ({
        version: 1,
        id,
        clientName: client,
        ...(previousId === undefined ? {} : { previousId }),
        input: toInputResources(past.input, id),
        response: { ...builder.response },
      });
      const atEnd = body.store === false ? undefined : () => keep(toRecord(), context.var.requestId);
      /** What each event of the turn is told by, in their order. */
      const told: (readonly ResponseEvent[])[] = [];
      const withBuilder = { ...ports, runTurn: follow(ports.runTurn, builder, told, atEnd) };
      if (body.stream !== true) {
        return answerWhole(context, understood, withBuilder, async (events) => {
          for await (const _event of events) told.length = 0;
          return builder.response;
        });
      }
      return answerStream(context, understood, withBuilder, {
        toFrames: () => (told.shift() ?? []).map(toFrame),
        lastFrames: [],
        toErrorFrames: (error) => builder.fail(error).map(toFrame),
      });
    },
    async get(context: Context<AppEnv>, id: string): Promise<Response> {
      const { response } = await find(context, id);
      if (context.req.query("stream") === "true") {
        throw new CcapiError("unsupported_parameter", "stream: what was told once is not told again. Leave it out.", {
          param: "stream",
        });
      }
      return context.json(response);
    },
    async delete(context: Context<AppEnv>, id: string): Promise<Response> {
      await find(context, id);
      await responses.delete(clientName(context), id);
      return context.json({ id, object: "response", deleted: true });
    },
    async cancel(context: Context<AppEnv>, id: string): Promise<Response> {
      await find(context, id);
      throw new CcapiError("invalid_request", "Only a response that runs in the background can be cancelled.", {
        param: "id",
      });
    },
    async inputItems(
      context: Context<AppEnv>,
      id: string,
      { limit, order, after }: InputItemsQuery,
    ): Promise<Response> {
      const { input } = await find(context, id);
      const ordered = order === "asc" ? input : input.toReversed();
      const begin = after === undefined ? 0 : ordered.findIndex((item) => item["id"] === after) + 1;
      const data = ordered.slice(begin, begin + limit);
      return context.json({
        object: "list",
        data,
        first_id: data[0]?.["id"] ?? "",
        last_id: data.at(-1)?.["id"] ?? "",
        has_more: begin + limit < ordered.length,
      });
    },
  };
}

/** The same turns; the builder hears of each event first, and the end waits until it is kept. */
function follow(
  runTurn: RunTurn,
  builder: ResponseBuilder,
  told: (readonly ResponseEvent[])[],
  atEnd: (() => Promise<void>) | undefined,
): RunTurn {
  return async function* followed(turn, turnContext) {
    for await (const event of runTurn(turn, turnContext)) {
      told.push(builder.note(event));
      if (event.type === "finish") await atEnd?.();
      yield event;
    }
  };
}

function toFrame(event: ResponseEvent): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

function clientName({ var: { client } }: Context<AppEnv>): string {
  if (client !== undefined) return client.name;
  throw new CcapiError("invalid_api_key", "No API key was given."); // The routes demand one.
}
