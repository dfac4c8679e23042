// Images by URL in a turn: who may have them fetched, how many, and what becomes of the turn.
import { describe, expect, it } from "vitest";
import { DownloadError, type Downloaded } from "../../src/media/download.ts";
import { createFetchImages } from "../../src/media/fetch-images.ts";
import type { ContentBlock, Turn } from "../../src/turn/turn.ts";
import { assistantSaid, makeTurn, user } from "../helpers/turns.ts";

const image = (url: string): ContentBlock => ({ type: "image", source: { type: "url", url } });
const inline = (bytes: string): ContentBlock => ({
  type: "image",
  source: { type: "base64", media_type: "image/png", data: Buffer.from(bytes).toString("base64") },
});
const turnOf = (...content: ContentBlock[]): Turn => makeTurn({ messages: [{ role: "user", content }] });
const never = new AbortController().signal;
const download = async (url: string): Promise<Downloaded> => ({ mediaType: "image/png", bytes: Buffer.from(url) });

describe("images by URL", () => {
  it("are put in their place, also within a tool's result, each fetched once (B1)", async () => {
    const asked: string[] = [];
    const fetchImages = createFetchImages({ isAllowed: true, download: (url) => (asked.push(url), download(url)) });
    const result: ContentBlock = { type: "tool_result", tool_use_id: "t", content: [image("b"), image("a")] };
    const turn = await fetchImages(turnOf(image("a"), { type: "text", text: "x" }, result), never);
    expect(turn.messages[0]?.content).toEqual([
      inline("a"),
      { type: "text", text: "x" },
      { ...result, content: [inline("b"), inline("a")] },
    ]);
    expect(asked).toEqual(["a", "b"]);
  });

  it("are refused where the operator has not allowed it; a turn without any is left as it is (C4)", async () => {
    const fetchImages = createFetchImages({ isAllowed: false, download });
    await expect(fetchImages(turnOf(image("a")), never)).rejects.toMatchObject({ code: "unsupported_parameter" });
    const plain = turnOf(inline("a"));
    expect(await fetchImages(plain, never)).toBe(plain);
  });

  it("of a session's past are nobody's concern (B3)", async () => {
    const fetchImages = createFetchImages({ isAllowed: false, download });
    const messages = [{ role: "user" as const, content: [image("a")] }, assistantSaid("b"), user("c")];
    expect(await fetchImages(makeTurn({ messages, sessionId: "s" }), never)).toMatchObject({ messages });
    await expect(fetchImages(makeTurn({ messages }), never)).rejects.toThrow("CCAPI_FETCH_IMAGES");
  });

  it("have bounds: their number, their bytes together (C4)", async () => {
    const fetchImages = createFetchImages({
      isAllowed: true,
      download: async () => ({ mediaType: "image/png", bytes: Buffer.alloc(9 * 1024 * 1024) }),
    });
    const many = Array.from({ length: 21 }, (_, n) => image(`${n}`));
    await expect(fetchImages(turnOf(...many), never)).rejects.toMatchObject({ code: "invalid_request" });
    await expect(fetchImages(turnOf(...many.slice(0, 3)), never)).rejects.toThrow("larger than 24 MiB");
  });

  it("fail together, with the reason that is the client's to know (B1)", async () => {
    const signals: AbortSignal[] = [];
    const fetchImages = createFetchImages({
      isAllowed: true,
      download(url, signal) {
        signals.push(signal);
        if (url === "b") return Promise.reject(new DownloadError("it is no image"));
        return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
      },
    });
    await expect(fetchImages(turnOf(image("a"), image("b")), never)).rejects.toMatchObject({
      code: "invalid_request",
      message: "An image can't be fetched: it is no image.",
    });
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
  });

  it("wait where many are fetched at once, and go when their client has gone (C4)", async () => {
    const gone = new AbortController();
    let running = 0;
    let most = 0;
    const fetchImages = createFetchImages({
      isAllowed: true,
      async download(url) {
        running += 1;
        most = Math.max(most, running);
        await new Promise(setImmediate);
        running -= 1;
        return download(url);
      },
    });
    const many = (name: string) => turnOf(...Array.from({ length: 10 }, (_, n) => image(`${name}${n}`)));
    const [first, second] = [fetchImages(many("a"), never), fetchImages(many("b"), gone.signal)];
    gone.abort(new Error("gone"));
    await expect(second).rejects.toThrow("gone");
    await first;
    await fetchImages(many("c"), never);
    expect(most).toBe(8);
  });
});
