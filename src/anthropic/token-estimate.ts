// How many tokens a request has, near enough to see whether it fits: the model API counts them, Claude Code has no way to ask it. Pure.
import { imageSize } from "./image-size.ts";
import type { CountTokensRequest } from "./request.ts";
import type { RequestBlock, ResultBlock } from "./request-content.ts";

/** Bytes of UTF-8 a token: English has about 4 letters a token, code and JSON fewer; other scripts take more bytes a letter, and more tokens. */
const bytesPerToken = 3.5;
/** What frames a message, and what tells the model of tools at all. @see https://docs.claude.com/en/docs/agents-and-tools/tool-use/overview */
const tokensPerMessage = 4;
const tokensOfToolUse = 346;
/** Images count by their pixels, as large as the model sees them. @see https://docs.claude.com/en/docs/build-with-claude/vision */
const pixelsPerToken = 750;
const maxImageTokens = 1_600;
/** A page of a PDF has 1,500 to 3,000 tokens; a scanned page some 100 kB, a written one less. */
const tokensPerPage = 2_000;
const bytesPerPage = 50_000;

/** Input tokens of the request as it was sent, without what Claude Code adds of its own. */
export function estimateTokens({ messages, system, tools }: CountTokensRequest): number {
  const counts = [
    ...messages.map(({ content }) => tokensPerMessage + ofContent(content)),
    ofContent(system ?? ""),
    ...(tools ?? []).map(({ name, description, input_schema: schema }) => ofJson({ name, description, schema })),
    ...(tools && tools.length > 0 ? [tokensOfToolUse] : []),
  ];
  return Math.max(1, Math.round(counts.reduce((sum, count) => sum + count, 0)));
}

function ofContent(content: string | readonly (RequestBlock | ResultBlock)[]): number {
  if (typeof content === "string") return ofText(content);
  return content.reduce((sum, block) => sum + ofBlock(block), 0);
}

function ofBlock(block: RequestBlock | ResultBlock): number {
  switch (block.type) {
    case "text":
      return ofText(block.text);
    case "image":
      return ofImage(block.source);
    case "document":
      return ofText(`${block.title ?? ""}${block.context ?? ""}`) + ofDocument(block.source);
    case "search_result":
      return ofText(`${block.title}${block.source}`) + ofContent(block.content);
    case "tool_use":
      return ofText(block.name) + ofJson(block.input);
    case "tool_result":
      return tokensPerMessage + ofContent(block.content ?? "");
    // The model API leaves the thinking of earlier answers out.
    case "thinking":
    case "redacted_thinking":
      return 0;
    default:
      return ofJson(block);
  }
}

function ofImage(source: Extract<RequestBlock, { type: "image" }>["source"]): number {
  const size = source.type === "base64" ? imageSize(source.data) : undefined;
  if (size === undefined) return maxImageTokens;
  return Math.min(maxImageTokens, Math.ceil((size.width * size.height) / pixelsPerToken));
}

function ofDocument(source: Extract<RequestBlock, { type: "document" }>["source"]): number {
  switch (source.type) {
    case "text":
      return ofText(source.data);
    case "content":
      return ofContent(source.content);
    case "base64":
      return source.media_type === "text/plain"
        ? (source.data.length * 0.75) / bytesPerToken
        : tokensPerPage * Math.ceil((source.data.length * 0.75) / bytesPerPage);
    default:
      return tokensPerPage;
  }
}

function ofJson(value: unknown): number {
  return ofText(JSON.stringify(value) ?? "");
}

function ofText(text: string): number {
  return Buffer.byteLength(text) / bytesPerToken;
}
