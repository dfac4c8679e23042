// The listening socket of a real server: odd requests, clients that don't read, and 100 malformed requests.
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { chat, clientKey, processesOf, startServer, type TestServer, until } from "../helpers/server.ts";

let simulator: Simulator;
let server: TestServer;
beforeAll(async () => {
  simulator = await startSimulator();
  server = await startServer({
    upstream: simulator.url,
    flags: ["--max-concurrent", "2", "--request-timeout-ms", "20000"],
  });
});
afterAll(async () => {
  await server.stop();
  await simulator.close();
});
beforeEach(() => simulator.setRules([]));

/** Sends bytes; resolves to all that comes until the server or we close. */
function send(bytes: string, { closeAfterMs = 5_000 } = {}): Promise<string> {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve) => {
    let received = "";
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    const timer = setTimeout(() => socket.end(), closeAfterMs);
    socket.setEncoding("utf8").on("data", (text: string) => (received += text));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(received);
    });
  });
}

const head = (more: string) =>
  `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${clientKey}\r\nConnection: close\r\n${more}\r\n`;
const question = JSON.stringify(chat("Say exactly: hi"));

describe("a request", () => {
  it("in chunks is answered as one with a length (B1)", async () => {
    const body = `${question.length.toString(16)}\r\n${question}\r\n0\r\n\r\n`;
    const answer = await send(head("Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n") + body);
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer).toContain("hi");
  });

  it("whose chunks never end is refused at the limit (C4)", async () => {
    await using small = await startServer({ upstream: simulator.url, flags: ["--max-body-bytes", "1024"] });
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(new TextEncoder().encode("x".repeat(512))),
    });
    const response = await fetch(`${small.url}/v1/chat/completions`, {
      method: "POST",
      body,
      duplex: "half",
      headers: { authorization: `Bearer ${clientKey}`, "content-type": "application/json" },
    });
    expect(response.status).toBe(413);
  });

  it.each(["application/json;", "application/json ; charset=utf-8", "application/vnd.a1+json", "Application/JSON"])(
    "sent as %s is JSON (B1)",
    async (type) => {
      const response = await server.post("/v1/chat/completions", question, { headers: { "content-type": type } });
      expect(response.status).toBe(200);
    },
  );

  it.each([
    ["that is no HTTP", "hello\r\n\r\n", "invalid_request"],
    ["with headers beyond all measure", head(`X-Long: ${"x".repeat(40_000)}\r\n`), "headers_too_large"],
    ["without a host", "GET /health HTTP/1.1\r\nConnection: close\r\n\r\n", "invalid_request"],
    ["for a host that is none", "GET /health HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n", "invalid_request"],
    ["with a wish that nobody knows", head("Expect: a-miracle\r\nContent-Length: 0\r\n"), "unsupported_media_type"],
  ])("%s gets an answer in the envelope with an id, and harms nobody (C4)", async (_what, bytes, code) => {
    const answer = await send(bytes);
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(answer).toContain(`"code":"${code}"`);
    expect(answer).toMatch(/\r\nx-request-id: req_[0-9a-f]{32}\r\n/i);
    expect((await server.get("/health")).status).toBe(200);
  });

  it("broken off in its upload is the client's doing, not an error of ours (C4)", async () => {
    const bytes = head(`Content-Type: application/json\r\nContent-Length: 5000\r\n`) + question;
    await send(bytes, { closeAfterMs: 200 });
    await until("it is logged", () => server.log().includes("client_closed_request"));
    expect(server.log()).not.toContain("Unforeseen");
  });
});

describe("a client", () => {
  it("that stops reading its stream and leaves gives its place back (C4)", async () => {
    simulator.setRules([{ when: "flood", tokens: 60_000 }]);
    const body = JSON.stringify(chat("flood", { stream: true }));
    const { hostname, port } = new URL(server.url);
    const sockets = [1, 2].map(() => {
      const socket = connect(Number(port), hostname);
      socket.on("error", () => undefined);
      socket.pause();
      socket.write(`${head(`Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`)}${body}`);
      return socket;
    });
    await until(
      "both run",
      () => simulator.requests.filter(({ body: sent }) => JSON.stringify(sent).includes("flood")).length >= 2,
    );
    await sleep(3_000);
    for (const socket of sockets) socket.destroy();
    simulator.setRules([]);
    const startedAt = performance.now();
    expect((await server.post("/v1/chat/completions", question)).status).toBe(200);
    expect(performance.now() - startedAt).toBeLessThan(18_000);
  });
});

describe("100 malformed requests", () => {
  it("get no 500, stop nothing and leave no process (B1, C4)", async () => {
    const body = fc.oneof(
      fc.string({ unit: "binary", maxLength: 300 }),
      fc.json({ maxDepth: 3 }),
      fc
        .record({ model: fc.constantFrom("sonnet", "claude-code", "x"), messages: fc.anything({ maxDepth: 3 }) })
        .map((value) => JSON.stringify(value) ?? ""),
      fc.integer({ min: 1, max: 60 }).map((cut) => question.slice(0, cut)),
    );
    const type = fc.constantFrom("application/json", "text/plain", 'application/json;charset="', "");
    await fc.assert(
      fc.asyncProperty(body, type, async (text, contentType) => {
        const response = await server.post("/v1/chat/completions", text === "" ? "{" : text, {
          headers: { "content-type": contentType },
        });
        expect(response.status).toBeGreaterThanOrEqual(400);
        expect(response.status).toBeLessThan(500);
        expect(await response.json()).toHaveProperty("error.code");
      }),
      { numRuns: 100 },
    );
    expect((await server.get("/health")).status).toBe(200);
    await until("no process", async () =>
      (await processesOf(server.home)).every((command) => command.includes("watchdog")),
    );
    expect(server.log()).not.toContain("Unforeseen");
  });
});
