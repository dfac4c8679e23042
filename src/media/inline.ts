// Images and documents that clients send inside their requests: what they really are, and whether Claude can read them. Pure.
// Claude Code does not notice invalid base64 (measured, 2.1.330), and the model API refuses a type that the bytes belie: so we look.
import { CcapiError } from "../auth/errors.ts";

/** Bytes in the Messages API's shape. */
export interface Base64Source {
  readonly type: "base64";
  readonly media_type: string;
  readonly data: string;
}

/** Bytes of one image or document; the Messages API takes 32 MB in a request. */
export const maxMediaBytes = 24 * 1024 * 1024;

/** How the bytes of what the Messages API reads begin. @see https://docs.claude.com/en/docs/build-with-claude/vision */
const signatures: readonly { readonly mediaType: string; readonly isBegunBy: (head: Buffer) => boolean }[] = [
  { mediaType: "image/png", isBegunBy: startsWith("89504e470d0a1a0a") },
  { mediaType: "image/jpeg", isBegunBy: startsWith("ffd8ff") },
  { mediaType: "image/gif", isBegunBy: startsWith("47494638") },
  {
    mediaType: "image/webp",
    isBegunBy: (head) => startsWith("52494646")(head) && head.toString("latin1", 8, 12) === "WEBP",
  },
  { mediaType: "application/pdf", isBegunBy: (head) => head.includes("%PDF-") },
];

/** A `data:` URL's parts; `undefined` where it is none with base64. */
export function parseDataUrl(url: string): { readonly mediaType: string; readonly data: string } | undefined {
  if (!/^data:/i.test(url)) return undefined;
  const comma = url.indexOf(",");
  if (comma < 0 || comma > 1_024) return undefined;
  const [mediaType = "", ...parameters] = url.slice("data:".length, comma).split(";");
  if (parameters.at(-1)?.trim().toLowerCase() !== "base64") return undefined;
  return { mediaType: mediaType.trim().toLowerCase(), data: url.slice(comma + 1) };
}

/**
 * An image, with the type that its bytes have, whatever its client says.
 *
 * @throws CcapiError `invalid_request` at `param`.
 */
export function toImageSource(base64: string, param: string): Base64Source {
  const source = toSource(base64, param);
  if (source.media_type.startsWith("image/")) return source;
  throw new CcapiError("invalid_request", `${param}: is no PNG, JPEG, GIF or WebP image.`, { param });
}

/**
 * An image that lies elsewhere, to be fetched if the operator allows it.
 *
 * @throws CcapiError `invalid_request` at `param`.
 */
export function toUrlSource(url: string, param: string): { readonly type: "url"; readonly url: string } {
  if (/^https:\/\//i.test(url) && url.length <= 8_192 && URL.canParse(url)) return { type: "url", url };
  throw new CcapiError("invalid_request", `${param}: has to be an https URL, or hold the image itself.`, { param });
}

/**
 * A PDF document.
 *
 * @throws CcapiError `invalid_request` at `param`.
 */
export function toPdfSource(base64: string, param: string): Base64Source {
  const source = toSource(base64, param);
  if (source.media_type === "application/pdf") return source;
  throw new CcapiError("invalid_request", `${param}: is no PDF document.`, { param });
}

/** The type of an image or document by its first bytes; `undefined`: none that Claude reads. */
export function sniff(bytes: Buffer): string | undefined {
  const head = bytes.subarray(0, 1_024);
  return signatures.find(({ isBegunBy }) => isBegunBy(head))?.mediaType;
}

function toSource(base64: string, param: string): Base64Source {
  const data = toStrictBase64(base64);
  if (data === undefined || data === "") {
    throw new CcapiError("invalid_request", `${param}: the data is not valid base64.`, { param });
  }
  if ((data.length / 4) * 3 > maxMediaBytes) {
    throw new CcapiError("invalid_request", `${param}: is larger than ${maxMediaBytes / 1024 / 1024} MiB.`, { param });
  }
  const mediaType = sniff(Buffer.from(data.slice(0, 2_048), "base64"));
  return { type: "base64", media_type: mediaType ?? "", data };
}

/** Without line breaks, in the usual alphabet, padded; `undefined` where it is not base64. */
function toStrictBase64(text: string): string | undefined {
  const bare = /\s/.test(text) ? text.replaceAll(/\s+/g, "") : text;
  const data = bare
    .replaceAll("-", "+")
    .replaceAll("_", "/")
    .replace(/={1,2}$/, "");
  if (!/^[A-Za-z0-9+/]*$/.test(data) || data.length % 4 === 1) return undefined;
  return data.padEnd(Math.ceil(data.length / 4) * 4, "=");
}

function startsWith(hex: string): (head: Buffer) => boolean {
  const signature = Buffer.from(hex, "hex");
  return (head) => head.subarray(0, signature.length).equals(signature);
}
