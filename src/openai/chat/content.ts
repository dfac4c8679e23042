// The content of messages, a string or parts → content blocks. Pure.
import { CcapiError } from "../../auth/errors.ts";
import type { ContentBlock } from "../../turn/turn.ts";
import { toDocument, toImage, toTextBlocks } from "../blocks.ts";
import type { ChatPart } from "./request.ts";

/**
 * The content of a message at `at`. Blank text is left out: the model API refuses it.
 *
 * @throws CcapiError `invalid_request`, `unsupported_parameter`; `param` names the part.
 */
export function toBlocks(content: string | readonly ChatPart[], at: string): ContentBlock[] {
  if (typeof content === "string") return toTextBlocks(content);
  return content.flatMap((part, index) => toBlock(part, `${at}.content[${index}]`));
}

/** What a tool has answered, in the message at `at`. Throws the same. */
export function toResultContent(content: string | readonly ChatPart[], at: string): string | ContentBlock[] {
  if (typeof content === "string") return content.trim() === "" ? "" : content;
  const blocks = toBlocks(content, at);
  return blocks.length === 0 ? "" : blocks;
}

function toBlock(part: ChatPart, at: string): ContentBlock[] {
  switch (part.type) {
    case "text":
      return toTextBlocks(part.text);
    case "image_url":
      return [toImage(part.image_url.url, `${at}.image_url.url`)];
    case "file":
      return [toFile(part.file, `${at}.file`)];
    case "input_audio":
      throw new CcapiError("unsupported_parameter", "Audio can't be used: Claude hears none.", { param: `${at}.type` });
  }
}

function toFile(
  { file_data: data, file_id: id, filename }: Extract<ChatPart, { type: "file" }>["file"],
  at: string,
): ContentBlock {
  if (data) return toDocument(data, filename, `${at}.file_data`);
  if (id) {
    throw new CcapiError("unsupported_parameter", "This server keeps no files: send file_data.", {
      param: `${at}.file_id`,
    });
  }
  throw new CcapiError("invalid_request", `${at}: has no file_data.`, { param: `${at}.file_data` });
}
