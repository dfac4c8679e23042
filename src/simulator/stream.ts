// A reply → HTTP: as server-sent events, one write each, or as one JSON body. Knows nothing of rules or credentials.
import type { ServerResponse } from "node:http";
import type { Fault } from "./contract.ts";
import { createApiError, errorBody } from "./errors.ts";
import { blockStart, blockStop, deltasOf, endEvent, MESSAGE_STOP, PING, startEvent, toMessage } from "./events.ts";
import type { Reply } from "./reply.ts";

export interface Pace {
  readonly tokenDelayMs: number;
  readonly firstTokenDelayMs: number;
}

/** A fault that strikes after the reply began. */
export type StreamFault = Exclude<Fault, { kind: "status" }>;

/** How it ended. `left`: the client closed the connection. */
export type Ending = "complete" | "faulted" | "left";

/** Streams the reply. Resolves when it is sent, has met its fault, or the client has left. */
export async function streamReply(
  response: ServerResponse,
  reply: Reply,
  pace: Pace,
  fault: StreamFault | null,
  requestId: string,
): Promise<Ending> {
  const faultAfter = fault?.afterDeltas ?? Number.POSITIVE_INFINITY;
  if (fault !== null && faultAfter <= 0 && fault.kind !== "mid-stream-error") {
    return meetFault(response, fault, requestId);
  }
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
  });
  response.write(startEvent(reply));
  response.write(PING);

  const paced = pace.tokenDelayMs > 0 || pace.firstTokenDelayMs > 0;
  const startedAt = performance.now();
  let sent = 0;
  let index = 0;
  for (const block of reply.blocks) {
    response.write(blockStart(index, block));
    for (const delta of deltasOf(index, block)) {
      if (sent >= faultAfter && fault !== null) return meetFault(response, fault, requestId);
      if (paced) {
        // Against the start and not the last delta: timers are late, and that must not add up.
        const dueAt = startedAt + pace.firstTokenDelayMs + sent * pace.tokenDelayMs;
        await sleepUntil(response, dueAt);
      }
      if (response.destroyed) return "left";
      if (!response.write(delta) && response.writableLength > 4e6) {
        await drained(response);
      }
      sent += 1;
    }
    response.write(blockStop(index));
    index += 1;
  }
  if (fault !== null) return meetFault(response, fault, requestId);
  if (response.destroyed) return "left";
  response.write(endEvent(reply));
  response.end(MESSAGE_STOP);
  return "complete";
}

/** Sends the reply as one JSON body, after the time that streaming it would have taken. */
export async function sendReply(
  response: ServerResponse,
  reply: Reply,
  pace: Pace,
  fault: StreamFault | null,
  requestId: string,
): Promise<Ending> {
  if (fault !== null) return meetFault(response, fault, requestId);
  const deltas = reply.blocks.reduce((sum, block) => sum + block.pieces.length, 0);
  const waitMs = pace.firstTokenDelayMs + deltas * pace.tokenDelayMs;
  if (waitMs > 0) await sleepUntil(response, performance.now() + waitMs);
  if (response.destroyed) return "left";
  const body = JSON.stringify(toMessage(reply));
  response.writeHead(200, { "content-type": "application/json" }).end(body);
  return "complete";
}

async function meetFault(response: ServerResponse, fault: StreamFault, requestId: string): Promise<Ending> {
  if (fault.kind === "mid-stream-error") {
    const status = fault.type === undefined ? 529 : 500;
    const error = createApiError(status, fault.message, fault.type);
    const body = errorBody(error, requestId);
    if (response.headersSent) response.end(`event: error\ndata: ${body}\n\n`);
    else response.writeHead(status, { "content-type": "application/json" }).end(body);
  } else if (fault.kind === "drop") {
    // What was written goes out first: the client is to see a beginning without an end.
    if (response.headersSent) await new Promise((resolve) => response.write("", resolve));
    response.destroy();
  } else {
    await new Promise<void>((resolve) => {
      if (response.destroyed) resolve();
      else response.once("close", resolve);
    });
  }
  return "faulted";
}

/** Waits until `performance.now()` is `atMs`, or the client leaves. */
function sleepUntil(response: ServerResponse, atMs: number): Promise<void> {
  const waitMs = atMs - performance.now();
  if (waitMs <= 0 || response.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      response.off("close", finish);
      resolve();
    };
    const timer = setTimeout(finish, waitMs);
    response.once("close", finish);
  });
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      response.off("drain", finish).off("close", finish);
      resolve();
    };
    response.once("drain", finish).once("close", finish);
  });
}
