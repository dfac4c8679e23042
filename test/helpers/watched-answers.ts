// Every answer that a test gets of the server is held against its API's schemas, without the test asking for it: whole bodies,
// each event of a stream, and what the schemas can't say of a stream. Faults are gathered; test/helpers/watch.ts fails the test.
import * as anthropic from "./anthropic-schema.ts";
import { createStreamOrder } from "./anthropic-stream.ts";
import { describeFaults, type Faults, faultsOf } from "./openai-schema.ts";

const found: string[] = [];
const servers = new Set<string>();

/** Watches what comes from this address until `gone`: another server may have it after that. */
export function watchServer(url: string, gone: Promise<unknown>): void {
  const { origin } = new URL(url);
  servers.add(origin);
  void gone.then(() => servers.delete(origin));
}

/** Whether the server at this address is one of ours. */
export function isWatched(origin: string): boolean {
  return servers.has(origin);
}

/** What has been found since it was last asked, at most five. Forgets it. */
export function takeFaults(): string[] {
  return found.splice(0).slice(0, 5);
}

/** The same response; what is read of it is looked at. A body of JSON is looked at in any case. */
export async function watched(method: string, path: string, response: Response): Promise<Response> {
  const where = `${method} ${path} → ${response.status}`;
  if (!response.headers.has("x-request-id")) found.push(`${where}: no x-request-id`);
  const type = response.headers.get("content-type") ?? "";
  // Which Anthropic's clients alone get.
  const isAnthropic = response.headers.has("request-id");
  if (response.body === null) return response;
  if (type.startsWith("application/json")) {
    const text = await response.text();
    if (isAnthropic) noteAnthropic(where, path, response.status, parse(text));
    const what = isAnthropic ? undefined : kindOfBody(method, path, response.status);
    if (what !== undefined) note(where, what, parse(text));
    return likewise(response, text);
  }
  // Ours alone; its own tests read it.
  if (path === "/dashboard/events") return response;
  if (type.startsWith("text/event-stream")) {
    const streamOf = isAnthropic ? messageStream : path.startsWith("/v1/responses") ? responseStream : chatStream;
    return likewise(response, response.body.pipeThrough(watching(streamOf(where))));
  }
  return response;
}

type Kind = keyof typeof faultsOf;

/** What a body of JSON has to be; undefined where that is not OpenAI's to say. */
function kindOfBody(method: string, path: string, status: number): Kind | undefined {
  // A failed refresh and a server that is not ready are answers, and have shapes of their own.
  if (status >= 400)
    return /^\/(?:health\/(?:ready|auth\/refresh)|dashboard\/refresh)$/.test(path) ? undefined : "errorBody";
  if (path === "/v1/models") return "modelList";
  if (path.startsWith("/v1/models/")) return "model";
  if (path === "/v1/chat/completions") return "chatCompletion";
  if (/^\/v1\/responses\/[^/]+\/input_items$/.test(path)) return "responseItemList";
  if (/^\/v1\/responses(?:\/[^/]+)?$/.test(path) && method !== "DELETE") return "response";
  return undefined;
}

/** One event of a stream, or its end (`undefined`). */
type Look = (event: { readonly name: string | undefined; readonly data: string } | undefined) => void;

function chatStream(where: string): Look {
  let first: { readonly id: unknown; readonly model: unknown } | undefined;
  let end: "[DONE]" | "error" | undefined;
  const finished = new Set<number>();
  return (event) => {
    if (event === undefined)
      return end === undefined ? fault(where, "the stream ended without [DONE] or an error") : undefined;
    if (end !== undefined) return fault(where, `an event after ${end}: ${event.data}`);
    if (event.data === "[DONE]") {
      end = "[DONE]";
      return;
    }
    const chunk = parse(event.data) as Chunk; // Held against the schema in the next lines.
    if (Object.hasOwn(Object(chunk), "error")) {
      end = "error";
      return note(where, "errorBody", chunk);
    }
    note(where, "chatChunk", chunk);
    first ??= chunk;
    if (chunk.id !== first.id || chunk.model !== first.model) fault(where, `another id or model in ${event.data}`);
    for (const choice of chunk.choices ?? []) {
      if (finished.has(choice.index)) fault(where, `a choice goes on after its end: ${event.data}`);
      if (choice.finish_reason !== null) finished.add(choice.index);
    }
  };
}

interface Chunk {
  readonly id: unknown;
  readonly model: unknown;
  readonly choices?: readonly { readonly index: number; readonly finish_reason: string | null }[];
}

function responseStream(where: string): Look {
  let next = 0;
  let isOver = false;
  let isError = false;
  return (event) => {
    if (event === undefined) return isOver ? undefined : fault(where, "the stream ended without its last event");
    if (event.data === "[DONE]") return undefined;
    const body = parse(event.data) as { readonly type: string; readonly sequence_number: number }; // Held against the schema next.
    // An error's event comes before the response's own end, as the live API has it.
    const isEnd = isError && body.type === "response.failed";
    if (isOver && !isEnd) return fault(where, `an event after the last: ${event.data}`);
    isError = body.type === "error";
    note(where, "responseEvent", body);
    if (body.sequence_number !== next) fault(where, `not sequence_number ${next}: ${event.data}`);
    next = body.sequence_number + 1;
    if (event.name !== body.type) fault(where, `the event ${event.name} has the type ${body.type}`);
    isOver = /^(?:error|response\.(?:completed|failed|incomplete))$/.test(body.type);
  };
}

function messageStream(where: string): Look {
  const order = createStreamOrder();
  return (event) => {
    const faults = event === undefined ? order.end() : order.next(event.name, parse(event.data));
    for (const words of faults) fault(where, words);
  };
}

function noteAnthropic(where: string, path: string, status: number, value: unknown): void {
  const schema = status >= 400 ? anthropic.errorBody : anthropicBodies.find(([pattern]) => pattern.test(path))?.[1];
  const parsed = schema?.safeParse(value);
  for (const issue of parsed?.error?.issues ?? []) fault(where, `${issue.path.join(".")} ${issue.message}`);
}

const anthropicBodies = [
  [/^\/v1\/messages$/, anthropic.message],
  [/^\/v1\/messages\/count_tokens$/, anthropic.tokenCount],
  [/^\/v1\/models$/, anthropic.modelPage],
  [/^\/v1\/models\//, anthropic.model],
] as const;

/** Passes a stream on as it is, and shows each of its events. */
function watching(look: Look): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder();
  let rest = "";
  return new TransformStream({
    transform(bytes, controller) {
      controller.enqueue(bytes);
      const blocks = (rest + decoder.decode(bytes, { stream: true })).split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (data !== undefined) look({ name: /^event: (.*)$/m.exec(block)?.[1], data });
      }
    },
    flush: () => look(undefined),
  });
}

function note(where: string, what: Kind, value: unknown): void {
  const faults: Faults = faultsOf[what](value);
  if (faults.length > 0) fault(where, describeFaults(what, value, faults));
}

function fault(where: string, words: string): void {
  found.push(`${where}: ${words}`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return `no JSON: ${text.slice(0, 200)}`;
  }
}

/** A response with another body. Its address goes along: clients look at it. */
function likewise(response: Response, body: string | ReadableStream<Uint8Array>): Response {
  const { status, statusText, headers, url } = response;
  return Object.defineProperty(new Response(body, { status, statusText, headers }), "url", { value: url });
}
