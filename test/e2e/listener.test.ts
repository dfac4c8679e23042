// What the listening socket does with clients that read slowly. No Claude: the answer is a large body.
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { listen } from "../../src/http/listener.ts";
import { until } from "../helpers/server.ts";

const bodyBytes = 48 * 1_048_576;
const options = { host: "127.0.0.1", port: 0, maxConnections: 10, slowReaderMs: 1_200 };

async function withClient(use: (socket: Socket) => Promise<void>): Promise<void> {
  const listener = await listen(() => new Response("x".repeat(bodyBytes)), options);
  const socket = connect(listener.port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  try {
    await use(socket);
  } finally {
    socket.destroy();
    listener.destroy();
    await listener.drain();
  }
}

it("lets a client read one large answer as slowly as it likes, as long as it reads (C4)", async () => {
  await withClient(async (socket) => {
    const startedAt = performance.now();
    let received = 0;
    // A piece every few milliseconds, for longer than a client has that takes nothing.
    for await (const chunk of socket) {
      received += (chunk as Buffer).length;
      await sleep(4);
    }
    expect(received).toBeGreaterThan(bodyBytes);
    expect(performance.now() - startedAt).toBeGreaterThan(2 * options.slowReaderMs);
  });
});

it("cuts a client off that takes nothing of what waits for it (C4)", async () => {
  await withClient(async (socket) => {
    socket.pause();
    await sleep(2.5 * options.slowReaderMs);
    let received = 0;
    socket.on("data", (chunk: Buffer) => (received += chunk.length));
    socket.resume();
    await until("it is cut", () => socket.destroyed);
    expect(received).toBeLessThan(bodyBytes);
  });
});
