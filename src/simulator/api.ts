// The Messages API's paths: credential, then body, then answer; every request leaves a record.
import type { IncomingMessage, ServerResponse } from "node:http";
import { answerBlocks } from "./answer/compose.ts";
import { MAX_BODY_BYTES, readBody } from "./body.ts";
import type { Rule } from "./contract.ts";
import type { CredentialBook, Presented } from "./credentials.ts";
import { type ApiError, createApiError, errorBody } from "./errors.ts";
import { createId } from "./message.ts";
import { findModel, listModels } from "./models.ts";
import type { PromptCache } from "./prompt-cache.ts";
import { type OpenRecord, type RecordLog, toPlainHeaders, withoutSecret } from "./record.ts";
import { createReply } from "./reply.ts";
import { isJsonObject, parseRequest } from "./request.ts";
import type { RuleBook } from "./rules.ts";
import { type Ending, type Pace, sendReply, streamReply } from "./stream.ts";
import { requestFault } from "./validate.ts";

export interface ApiParts {
  readonly credentials: CredentialBook;
  readonly rules: RuleBook;
  readonly log: RecordLog;
  readonly cache: PromptCache;
  readonly pace: Pace;
  readonly clock: () => number;
}

/** Answers one HTTP request. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly record: OpenRecord;
  readonly requestId: string;
  readonly secret: string | null;
}

export function createApi(parts: ApiParts): Handler {
  return async (request, response) => {
    const presented = presentedCredential(request);
    const secret = presented?.value ?? null;
    const requestId = createId("req");
    response.setHeader("request-id", requestId);
    const record = parts.log.open({
      at: parts.clock(),
      method: request.method ?? "GET",
      path: withoutSecret(request.url ?? "/", secret),
      headers: toPlainHeaders(request.headers, secret),
    });
    // A client that leaves gets no answer; one that got all of it has a record that is closed already.
    response.once("close", () => {
      if (record.outcome === "open") record.outcome = "aborted";
    });
    const exchange = { request, response, record, requestId, secret };
    try {
      await route(parts, exchange, presented);
    } catch (error) {
      // A rule's own function threw, most likely. Said in the API's shape; the program that embeds us goes on.
      const message = `The simulator failed: ${error instanceof Error ? error.message : String(error)}`;
      if (response.headersSent) response.destroy();
      else refuse(exchange, createApiError(500, message));
    }
  };
}

async function route(parts: ApiParts, exchange: Exchange, presented: Presented | null): Promise<void> {
  const { request, record } = exchange;
  // Not `new URL`: it throws for some paths that HTTP lets through.
  const [path = "/", query = ""] = (request.url ?? "/").split("?", 2);
  const posted = path === "/v1/messages" || path === "/v1/messages/count_tokens";
  const asked = path === "/v1/models" || path.startsWith("/v1/models/");
  if (!posted && !asked) return refuse(exchange, createApiError(404, "Not found"));

  const admission = parts.credentials.admit(presented);
  record.credential = admission.name;
  if (admission.error !== null) {
    await keepBody(parts, exchange);
    return refuse(exchange, admission.error);
  }
  if (request.method !== (posted ? "POST" : "GET")) return refuse(exchange, createApiError(405));
  if (asked) return answerModels(exchange, path, new URLSearchParams(query));
  return answerMessage(parts, exchange, path.endsWith("/count_tokens"));
}

function answerModels(exchange: Exchange, path: string, query: URLSearchParams): void {
  if (path === "/v1/models") return sendJson(exchange, listModels(query));
  const id = decode(path.slice("/v1/models/".length));
  const model = findModel(id);
  if (model === null) return refuse(exchange, createApiError(404, `model: ${id}`));
  sendJson(exchange, model);
}

async function answerMessage(parts: ApiParts, exchange: Exchange, counting: boolean): Promise<void> {
  const read = await keepBody(parts, exchange);
  if (read === null) return;
  if ("status" in read) return refuse(exchange, read);
  const fault = requestFault(read.body, counting);
  if (fault !== null) return refuse(exchange, fault);
  if (!isJsonObject(read.body)) return; // `requestFault` takes objects only

  const usage = parts.cache.measure(read.text);
  if (counting) {
    const { input_tokens, cache_creation_input_tokens, cache_read_input_tokens } = usage;
    const total = input_tokens + cache_creation_input_tokens + cache_read_input_tokens;
    return sendJson(exchange, { input_tokens: total });
  }
  const parsed = parseRequest(read.body);
  const { rule, ruleName, fault: injected } = parts.rules.choose(parsed);
  exchange.record.rule = ruleName;
  if (injected?.kind === "status") {
    const { status, message, type, headers, body } = injected;
    const error = createApiError(status, message, type);
    return refuse(exchange, { ...error, ...(headers && { headers }), ...(body !== undefined && { body }) }, "faulted");
  }
  const blocks = rule?.answer ?? (rule?.tokens === undefined ? answerBlocks(parsed) : []);
  const reply = createReply(parsed, blocks, rule, usage);
  const send = parsed.stream ? streamReply : sendReply;
  const pace = paceOf(rule, parts.pace);
  exchange.record.status = 200;
  close(exchange, await send(exchange.response, reply, pace, injected, exchange.requestId));
}

function paceOf(rule: Rule | null, standard: Pace): Pace {
  return {
    tokenDelayMs: rule?.delayMs ?? standard.tokenDelayMs,
    firstTokenDelayMs: rule?.firstTokenDelayMs ?? standard.firstTokenDelayMs,
  };
}

function close({ record, response }: Exchange, ending: Ending): void {
  record.status = response.headersSent ? response.statusCode : 0;
  record.outcome = ending === "complete" ? "answered" : ending === "faulted" ? "faulted" : "aborted";
}

/** Reads and files the body. Null: the client left; an error: it is too large or no JSON. */
async function keepBody(
  parts: ApiParts,
  { request, record, secret }: Exchange,
): Promise<{ readonly text: string; readonly body: unknown } | ApiError | null> {
  const read = await readBody(request);
  if (read === "aborted") return null;
  if (read === "too_large") {
    return createApiError(413, `Request exceeds the maximum allowed number of bytes: ${MAX_BODY_BYTES}`);
  }
  const body = parseJson(read.text);
  const clean = withoutSecret(read.text, secret);
  const kept = clean === read.text ? body : parseJson(clean);
  parts.log.keepBody(record, kept ?? null, read.bytes);
  if (body === undefined) {
    return createApiError(400, "The request body is not valid JSON");
  }
  return { text: read.text, body };
}

function refuse(exchange: Exchange, error: ApiError, outcome: "rejected" | "faulted" = "rejected"): void {
  const { request, response, record, requestId } = exchange;
  record.status = error.status;
  record.outcome = outcome;
  const retry = error.status === 429 ? { "retry-after": "1" } : {};
  // What is left of a body that is too large is not waited for.
  const connection = error.status === 413 ? { connection: "close" } : {};
  response
    .writeHead(error.status, {
      "content-type": "application/json",
      ...retry,
      ...connection,
      ...error.headers,
    })
    .end(request.method === "HEAD" ? undefined : errorBody(error, requestId));
}

function sendJson({ response, record }: Exchange, body: object): void {
  record.status = 200;
  record.outcome = "answered";
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/** `x-api-key` goes first, as in the API; an empty header is none. */
function presentedCredential(request: IncomingMessage): Presented | null {
  const key = String(request.headers["x-api-key"] ?? "").trim();
  if (key !== "") return { value: key, scheme: "api_key" };
  const bearer = /^bearer\s+(.+)$/i.exec(request.headers.authorization ?? "")?.[1]?.trim();
  return bearer === undefined || bearer === "" ? null : { value: bearer, scheme: "bearer" };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // no JSON has this value
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a broken escape: no model is called like this either way
  }
}
