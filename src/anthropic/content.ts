// The blocks of a Messages request → a turn's content blocks. Pure. Blank text is left out: the model API refuses it.
import { CcapiError } from "../auth/errors.ts";
import { toImageSource, toPdfSource, toUrlSource } from "../media/inline.ts";
import type { ContentBlock } from "../turn/turn.ts";
import type { RequestBlock, ResultBlock } from "./request-content.ts";

type Document = Extract<RequestBlock, { type: "document" }>;
type SearchResult = Extract<RequestBlock, { type: "search_result" }>;
type Role = "user" | "assistant";

const ownBlocks: Readonly<Record<Role, readonly string[]>> = {
  user: ["text", "image", "document", "search_result", "tool_result"],
  assistant: ["text", "thinking", "redacted_thinking", "tool_use"],
};

/**
 * The content of a message of `role` at `at`.
 *
 * @throws CcapiError `invalid_request`, `unsupported_parameter`; `param` names the block.
 */
export function toBlocks(content: string | readonly RequestBlock[], role: Role, at: string): ContentBlock[] {
  if (typeof content === "string") return toTextBlocks(content);
  return content.flatMap((block, index) => {
    const place = `${at}.content[${index}]`;
    const other: Role = role === "user" ? "assistant" : "user";
    if (ownBlocks[other].includes(block.type) && !ownBlocks[role].includes(block.type)) {
      throw new CcapiError("invalid_request", `${place}: a ${block.type} block can't be the ${role}'s.`, {
        param: `${place}.type`,
      });
    }
    return toBlock(block, place);
  });
}

/** A text, if it is not blank. */
function toTextBlocks(text: string): ContentBlock[] {
  return text.trim() === "" ? [] : [{ type: "text", text }];
}

function toBlock(block: RequestBlock, at: string): ContentBlock[] {
  switch (block.type) {
    case "thinking": {
      const { thinking, signature } = block;
      return [{ type: "thinking", thinking, signature }];
    }
    case "redacted_thinking":
      return [{ type: "redacted_thinking", data: block.data }];
    case "tool_use": {
      const { id, name, input } = block;
      return [{ type: "tool_use", id, name, input }];
    }
    case "tool_result": {
      const { tool_use_id: id, content, is_error: isError } = block;
      const answered =
        typeof content === "string"
          ? content
          : (content ?? []).flatMap((part, index) => toSeen(part, `${at}.content[${index}]`));
      return [
        {
          type: "tool_result",
          tool_use_id: id,
          content: answered.length === 0 ? "" : answered,
          ...(isError === true ? { is_error: true } : {}),
        },
      ];
    }
    default:
      return toSeen(block, at);
  }
}

/** What the model reads or looks at. */
function toSeen(
  block: Exclude<RequestBlock, { type: "thinking" | "redacted_thinking" | "tool_use" | "tool_result" }> | ResultBlock,
  at: string,
): ContentBlock[] {
  switch (block.type) {
    case "text":
      return toTextBlocks(block.text);
    case "image": {
      const { source } = block;
      if (source.type === "file") return refuse("This server keeps no files: send the image in the request.", at);
      if (source.type === "url") return [{ type: "image", source: toUrlSource(source.url, `${at}.source.url`) }];
      return [{ type: "image", source: toImageSource(source.data, `${at}.source.data`) }];
    }
    case "document":
      return toDocument(block, at);
    case "search_result":
      return toTextDocument(textOf(block.content), `${block.title} (${block.source})`);
    default:
      return refuse(`A block of type "${block.type}" can't be used.`, at);
  }
}

function toDocument({ source, title, context }: Document, at: string): ContentBlock[] {
  // The model reads it before the document; to it, both are the client's words.
  const before = toTextBlocks(context ?? "");
  const named = title ? { title } : {};
  switch (source.type) {
    case "text":
      return [...before, ...toTextDocument(source.data, title)];
    case "content": {
      if (typeof source.content === "string") return [...before, ...toTextDocument(source.content, title)];
      const parts = source.content.flatMap((part, index) => toSeen(part, `${at}.source.content[${index}]`));
      return [...before, ...toTextBlocks(title ?? ""), ...parts];
    }
    case "base64": {
      const { data, media_type: mediaType } = source;
      if (mediaType === "text/plain") {
        return [...before, ...toTextDocument(Buffer.from(data, "base64").toString("utf8"), title)];
      }
      return [...before, { type: "document", source: toPdfSource(data, `${at}.source.data`), ...named }];
    }
    default:
      return refuse("Documents have to come in the request: as base64 or as text.", at);
  }
}

function toTextDocument(data: string, title: SearchResult["title"] | null | undefined): ContentBlock[] {
  if (data.trim() === "") return [];
  return [{ type: "document", source: { type: "text", media_type: "text/plain", data }, ...(title ? { title } : {}) }];
}

function textOf(blocks: SearchResult["content"]): string {
  return blocks.map(({ text }) => text).join("\n");
}

function refuse(message: string, at: string): never {
  throw new CcapiError("unsupported_parameter", message, { param: `${at}.type` });
}
