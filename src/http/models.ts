// GET /v1/models and /v1/models/:id, in the shape of the API whose client asks.
import type { Context } from "hono";
import * as anthropic from "../anthropic/models.ts";
import { resolveModel } from "../names/models.ts";
import * as openai from "../openai/models.ts";
import type { AnswerPorts } from "./answer.ts";
import type { AppEnv } from "./app-env.ts";
import { speaksAnthropic } from "./dialect.ts";

/** Makes the handlers. */
export function modelHandlers({ modelAliases }: Pick<AnswerPorts, "modelAliases">) {
  return {
    list(context: Context<AppEnv>): Response {
      if (speaksAnthropic(context)) return context.json(anthropic.listModels(modelAliases, context.req.query()));
      return context.json({ object: "list", data: openai.listModels(modelAliases) });
    },
    get(context: Context<AppEnv>, id: string): Response {
      resolveModel(id, modelAliases);
      return context.json(speaksAnthropic(context) ? anthropic.toModelObject(id) : openai.toModelObject(id));
    },
  };
}
