// DATA: what this server's own answers look like, for the OpenAPI document. Tests hold real answers against them.
import { z } from "zod";

const timestamp = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  .meta({ example: "2025-08-24T03:53:28Z" });

const authentication = z.strictObject({
  isAuthenticated: z.boolean().nullable().meta({ description: "null until something is proven" }),
  lastRefresh: timestamp.nullable(),
  refreshCount: z.int(),
  consecutiveFailures: z.int(),
});

const credential = z.strictObject({
  ...authentication.shape,
  state: z.string().meta({ example: "authenticated" }),
  since: timestamp,
  evidence: z.strictObject({ source: z.string(), at: timestamp, ageMs: z.int() }).nullable(),
  credential: z.strictObject({
    kind: z.string(),
    expiresAt: timestamp.nullable(),
    generation: z.int(),
    renewable: z.boolean(),
  }),
  nextAttemptAt: timestamp.nullable(),
  action: z.string().nullable().meta({ description: "What a person does to mend it" }),
  coordination: z.string(),
  waiting: z.int().meta({ description: "Requests that wait for it" }),
});

const refreshed = z.strictObject({
  status: z.enum(["refreshed", "failed"]),
  timestamp,
  result: z.strictObject({ success: z.boolean(), message: z.string(), shouldRetry: z.boolean() }),
  authentication: credential,
});

const session = z.strictObject({
  id: z.string(),
  object: z.literal("session"),
  model: z.string(),
  turns: z.int(),
  cost_usd: z.number(),
  created_at: timestamp,
  last_used_at: timestamp,
  expires_at: timestamp,
});

const error = z.looseObject({
  message: z.string(),
  type: z.string(),
  param: z.string().nullable(),
  code: z.string().meta({ example: "invalid_request" }),
  state: z.string().optional().meta({ description: "Of the Claude credential, where the error is about it" }),
  action: z.string().optional().meta({ description: "What a person does to mend it" }),
});

const model = z.looseObject({ id: z.string().meta({ example: "claude-code" }) });

const response = z.looseObject({
  id: z.string(),
  object: z.literal("response"),
  created_at: z.int(),
  model: z.string(),
  status: z.enum(["completed", "incomplete"]),
  output: z.array(z.looseObject({ type: z.string(), id: z.string() })),
  usage: z.looseObject({ input_tokens: z.int(), output_tokens: z.int(), total_tokens: z.int() }),
});

/** OpenAI's error envelope. */
export const errorBody = z.looseObject({ error });

/** Anthropic's error envelope. */
export const anthropicErrorBody = z.looseObject({
  type: z.literal("error"),
  error: z.looseObject({ type: z.string(), message: z.string() }),
  request_id: z.string(),
});

/** Bodies of JSON by operation and status. */
export const answerSchemas: Readonly<Record<string, Readonly<Record<number, z.ZodType>>>> = {
  "get /openapi.json": { 200: z.looseObject({ openapi: z.literal("3.1.0"), paths: z.looseObject({}) }) },
  "get /health": {
    200: z.strictObject({
      status: z.enum(["healthy", "degraded"]),
      timestamp,
      authentication: authentication.optional().meta({ description: "With a key" }),
    }),
  },
  "get /health/live": { 200: z.strictObject({ status: z.literal("healthy"), timestamp }) },
  "get /health/ready": {
    200: z.strictObject({ status: z.literal("ready"), timestamp }),
    503: z.strictObject({ status: z.literal("not_ready"), timestamp }),
  },
  "get /health/auth": {
    200: z.strictObject({
      status: z.enum(["authenticated", "unauthenticated", "unknown"]),
      timestamp,
      authentication: credential,
    }),
  },
  "post /health/auth/refresh": {
    200: refreshed,
    429: z.strictObject({ error, status: z.literal("limited"), timestamp, authentication: credential }),
    502: refreshed,
  },
  "get /v1/models": { 200: z.looseObject({ data: z.array(model) }) },
  "get /v1/models/{id}": { 200: model },
  "get /v1/sessions": { 200: z.strictObject({ object: z.literal("list"), data: z.array(session) }) },
  "get /v1/sessions/{id}": { 200: session },
  "delete /v1/sessions/{id}": {
    200: z.strictObject({ id: z.string(), object: z.literal("session.deleted"), deleted: z.literal(true) }),
  },
  "post /v1/chat/completions": {
    200: z.looseObject({
      id: z.string(),
      object: z.literal("chat.completion"),
      created: z.int(),
      model: z.string(),
      choices: z.array(
        z.looseObject({
          index: z.int(),
          message: z.looseObject({ role: z.literal("assistant"), content: z.string().nullable() }),
          finish_reason: z.enum(["stop", "length", "tool_calls", "content_filter"]),
        }),
      ),
      usage: z.looseObject({ prompt_tokens: z.int(), completion_tokens: z.int(), total_tokens: z.int() }),
    }),
  },
  "post /v1/responses": { 200: response },
  "get /v1/responses/{id}": { 200: response },
  "delete /v1/responses/{id}": {
    200: z.strictObject({ id: z.string(), object: z.literal("response"), deleted: z.literal(true) }),
  },
  "get /v1/responses/{id}/input_items": {
    200: z.strictObject({
      object: z.literal("list"),
      data: z.array(z.looseObject({ type: z.string() })),
      first_id: z.string(),
      last_id: z.string(),
      has_more: z.boolean(),
    }),
  },
  "post /v1/messages": {
    200: z.looseObject({
      id: z.string(),
      type: z.literal("message"),
      role: z.literal("assistant"),
      model: z.string(),
      content: z.array(z.looseObject({ type: z.string() })),
      stop_reason: z.string().nullable(),
      usage: z.looseObject({ input_tokens: z.int(), output_tokens: z.int() }),
    }),
  },
  "post /v1/messages/count_tokens": { 200: z.looseObject({ input_tokens: z.int() }) },
};
