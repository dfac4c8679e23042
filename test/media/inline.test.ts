import { describe, expect, it } from "vitest";
import { maxMediaBytes, parseDataUrl, sniff, toImageSource, toPdfSource } from "../../src/media/inline.ts";

const heads = {
  "image/png": "89504e470d0a1a0a00",
  "image/jpeg": "ffd8ffe000",
  "image/gif": Buffer.from("GIF89a").toString("hex"),
  "image/webp": Buffer.from("RIFF0000WEBPVP8 ").toString("hex"),
  "application/pdf": Buffer.from("\n%PDF-1.7").toString("hex"),
};
const base64 = (hex: string) => Buffer.from(hex, "hex").toString("base64");

describe("what clients send inside a request", () => {
  it.each(Object.entries(heads))("is known as %s by its bytes (B1)", (mediaType, hex) => {
    expect(sniff(Buffer.from(hex, "hex"))).toBe(mediaType);
    const read = mediaType === "application/pdf" ? toPdfSource : toImageSource;
    expect(read(base64(hex), "p")).toEqual({ type: "base64", media_type: mediaType, data: base64(hex) });
  });

  it("may have line breaks, the URL's alphabet and no padding (B1)", () => {
    const data = base64("89504e470d0a1a0afbefbe00");
    const sent = ` ${data.slice(0, 5)}\r\n${data.slice(5)}`
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replaceAll("=", "");
    expect(toImageSource(sent, "p").data).toBe(data);
  });

  it.each(["", "====", "iVBOR!", "iVBOR", "iV=BOR", "a", base64("00112233"), base64(heads["application/pdf"])])(
    "is refused as an image where it is %j (B1)",
    (data) => {
      expect(() => toImageSource(data, "p")).toThrow(expect.objectContaining({ code: "invalid_request", param: "p" }));
    },
  );

  it("has a bound (C4)", () => {
    const tooLarge = Buffer.alloc(maxMediaBytes + 3);
    Buffer.from(heads["image/png"], "hex").copy(tooLarge);
    expect(() => toImageSource(tooLarge.toString("base64"), "p")).toThrow("larger than");
  });

  it("comes as a data URL with base64, whatever else its head says (B1)", () => {
    expect(parseDataUrl("data:image/PNG;charset=x;base64,AAAA")).toEqual({ mediaType: "image/png", data: "AAAA" });
    expect(parseDataUrl("DATA:;BASE64,AAAA")).toEqual({ mediaType: "", data: "AAAA" });
    expect(parseDataUrl("data:image/png,AAAA")).toBeUndefined();
    expect(parseDataUrl(`data:${"x".repeat(2_000)};base64,AAAA`)).toBeUndefined();
    expect(parseDataUrl("https://example.com/;base64,AAAA")).toBeUndefined();
  });
});
