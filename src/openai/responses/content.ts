// The content of messages and of functions' outputs, a string or parts → content blocks. Pure.
import { CcapiError } from "../../auth/errors.ts";
import type { ContentBlock } from "../../turn/turn.ts";
import { toDocument, toImage, toTextBlocks } from "../blocks.ts";
import type { InputContent, InputPart } from "./request-items.ts";

/**
 * The content of what stands at `at`. Blank text is left out: the model API refuses it.
 *
 * @throws CcapiError `invalid_request`, `unsupported_parameter`; `param` names the part.
 */
export function toBlocks(content: InputContent, at: string): ContentBlock[] {
  if (typeof content === "string") return toTextBlocks(content);
  return content.flatMap((part, index) => toBlock(part, `${at}[${index}]`));
}

/** The content as one text; parts of other kinds can't be used there. Throws the same. */
export function toText(content: InputContent, at: string): string {
  if (typeof content === "string") return content;
  return content
    .map((part, index) => {
      if ("text" in part && typeof part.text === "string") return part.text;
      if (part.type === "refusal") return part.refusal;
      throw new CcapiError("invalid_request", `A part of type ${part.type} can't be used here: only text can.`, {
        param: `${at}[${index}].type`,
      });
    })
    .join("\n");
}

/** What a function has given, for the model. */
export function toResultContent(content: InputContent, at: string): string | ContentBlock[] {
  if (typeof content === "string") return content.trim() === "" ? "" : content;
  const blocks = toBlocks(content, at);
  return blocks.length === 0 ? "" : blocks;
}

function toBlock(part: InputPart, at: string): ContentBlock[] {
  switch (part.type) {
    case "refusal":
      return toTextBlocks(part.refusal);
    case "input_image":
      if (part.image_url) return [toImage(part.image_url, `${at}.image_url`)];
      if (part.file_id) return refuseFileId(`${at}.file_id`, "image_url");
      throw new CcapiError("invalid_request", `${at}: has no image_url.`, { param: `${at}.image_url` });
    case "input_file":
      if (part.file_data) return [toDocument(part.file_data, part.filename, `${at}.file_data`)];
      if (part.file_id) return refuseFileId(`${at}.file_id`, "file_data");
      if (part.file_url) {
        throw new CcapiError("unsupported_parameter", "Files by URL can't be used: send file_data.", {
          param: `${at}.file_url`,
        });
      }
      throw new CcapiError("invalid_request", `${at}: has no file_data.`, { param: `${at}.file_data` });
    default:
      return toTextBlocks(part.text);
  }
}

function refuseFileId(param: string, instead: string): never {
  throw new CcapiError("unsupported_parameter", `This server keeps no files: send ${instead}.`, { param });
}
