// The built-in answer to a request that no rule covers.
import type { AnswerBlock } from "../message.ts";
import type { ParsedRequest } from "../request.ts";

export function answerBlocks(request: ParsedRequest): readonly AnswerBlock[] {
  return [{ type: "text", text: `You said: ${request.lastUserText}` }];
}
