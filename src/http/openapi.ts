// The server's OpenAPI document: the routes with the schemas that validate them, and beside these what holds for all of them.
// It tells of no operator and no key, so whoever reaches the server may read it.
import type { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { version } from "../version.ts";
import { anthropicErrorBody, answerSchemas, errorBody } from "./answer-schemas.ts";
import type { AppEnv } from "./app-env.ts";

/** The document, and what of it we fill in. */
export interface ApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description?: string | undefined };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, unknown>> | undefined } | undefined;
}

/** One method at one path. */
export interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly security?: readonly object[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema?: unknown; readonly example?: unknown }>>;
  };
  readonly responses: Readonly<Record<string, ApiResponse>>;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: unknown;
}

interface ApiResponse {
  readonly description: string;
  readonly headers?: object;
  readonly content?: Readonly<Record<string, { readonly schema?: unknown }>>;
}

const bearerOrHeader = [{ bearer: [] }, { xApiKey: [] }];
const text = { schema: { type: "string" } };

const requestIdHeader = { "x-request-id": { description: "The id of the request, as the log names it", ...text } };
const retryHeaders = {
  "retry-after": { description: "Seconds to wait, where waiting helps", schema: { type: "integer" } },
  "retry-after-ms": { description: "The same in milliseconds", schema: { type: "integer" } },
  "x-should-retry": { description: "false where only a person can mend it", schema: { enum: ["true", "false"] } },
};
const turnHeaders = {
  "x-session-id": { description: "The session that was continued", ...text },
  "x-ignored-parameters": { description: "Names of parameters without effect", ...text },
  "idempotency-replayed": { description: "true where the answer is that of an earlier request", ...text },
};
const turnParameters: readonly Parameter[] = [
  {
    name: "X-Session-Id",
    in: "header",
    description: "Continues a conversation that the server keeps",
    schema: { type: "string", pattern: "^[A-Za-z0-9._-]{1,128}$" },
  },
  {
    name: "Idempotency-Key",
    in: "header",
    description: "The same key and body is the same request for ten minutes",
    schema: { type: "string", minLength: 1, maxLength: 255 },
  },
];

const question = { model: "sonnet", messages: [{ role: "user", content: "Hello" }] };
const examples: Readonly<Record<string, unknown>> = {
  "post /v1/chat/completions": question,
  "post /v1/responses": { model: "sonnet", input: "Hello" },
  "post /v1/messages": { ...question, max_tokens: 1_024 },
  "post /v1/messages/count_tokens": question,
};

/** Makes the document of all routes that the app has. */
export function describeApi(app: OpenAPIHono<AppEnv>): ApiDocument {
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", { type: "http", scheme: "bearer" });
  app.openAPIRegistry.registerComponent("securitySchemes", "xApiKey", {
    type: "apiKey",
    in: "header",
    name: "x-api-key",
  });
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "ccapi",
      version,
      description: "Claude Code for OpenAI's and Anthropic's clients.",
      license: { name: "MIT" },
    },
    servers: [{ url: "/" }],
  }) as unknown as ApiDocument; // Made of our routes: it has paths, and of their operations we know the rest.
  const paths = mapValues(document.paths, (methods, path) =>
    mapValues(methods, (operation, method) => complete(`${method} ${path}`, operation)),
  );
  return { ...document, paths };
}

function complete(name: string, operation: Operation): Operation {
  const isTurn = name in examples;
  const isAnthropic = name.includes("/v1/messages");
  const isOpen = /\/health(?:\/live|\/ready)?$|\/(?:openapi\.json|docs)$/.test(name);
  const responses = mapValues(operation.responses, (response, status): ApiResponse => {
    const isFailure = status === "default" || Number(status) >= 400;
    const schema = answerSchemas[name]?.[Number(status)] ?? (isAnthropic ? anthropicErrorBody : errorBody);
    const content = {
      ...(isFailure || answerSchemas[name] !== undefined ? { "application/json": { schema: toSchema(schema) } } : {}),
      ...(isTurn && !isFailure && !name.endsWith("count_tokens") ? { "text/event-stream": text } : {}),
      ...(name === "get /metrics" && !isFailure ? { "text/plain": text } : {}),
      ...response.content,
    };
    const headers = {
      ...requestIdHeader,
      ...(isFailure ? retryHeaders : {}),
      ...(isTurn && !isFailure ? turnHeaders : {}),
    };
    return { ...response, headers, ...(Object.keys(content).length === 0 ? {} : { content }) };
  });
  return {
    ...operation,
    operationId: name.replaceAll(/[^a-z0-9]+/gi, "_").replace(/_$/, ""),
    // A key is never wrong at an open path; at /health it shows more.
    security: isOpen ? [{}, ...(name.endsWith("/health") ? bearerOrHeader : [])] : bearerOrHeader,
    ...(isTurn ? { parameters: [...(operation.parameters ?? []), ...turnParameters] } : {}),
    ...(operation.requestBody === undefined
      ? {}
      : {
          requestBody: {
            ...operation.requestBody,
            content: mapValues(operation.requestBody.content, (body) => ({ ...body, example: examples[name] })),
          },
        }),
    responses,
  };
}

function toSchema(schema: z.ZodType): object {
  const { $schema: _dialect, ...bare } = z.toJSONSchema(schema);
  return bare;
}

function mapValues<T, U>(values: Readonly<Record<string, T>>, change: (value: T, key: string) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value, key)]));
}
