// The built-in answer to a request that no rule covers: a tool call, JSON, or words; with thinking where it was asked for. Pure.
import type { AnswerBlock } from "../message.ts";
import type { ParsedRequest } from "../request.ts";
import { findClues } from "./clues.ts";
import { housekeeping } from "./housekeeping.ts";
import { jsonAnswer } from "./json.ts";
import { valueFor } from "./schema.ts";
import { talk } from "./talk.ts";
import { questionOf, structuredOutputCall, toolCalls } from "./tools.ts";

/** The same request always gets the same blocks. */
export function answerBlocks(request: ParsedRequest): readonly AnswerBlock[] {
  const small = housekeeping(request);
  if (small !== null && request.outputSchema === null) return [{ type: "text", text: small }];
  return [...thoughts(request), ...plainBlocks(request)];
}

function plainBlocks(request: ParsedRequest): readonly AnswerBlock[] {
  const calls = toolCalls(request);
  if (calls.length > 0) return calls;
  const structured = structuredOutputCall(request);
  if (structured.length > 0) return structured;
  if (request.outputSchema !== null) {
    const value = valueFor(request.outputSchema, findClues(questionOf(request)));
    return [{ type: "text", text: JSON.stringify(value) }];
  }
  return [{ type: "text", text: words(request) }];
}

/** A tool's result is quoted up to here. */
const QUOTED_LENGTH = 2000;

function words(request: ParsedRequest): string {
  const { toolResults } = request;
  if (toolResults.length === 0) return jsonAnswer(request) ?? talk(request);
  const json = jsonAnswer(request);
  if (json !== null) return json;
  const told = toolResults.map(({ text, isError }) => {
    const quoted = text.length > QUOTED_LENGTH ? `${text.slice(0, QUOTED_LENGTH)} …` : text;
    return `${isError ? "The tool failed" : "The tool answered"}: ${quoted}`;
  });
  return told.join("\n\n");
}

/** An answer of so few tokens is spent on the answer. */
const TOO_SHORT_TO_THINK = 64;

function thoughts(request: ParsedRequest): readonly AnswerBlock[] {
  if (request.thinking === "disabled") return [];
  if (request.maxTokens < TOO_SHORT_TO_THINK) return [];
  const about = request.lastUserText || request.toolResults[0]?.text || "nothing";
  const thinking = `The user wrote: ${about.slice(0, 120)}. I think about it and answer shortly.`;
  return [{ type: "thinking", thinking }];
}
