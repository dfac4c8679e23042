// Downloads of images over real connections: nothing but what was asked for, and nothing of this host's network.
import { once } from "node:events";
import { createServer, request, type RequestListener, type Server } from "node:http";
import type { AddressInfo, LookupFunction } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { downloadImage, type DownloadOptions } from "../../src/media/download.ts";

const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const never = new AbortController().signal;
/** 127.0.0.1 stands for a public address, 127.0.0.2 for a private one. */
const isAllowed = (address: string) => address === "127.0.0.1";
let open: Server;
let secret: Server;
let secretVisits = 0;
let answer: RequestListener;
let base: string;
let secretUrl: string;

async function listen(address: string, listener: RequestListener): Promise<Server> {
  const server = createServer(listener).listen(0, address);
  await once(server, "listening");
  return server;
}
const portOf = (server: Server) => (server.address() as AddressInfo).port; // It listens on TCP.

beforeAll(async () => {
  open = await listen("127.0.0.1", (incoming, outgoing) => answer(incoming, outgoing));
  secret = await listen("127.0.0.2", (_incoming, outgoing) => {
    secretVisits += 1;
    outgoing.end(png);
  });
  base = `http://127.0.0.1:${portOf(open)}/`;
  secretUrl = `http://127.0.0.2:${portOf(secret)}/`;
});
beforeEach(() => {
  answer = (_incoming, outgoing) => outgoing.end(png);
});
afterAll(() => {
  for (const server of [open, secret]) {
    server.closeAllConnections();
    server.close();
  }
});

const download = (url: string, more: DownloadOptions = {}, signal = never) =>
  downloadImage(url, signal, { protocol: "http:", request, isAllowed, ...more });
/** A name server that says this. */
const names =
  (...addresses: string[]): LookupFunction =>
  (_name, _options, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: 4 })),
    );

describe("a download", () => {
  it("gives an image's bytes and what they are, whatever its server says of them (B1)", async () => {
    answer = (_incoming, outgoing) => outgoing.setHeader("content-type", "text/html").end(png);
    expect(await download(base)).toEqual({ mediaType: "image/png", bytes: png });
    const named = `http://images.example:${portOf(open)}/`;
    expect((await download(named, { lookup: names("127.0.0.1") })).bytes).toEqual(png);
  });

  it("follows a redirect, and sends nothing but what a download needs (C4)", async () => {
    answer = (incoming, outgoing) => {
      if (incoming.url === "/to") outgoing.end(JSON.stringify(incoming.headers));
      else outgoing.writeHead(302, { location: "/to" }).end();
    };
    await expect(download(`${base}from`)).rejects.toThrow("it is no PNG");
    answer = (incoming, outgoing) => {
      const sent = Object.keys(incoming.headers).toSorted().join();
      if (incoming.url === "/to" && sent === "accept,accept-encoding,connection,host,user-agent") outgoing.end(png);
      else outgoing.writeHead(302, { location: "/to" }).end();
    };
    expect((await download(`${base}from`)).bytes).toEqual(png);
  });

  it("never reaches an address that is not public: named, looked up, or redirected to (C4)", async () => {
    const visits = secretVisits;
    const port = portOf(secret);
    await expect(download(secretUrl)).rejects.toThrow("can't be reached on the public internet");
    const named = `http://rebound.example:${port}/`;
    await expect(download(named, { lookup: names("127.0.0.2") })).rejects.toThrow("can't be reached");
    await expect(download(named, { lookup: names("127.0.0.1", "127.0.0.2") })).rejects.toThrow("can't be reached");
    for (const location of [secretUrl, named, `//127.0.0.2:${port}/`, `http://[::ffff:127.0.0.2]:${port}/`]) {
      answer = (_incoming, outgoing) => outgoing.writeHead(307, { location }).end();
      await expect(download(base, { lookup: names("127.0.0.2") })).rejects.toThrow("can't be reached");
    }
    expect(secretVisits).toBe(visits);
  });

  it("is not fooled by a name that changes between the look and the connection (C4)", async () => {
    const visits = secretVisits;
    let looks = 0;
    const changing: LookupFunction = (name, options, callback) => {
      looks += 1;
      names(looks === 1 ? "127.0.0.1" : "127.0.0.2")(name, options, callback);
    };
    answer = (_incoming, outgoing) =>
      outgoing.writeHead(302, { location: `http://rebound.example:${portOf(secret)}/` }).end();
    const url = `http://rebound.example:${portOf(open)}/`;
    await expect(download(url, { lookup: changing })).rejects.toThrow("can't be reached");
    expect([looks, secretVisits]).toEqual([2, visits]);
  });

  it.each([
    "http://127.0.0.1/",
    "ftp://example.com/x",
    "file:///etc/hostname",
    "https://",
    "data:image/png;base64,AA",
    "x",
  ])("takes https alone, also in a redirect: %s (C4)", async (url) => {
    await expect(downloadImage(url, never)).rejects.toThrow("not an https one");
    answer = (_incoming, outgoing) => outgoing.writeHead(302, { location: "gopher://127.0.0.1/" }).end();
    await expect(download(base)).rejects.toThrow("not an https one");
  });

  it("of an address of this host by its usual names is refused as it ships (C4)", async () => {
    for (const host of [
      "127.0.0.1",
      "2130706433",
      "0x7f.1",
      "[::1]",
      "[::ffff:127.0.0.1]",
      "169.254.169.254",
      "localhost",
    ]) {
      await expect(downloadImage(`https://${host}/`, never), host).rejects.toThrow("can't be reached");
    }
    await expect(downloadImage("https://name:password@example.com/", never)).rejects.toThrow("name or password");
  });

  it.each<[string, RequestListener, string, DownloadOptions]>([
    ["a status that is no success", (_in, out) => out.writeHead(404).end(), "status 404", {}],
    ["too many redirects", (_in, out) => out.writeHead(302, { location: "/" }).end(), "redirects too often", {}],
    ["a redirect to nowhere", (_in, out) => out.writeHead(302).end(), "redirects to nowhere", {}],
    [
      "an announced size",
      (_in, out) => out.writeHead(200, { "content-length": "99" }).end(Buffer.alloc(99)),
      "larger",
      { maxBytes: 50 },
    ],
    ["a size that shows", (_in, out) => void (out.write(png), out.end(png)), "larger", { maxBytes: 80 }],
    ["an encoding", (_in, out) => out.writeHead(200, { "content-encoding": "gzip" }).end(png), "encodes", {}],
    ["no image", (_in, out) => out.end("<html>"), "no PNG", {}],
    ["silence", () => undefined, "takes longer", { timeoutMs: 200 }],
    ["a body without end", (_in, out) => void out.write(png), "takes longer", { timeoutMs: 200 }],
    ["a connection that breaks", (incoming) => incoming.socket.destroy(), "can't be reached", {}],
  ])("ends at %s (C4)", async (_what, listener, message, more) => {
    answer = listener;
    await expect(download(base, more)).rejects.toThrow(message);
  });

  it("ends when its client has gone (C4)", async () => {
    const gone = new AbortController();
    answer = () => gone.abort(new Error("gone"));
    await expect(download(base, {}, gone.signal)).rejects.toThrow("gone");
  });
});
