// DATA: the routes, with the schemas that validate them. openapi.ts makes a document of them, and adds what holds for all.
import { createRoute, z } from "@hono/zod-openapi";
import { countTokensRequest, messagesRequest } from "../anthropic/request.ts";
import { sessionId } from "../names/session-id.ts";
import { chatRequest } from "../openai/chat/request.ts";
import { responseRequest } from "../openai/responses/request.ts";

const answer = (description: string) => ({ description });
const failures = { default: answer("An error in OpenAI's envelope. docs/errors.md lists every code.") };
const anthropicFailures = { default: answer("An error in Anthropic's envelope. docs/errors.md lists every code.") };

const modelId = z.object({
  id: z
    .string()
    .max(256)
    .openapi({ param: { name: "id", in: "path" }, example: "claude-code" }),
});
const sessionParam = z.object({ id: sessionId });

/** What the process says of itself. */
export const healthRoutes = {
  health: createRoute({
    method: "get",
    path: "/health",
    summary: "Whether the server works; with a key, what is known of the Claude credential",
    responses: { 200: answer("While the process serves, whatever its state"), ...failures },
  }),
  live: createRoute({
    method: "get",
    path: "/health/live",
    summary: "Whether the process runs",
    responses: { 200: answer("It does"), ...failures },
  }),
  ready: createRoute({
    method: "get",
    path: "/health/ready",
    summary: "Whether new requests are welcome",
    responses: { 200: answer("They are"), 503: answer("Starting, or shutting down"), ...failures },
  }),
};

/** The description of all this. */
export const docsRoutes = {
  document: createRoute({
    method: "get",
    path: "/openapi.json",
    summary: "This description, as OpenAPI 3.1",
    responses: { 200: answer("The document"), ...failures },
  }),
  page: createRoute({
    method: "get",
    path: "/docs",
    summary: "This description, as a page",
    responses: { 200: { ...answer("The page"), content: { "text/html": { schema: z.string() } } }, ...failures },
  }),
};

/** Metrics. */
export const metricsRoute = createRoute({
  method: "get",
  path: "/metrics",
  summary: "Metrics for Prometheus",
  responses: { 200: answer("Prometheus' text format"), ...failures },
});

/** The Claude credential. */
export const authRoutes = {
  status: createRoute({
    method: "get",
    path: "/health/auth",
    summary: "All that is known of the Claude credential",
    responses: { 200: answer("Its state, what that rests on, and what to do"), ...failures },
  }),
  refresh: createRoute({
    method: "post",
    path: "/health/auth/refresh",
    summary: "Renews the Claude credential now; for administrators",
    responses: {
      200: answer("It was renewed and proven"),
      429: answer("Too soon after the last one"),
      502: answer("It could not be renewed"),
      ...failures,
    },
  }),
};

/** Models. */
export const modelRoutes = {
  list: createRoute({
    method: "get",
    path: "/v1/models",
    summary: "Lists the models",
    responses: {
      200: answer("OpenAI's list of models, or with the header `anthropic-version` Anthropic's"),
      ...failures,
    },
  }),
  get: createRoute({
    method: "get",
    // Names such as claude-code/opus hold a slash.
    path: "/v1/models/{id}",
    request: { params: modelId },
    summary: "Looks at one model",
    responses: { 200: answer("OpenAI's model object, or Anthropic's"), ...failures },
  }),
};

/** Sessions. */
export const sessionRoutes = {
  list: createRoute({
    method: "get",
    path: "/v1/sessions",
    summary: "Lists the sessions of this key",
    responses: { 200: answer("The sessions, newest use first"), ...failures },
  }),
  get: createRoute({
    method: "get",
    path: "/v1/sessions/{id}",
    request: { params: sessionParam },
    summary: "Looks at one session",
    responses: { 200: answer("The session"), ...failures },
  }),
  delete: createRoute({
    method: "delete",
    path: "/v1/sessions/{id}",
    request: { params: sessionParam },
    summary: "Deletes a session and its conversation",
    responses: { 200: answer("It is gone"), ...failures },
  }),
};

/** Chat completions. */
export const chatRoute = createRoute({
  method: "post",
  path: "/v1/chat/completions",
  summary: "Answers a conversation",
  request: { body: { required: true, content: { "application/json": { schema: chatRequest } } } },
  responses: { 200: answer("A chat completion, or with `stream` a stream of its chunks"), ...failures },
});

/** Anthropic's messages. */
export const messageRoutes = {
  create: createRoute({
    method: "post",
    path: "/v1/messages",
    summary: "Answers a conversation, in Anthropic's way",
    request: { body: { required: true, content: { "application/json": { schema: messagesRequest } } } },
    responses: { 200: answer("A message, or with `stream` a stream of its events"), ...anthropicFailures },
  }),
  countTokens: createRoute({
    method: "post",
    path: "/v1/messages/count_tokens",
    summary: "Estimates a request's input tokens",
    request: { body: { required: true, content: { "application/json": { schema: countTokensRequest } } } },
    responses: { 200: answer("The estimate"), ...anthropicFailures },
  }),
};

const responseParam = z.object({ id: z.string().max(256) });
const inputItemsQuery = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  order: z.enum(["asc", "desc"]).default("desc"),
  after: z.string().max(256).optional(),
});

/** OpenAI's responses. */
export const responseRoutes = {
  create: createRoute({
    method: "post",
    path: "/v1/responses",
    summary: "Answers a conversation, by OpenAI's Responses API",
    request: { body: { required: true, content: { "application/json": { schema: responseRequest } } } },
    responses: { 200: answer("A response, or with `stream` a stream of its events"), ...failures },
  }),
  get: createRoute({
    method: "get",
    path: "/v1/responses/{id}",
    request: { params: responseParam },
    summary: "Looks at a stored response",
    responses: { 200: answer("The response"), ...failures },
  }),
  delete: createRoute({
    method: "delete",
    path: "/v1/responses/{id}",
    request: { params: responseParam },
    summary: "Deletes a stored response",
    responses: { 200: answer("It is gone"), ...failures },
  }),
  cancel: createRoute({
    method: "post",
    path: "/v1/responses/{id}/cancel",
    request: { params: responseParam },
    summary: "Cancels a response that runs in the background: here none does",
    responses: { 200: answer("Never here"), ...failures },
  }),
  inputItems: createRoute({
    method: "get",
    path: "/v1/responses/{id}/input_items",
    request: { params: responseParam, query: inputItemsQuery },
    summary: "Lists the input of a stored response",
    responses: { 200: answer("A page of its items"), ...failures },
  }),
};
