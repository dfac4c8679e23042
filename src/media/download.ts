// Downloads one image for a client, who must not reach this host's network by it: every address that is connected to is looked at,
// on the way of each redirect, by the very lookup that the connection uses and again on the connection itself.
import { lookup as dnsLookup } from "node:dns";
import type { IncomingMessage } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { isPublicAddress } from "./address.ts";
import { sniff } from "./inline.ts";

/** How a download is made; every field has a default, which tests replace. */
export interface DownloadOptions {
  readonly maxBytes?: number;
  /** For all of it, redirects included, in milliseconds. */
  readonly timeoutMs?: number;
  readonly maxRedirects?: number;
  readonly isAllowed?: (address: string) => boolean;
  readonly protocol?: "https:" | "http:";
  readonly request?: typeof httpsRequest;
  readonly lookup?: LookupFunction;
}

/** An image's bytes. */
export interface Downloaded {
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** Why an image could not be had, in words for the client. It says no more of an address than that it is not for it. */
export class DownloadError extends Error {}

const defaults = {
  maxBytes: 10 * 1024 * 1024,
  timeoutMs: 10_000,
  maxRedirects: 3,
  isAllowed: isPublicAddress,
  protocol: "https:",
  request: httpsRequest,
  lookup: dnsLookup as LookupFunction, // The same function; Node's types name its overloads apart.
} as const;

/**
 * Downloads an image.
 *
 * @throws DownloadError where it can't be had; the signal's reason where that is aborted.
 */
export async function downloadImage(
  url: string,
  signal: AbortSignal,
  given: DownloadOptions = {},
): Promise<Downloaded> {
  const options = { ...defaults, ...given };
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const both = AbortSignal.any([signal, deadline]);
  try {
    let next = toUrl(url, options.protocol);
    for (let redirects = 0; redirects <= options.maxRedirects; redirects += 1) {
      const response = await ask(next, options, both);
      const { statusCode = 0, headers } = response;
      if (statusCode < 300 || statusCode > 399) return await readImage(response, options.maxBytes, both);
      response.destroy();
      if (headers.location === undefined) throw new DownloadError("its server redirects to nowhere");
      next = toUrl(headers.location, options.protocol, next.href);
    }
    throw new DownloadError("its server redirects too often");
  } catch (error) {
    signal.throwIfAborted();
    if (deadline.aborted) throw new DownloadError(`it takes longer than ${options.timeoutMs / 1_000} s`);
    throw error instanceof DownloadError ? error : unreachable();
  }
}

function toUrl(text: string, protocol: string, base?: string): URL {
  const url = URL.canParse(text, base) ? new URL(text, base) : undefined;
  if (url?.protocol !== protocol) throw new DownloadError("its URL is not an https one");
  if (url.username !== "" || url.password !== "") throw new DownloadError("its URL holds a name or password");
  return url;
}

type Options = Required<DownloadOptions>;

function ask(url: URL, { isAllowed, request, lookup }: Options, signal: AbortSignal): Promise<IncomingMessage> {
  const host = url.hostname.replaceAll(/^\[|\]$/g, "");
  // For an address nothing is looked up.
  if (isIP(host) !== 0 && !isAllowed(host)) throw unreachable();
  const options: RequestOptions = {
    signal,
    lookup: guarded(lookup, isAllowed),
    agent: false, // A connection of its own, looked at below.
    headers: { accept: "image/*", "accept-encoding": "identity", "user-agent": "ccapi" },
  };
  return new Promise((resolve, reject) => {
    const asked = request(url, options, resolve);
    asked.on("error", reject);
    asked.on("socket", (socket) => {
      socket.once("connect", () => {
        if (!isAllowed(socket.remoteAddress ?? "")) asked.destroy(unreachable());
      });
    });
    asked.end();
  });
}

/** A lookup that gives no address that is not allowed, whatever a name server says this time. */
function guarded(lookup: LookupFunction, isAllowed: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      const addresses = Array.isArray(found) ? found : [];
      const [first] = addresses;
      if (error !== null || first === undefined || !addresses.every(({ address }) => isAllowed(address))) {
        callback(unreachable(), "");
      } else if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

async function readImage(response: IncomingMessage, maxBytes: number, signal: AbortSignal): Promise<Downloaded> {
  const tooLarge = () => new DownloadError(`it is larger than ${maxBytes / 1024 / 1024} MiB`);
  try {
    if (response.statusCode !== 200) throw new DownloadError(`its server answers with status ${response.statusCode}`);
    const { "content-encoding": encoding = "identity", "content-length": length } = response.headers;
    if (encoding !== "identity") throw new DownloadError("its server encodes it unasked");
    if (Number(length) > maxBytes) throw tooLarge();
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      signal.throwIfAborted();
      size += chunk.length;
      if (size > maxBytes) throw tooLarge();
      chunks.push(chunk);
    }
    const bytes = Buffer.concat(chunks);
    const mediaType = sniff(bytes);
    if (mediaType?.startsWith("image/") !== true) throw new DownloadError("it is no PNG, JPEG, GIF or WebP image");
    return { mediaType, bytes };
  } finally {
    response.destroy();
  }
}

/** One for all: whether a name leads to a private address, to nowhere or to a closed port is not the client's to learn. */
function unreachable(): DownloadError {
  return new DownloadError("its server can't be reached on the public internet");
}
