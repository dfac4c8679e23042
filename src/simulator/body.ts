// Reads a request's body within a limit. Does not parse it.
import type { IncomingMessage } from "node:http";

/** The API takes 32 MB. @see https://docs.claude.com/en/api/overview#request-size-limits (read 2026-11) */
export const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** The body as text; `too_large` above the limit, `aborted` where the client left before its end. */
export function readBody(
  request: IncomingMessage,
  limit: number = MAX_BODY_BYTES,
): Promise<{ readonly text: string; readonly bytes: number } | "too_large" | "aborted"> {
  if (Number(request.headers["content-length"] ?? 0) > limit) {
    request.resume();
    return Promise.resolve("too_large");
  }
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= limit) chunks.push(chunk);
      else {
        chunks.length = 0;
        resolve("too_large");
      }
    });
    request.on("end", () => resolve({ text: Buffer.concat(chunks).toString("utf8"), bytes }));
    request.on("close", () => resolve("aborted"));
    request.on("error", () => resolve("aborted"));
  });
}
