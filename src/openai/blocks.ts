// Texts, images and documents as OpenAI's two APIs carry them → content blocks. Pure.
import { CcapiError } from "../auth/errors.ts";
import { parseDataUrl, toImageSource, toPdfSource, toUrlSource } from "../media/inline.ts";
import type { ContentBlock } from "../turn/turn.ts";

/** A text, if it is not blank: the model API refuses those. */
export function toTextBlocks(text: string): ContentBlock[] {
  return text.trim() === "" ? [] : [{ type: "text", text }];
}

/** @throws CcapiError `invalid_request`, `unsupported_parameter` at `param`. */
export function toImage(url: string, param: string): ContentBlock {
  if (/^data:/i.test(url)) {
    const parts = parseDataUrl(url);
    if (parts === undefined) {
      throw new CcapiError("invalid_request", `${param}: a data URL has to hold base64.`, { param });
    }
    return { type: "image", source: toImageSource(parts.data, param) };
  }
  return { type: "image", source: toUrlSource(url, param) };
}

/**
 * A document from base64, bare or in a data URL.
 *
 * @throws CcapiError `invalid_request` at `param`.
 */
export function toDocument(data: string, filename: string | null | undefined, param: string): ContentBlock {
  const parts = parseDataUrl(data);
  if (parts === undefined && /^data:/i.test(data)) {
    throw new CcapiError("invalid_request", `${param}: a data URL has to hold base64.`, { param });
  }
  return {
    type: "document",
    source: toPdfSource(parts?.data ?? data, param),
    ...(filename ? { title: filename } : {}),
  };
}
