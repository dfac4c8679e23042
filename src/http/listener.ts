// The listening socket: limits on what strangers may hold open, and an end that lets answers finish.
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { CcapiError } from "../auth/errors.ts";
import { toErrorBody } from "../openai/error.ts";

/** What is listened with. */
export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly maxConnections: number;
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
const slowReaderMs = 60_000;
const slowCheckMs = 5_000;

/**
 * Listens.
 *
 * @throws what node throws where the address can't be had: `EADDRINUSE`, `EACCES`, …
 */
export async function listen(
  fetch: Parameters<typeof getRequestListener>[0],
  { host, port, maxConnections }: ListenOptions,
): Promise<Listener> {
  const answer = getRequestListener(fetch, {
    // What never became a request: a Host that is none, for one.
    errorHandler: () => Response.json(toErrorBody(unreadable), { status: unreadable.status }),
  });
  const server = createServer(
    {
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: 5_000,
      maxHeaderSize: maxHeaderBytes,
      keepAliveTimeout: 65_000,
      noDelay: true,
    },
    (incoming, outgoing) => void answer(incoming, outgoing),
  );
  server.maxConnections = maxConnections;
  server.on("clientError", refuse);
  const stopWatching = cutSlowReaders(server);
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

/** Cuts every connection whose client takes nothing of what waits for it for a minute. */
function cutSlowReaders(server: Server): () => void {
  const sockets = new Map<Socket, { taken: number; stalledChecks: number }>();
  server.on("connection", (socket) => {
    sockets.set(socket, { taken: 0, stalledChecks: 0 });
    socket.once("close", () => sockets.delete(socket));
  });
  const timer = setInterval(() => {
    for (const [socket, seen] of sockets) {
      const taken = socket.bytesWritten - socket.writableLength;
      const isStalled = socket.writableLength > 0 && taken === seen.taken;
      seen.stalledChecks = isStalled ? seen.stalledChecks + 1 : 0;
      seen.taken = taken;
      if (seen.stalledChecks * slowCheckMs >= slowReaderMs) socket.destroy();
    }
  }, slowCheckMs).unref();
  return () => clearInterval(timer);
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
    `HTTP/1.1 ${error.status} Refused\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
