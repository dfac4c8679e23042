import { describe, expect, it } from "vitest";
import { imageSize } from "../../src/anthropic/image-size.ts";
import { countTokensRequest } from "../../src/anthropic/request.ts";
import { estimateTokens } from "../../src/anthropic/token-estimate.ts";

const count = (content: unknown, more: Record<string, unknown> = {}): number =>
  estimateTokens(countTokensRequest.parse({ model: "sonnet", messages: [{ role: "user", content }], ...more }));
const image = (data: string) => [{ type: "image", source: { type: "base64", media_type: "image/png", data } }];

/** The beginning of a PNG of this size. */
function png(width: number, height: number): string {
  const bytes = Buffer.alloc(33);
  bytes.write("\x89PNG\r\n\x1a\n", "latin1");
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return bytes.toString("base64");
}

describe("an estimate of tokens", () => {
  it("is at least 1, and grows with every part of the request (B7)", () => {
    expect(count("")).toBeGreaterThanOrEqual(1);
    const text = "The quick brown fox jumps over the lazy dog. ".repeat(100);
    // 1,000 words of English with punctuation: some 1,000 tokens.
    expect(count(text)).toBeGreaterThan(900);
    expect(count(text)).toBeLessThan(1_600);
    expect(count("Hi", { system: text })).toBeGreaterThan(900);
    expect(count("Hi", { system: [{ type: "text", text }] })).toBeGreaterThan(900);
    expect(count([{ type: "document", source: { type: "text", data: text } }])).toBeGreaterThan(900);
    expect(
      count([{ type: "search_result", source: "s", title: "t", content: [{ type: "text", text }] }]),
    ).toBeGreaterThan(900);
    const tool = { name: "a", description: text, input_schema: { type: "object" } };
    expect(count("Hi", { tools: [tool] })).toBeGreaterThan(1_200);
  });

  it("counts calls and their results, and no thinking of the past (B7)", () => {
    const text = "word ".repeat(1_000);
    const use = { type: "tool_use", id: "a", name: "x", input: { text } };
    const result = { type: "tool_result", tool_use_id: "a", content: [{ type: "text", text }] };
    const thought = { type: "thinking", thinking: text, signature: "s" };
    const messages = (content: unknown[]) => [
      { role: "user", content: "Hi" },
      { role: "assistant", content },
      { role: "user", content: [result] },
    ];
    const plain = count("", { messages: messages([use]) });
    expect(plain).toBeGreaterThan(2_000);
    expect(count("", { messages: messages([thought, use]) })).toBe(plain);
  });

  it("counts an image by its pixels, and one it can't read as a large one (B7)", () => {
    expect(count(image(png(750, 100)))).toBe(104);
    expect(count(image(png(8_000, 8_000)))).toBe(1_604);
    expect(count(image("AAAA"))).toBe(1_604);
    const pdf = Buffer.alloc(120_000).toString("base64");
    const source = { type: "base64", media_type: "application/pdf", data: pdf };
    expect(count([{ type: "document", source }])).toBe(6_004);
  });
});

describe("the size of an image", () => {
  const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex").toString("base64");
  it.each([
    ["PNG", png(3, 5)],
    ["GIF", hex("474946383961 0300 0500 00")],
    ["JPEG", hex("ffd8 ffe0 0004 0000 ffc0 0011 08 0005 0003 03 011100 021101 031101")],
    ["lossy WebP", hex("52494646 00000000 57454250 56503820 00000000 000000 9d012a 0300 0500 0000")],
    ["lossless WebP", hex("52494646 00000000 57454250 5650384c 00000000 2f 02000100 0000000000000000")],
    ["extended WebP", hex("52494646 00000000 57454250 56503858 0a000000 00000000 020000 040000")],
  ])("is read from a %s", (_kind, data) => {
    expect(imageSize(data)).toEqual({ width: 3, height: 5 });
  });

  it.each(["", "AAAA", hex("89504e47"), hex("ffd8"), hex("ffd8 ffe0 ffff"), hex("ffd8 ffe0 0000 0000 0000 0000")])(
    "is unknown of %j",
    (data) => {
      expect(imageSize(data)).toBeUndefined();
    },
  );
});
