// How the commands see a server that does not answer, or not to the end. Real connections, no Claude.
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { check } from "../../src/cli/check.ts";
import { createRemote, UnreachableError } from "../../src/cli/remote.ts";

async function serve(answer: (...given: Parameters<RequestListener>) => unknown) {
  const server = createServer((request, response) => void answer(request, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // TCP has one.
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

it("takes a server for unreachable that breaks the connection before it answers (E3)", async () => {
  await using server = await serve((_request, response) => void response.destroy());
  const asked = createRemote({ url: server.url, key: undefined }).get("/health/auth");
  await expect(asked).rejects.toThrow(UnreachableError);
  await expect(asked).rejects.toThrow("ECONNRESET");
});

it("waits for the head of an answer no longer than it says (E3)", async () => {
  await using server = await serve(() => undefined);
  const asked = createRemote({ url: server.url, key: undefined }, 200).get("/health/auth");
  await expect(asked).rejects.toThrow("no answer within 0.2 s");
});

it("hands over key and body, and what came of an answer that was cut off (E3)", async () => {
  let seen: unknown;
  await using server = await serve(async (request, response) => {
    const { method, url, headers } = request;
    let body = "";
    for await (const chunk of request) body += String(chunk);
    seen = { method, url, key: headers.authorization, type: headers["content-type"], body };
    response.writeHead(200).write("Gr\u00fc", () => setTimeout(() => response.destroy(), 50));
  });
  const reply = await createRemote({ url: server.url, key: "k" }).post("/path?x=1", { a: "ö" });
  expect(reply).toMatchObject({ status: 200, text: "Gr\u00fc", isComplete: false, json: undefined });
  expect(seen).toEqual({
    method: "POST",
    url: "/path?x=1",
    key: "Bearer k",
    type: "application/json",
    body: '{"a":"ö"}',
  });
});

it("lets a check tell a stream that was cut off from a server that is not there (E3)", async () => {
  await using server = await serve(async (request, response) => {
    if (request.url === "/health/auth") {
      return void response.end(JSON.stringify({ status: "authenticated", authentication: { state: "authenticated" } }));
    }
    response.writeHead(200).write('data: {"a":1}\n\ndata: {"b":2}\n\n', () => setTimeout(() => response.destroy(), 50));
  });
  const lines: string[] = [];
  const output = { line: (text: string) => void lines.push(text), error: (text: string) => void lines.push(text) };
  const remote = createRemote({ url: server.url, key: undefined });
  expect(await check(remote, { model: "haiku", withRefresh: false }, output)).toBe(1);
  expect(lines[1]).toBe("FAILED completion  HTTP 200, cut off");
  expect(lines[2]).toMatch(/^FAILED stream {6}2 events, cut off/);
});
