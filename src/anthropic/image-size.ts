// An image's width and height, from the first bytes of a PNG, GIF, WebP or JPEG. Pure.

/** Pixels. */
export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** A JPEG may say its size late, behind previews of its own; of more than this nothing is read. */
const maxHeadChars = 262_144;

/** `undefined` where the bytes don't say. */
export function imageSize(base64: string): ImageSize | undefined {
  const bytes = Buffer.from(base64.slice(0, maxHeadChars), "base64");
  const kind = bytes.toString("latin1", 0, 16);
  if (kind.startsWith("\x89PNG") && bytes.length >= 24) {
    return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  }
  if (kind.startsWith("GIF8") && bytes.length >= 10) {
    return { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) };
  }
  if (kind.startsWith("RIFF") && bytes.length >= 30) return webpSize(bytes, kind.slice(12, 16));
  return kind.startsWith("\xff\xd8") ? jpegSize(bytes) : undefined;
}

/** @see https://developers.google.com/speed/webp/docs/riff_container */
function webpSize(bytes: Buffer, chunk: string): ImageSize | undefined {
  if (chunk === "VP8X") return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 };
  if (chunk === "VP8 ") return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff };
  if (chunk !== "VP8L") return undefined;
  const bits = bytes.readUInt32LE(21);
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
}

/** Walks over the segments to the frame's header (ITU-T T.81, B.2.2). */
function jpegSize(bytes: Buffer): ImageSize | undefined {
  let at = 2;
  while (at + 9 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1] ?? 0;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) };
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return undefined;
}
