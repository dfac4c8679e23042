// The listening socket: limits on what strangers may hold open, and an end that lets answers finish.
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { CcapiError } from "../auth/errors.ts";
import { toErrorBody } from "../openai/error.ts";
import { makeRequestId } from "./request-id.ts";

/** What is listened with. */
export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly maxConnections: number;
  /** A connection whose client takes nothing of what waits for it for so long is cut. Default: 60,000. */
  readonly slowReaderMs?: number;
}

/** A server that listens. */
export interface Listener {
  /** `http://127.0.0.1:3000` */
  readonly url: string;
  readonly port: number;
  /** Accepts nothing new; resolves when all answers under way have been sent. */
  drain(): Promise<void>;
  /** Cuts every connection. */
  destroy(): void;
}

/** A header's lines and a body must arrive within these times. */
const headersTimeoutMs = 20_000;
const requestTimeoutMs = 120_000;
const maxHeaderBytes = 32_768;
/** How often it is looked, within the time that a slow reader has. */
const slowChecks = 12;

/**
 * Listens.
 *
 * @throws what node throws where the address can't be had: `EADDRINUSE`, `EACCES`, …
 */
export async function listen(
  fetch: Parameters<typeof getRequestListener>[0],
  { host, port, maxConnections, slowReaderMs = 60_000 }: ListenOptions,
): Promise<Listener> {
  const answer = getRequestListener(fetch, {
    // What never became a request: a Host that is none, for one.
    errorHandler: () =>
      Response.json(toErrorBody(unreadable), {
        status: unreadable.status,
        headers: { "x-request-id": makeRequestId() },
      }),
  });
  const server = createServer(
    {
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: 5_000,
      maxHeaderSize: maxHeaderBytes,
      keepAliveTimeout: 65_000,
      noDelay: true,
      // One without a Host is answered above: node's own answer has no body.
      requireHostHeader: false,
    },
    (incoming, outgoing) => void answer(incoming, outgoing),
  );
  server.maxConnections = maxConnections;
  server.on("clientError", refuse);
  // Expectations that nobody knows are not met, and harm nobody.
  server.on("checkExpectation", (incoming, outgoing) => void answer(incoming, outgoing));
  const stopWatching = cutSlowReaders(server, slowReaderMs);
  server.listen(port, host);
  await once(server, "listening");
  const address = server.address() as AddressInfo; // A TCP server that listens has one.
  const shownHost = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return {
    url: `http://${shownHost}:${address.port}`,
    port: address.port,
    drain: () => drain(server).finally(stopWatching),
    destroy: () => server.closeAllConnections(),
  };
}

/** Cuts every connection whose client takes nothing of what waits for it for so long. */
function cutSlowReaders(server: Server, limitMs: number): () => void {
  const sockets = new Map<Socket, { left: string; stalledChecks: number }>();
  server.on("connection", (socket) => {
    sockets.set(socket, { left: "", stalledChecks: 0 });
    socket.once("close", () => sockets.delete(socket));
  });
  const timer = setInterval(() => {
    for (const [socket, seen] of sockets) {
      const left = whatIsLeft(socket);
      seen.stalledChecks = socket.writableLength > 0 && left === seen.left ? seen.stalledChecks + 1 : 0;
      seen.left = left;
      if (seen.stalledChecks >= slowChecks) socket.destroy();
    }
  }, limitMs / slowChecks).unref();
  return () => clearInterval(timer);
}

/** Changes whenever the client takes something. */
function whatIsLeft(socket: Socket): string {
  // node counts what was written by whole writes; how much of one write is left only its handle knows, by which
  // node's own time-out of a socket goes as well (lib/net.js, `_onTimeout`, Node 24).
  const { _handle: handle } = socket as Socket & { _handle?: { readonly writeQueueSize?: number } | null };
  return `${socket.bytesWritten - socket.writableLength} ${handle?.writeQueueSize}`;
}

async function drain(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  // Connections that are idle only after their answer would keep it open for as long as clients like.
  const sweep = setInterval(() => server.closeIdleConnections(), 100);
  try {
    await closed;
  } finally {
    clearInterval(sweep);
  }
}

const errorByNodeCode: Readonly<Record<string, CcapiError>> = {
  HPE_HEADER_OVERFLOW: new CcapiError("headers_too_large", `The headers are larger than ${maxHeaderBytes} bytes.`),
  ERR_HTTP_REQUEST_TIMEOUT: new CcapiError("request_too_slow", "The request did not arrive in time."),
};
const unreadable = new CcapiError("invalid_request", "This is no valid HTTP request.");

/** A request so broken that no handler ever sees it. */
function refuse(cause: NodeJS.ErrnoException, socket: Socket): void {
  if (cause.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  // What came after a good request: its answer goes out first, and nothing into the middle of it.
  const { _httpMessage: underWay } = socket as Socket & { _httpMessage?: ServerResponse | null }; // node's own note of it.
  if (underWay?.req.complete === true) {
    underWay.once("finish", () => socket.end());
    return;
  }
  // A body that broke off: whoever reads it hears of the end.
  if (underWay) {
    socket.destroy();
    return;
  }
  const error = errorByNodeCode[cause.code ?? ""] ?? unreadable;
  const body = JSON.stringify(toErrorBody(error));
  socket.end(
    `HTTP/1.1 ${error.status} Refused\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nx-request-id: ${makeRequestId()}\r\nconnection: close\r\n\r\n${body}`,
  );
}
