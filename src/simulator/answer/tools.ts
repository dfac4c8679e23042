// Which of the offered tools an unscripted answer calls, and with what. Pure.
import type { AnswerBlock } from "../message.ts";
import type { ParsedRequest, ParsedTool } from "../request.ts";
import { type Clues, findClues, wordsOf } from "./clues.ts";
import { inputFor } from "./schema.ts";

/** The tool by which Claude Code asks for an answer that matches a schema. */
const STRUCTURED_OUTPUT = "StructuredOutput";

/** Claude Code's own tools (2.1.330): their names are ordinary words, so they are called only when asked for by name. */
const OWN_TOOLS = new Set(
  "Agent Task Bash BashOutput KillShell KillBash Edit MultiEdit Glob Grep Read Write NotebookEdit NotebookRead WebFetch WebSearch TodoWrite TodoRead Skill ToolSearch Workflow ListAgents ReportFindings ScheduleWakeup DeferredToolPlaceholder AskUserQuestion EnterPlanMode ExitPlanMode EnterWorktree ExitWorktree TaskOutput TaskStop TaskCreate TaskUpdate TaskList TaskGet Monitor SendMessage CronCreate CronDelete CronList SlashCommand LSP ListMcpResourcesTool ReadMcpResourceTool".split(
    " ",
  ),
);

/** Words that stand in many tools' names and say nothing about their subject. */
const EMPTY = new Set(
  "a an and any as at by call can check client create do fetch find for from get give in is it list look lookup make my of on or please run search set tell that the this to tool use what with you your return returns current given function data info information value name".split(
    " ",
  ),
);

/** The calls to make; none: answer in words. */
export function toolCalls(request: ParsedRequest): readonly AnswerBlock[] {
  const { toolChoice, tools } = request;
  if (toolChoice.type === "none" || tools.length === 0) return [];
  if (toolChoice.type === "tool") {
    const forced = tools.find((tool) => tool.name === toolChoice.name);
    return forced === undefined ? [] : callsOf(forced, request);
  }
  const answered = request.toolResults.length > 0;
  if (toolChoice.type === "auto" && answered) return [];
  const offered = tools.filter((tool) => !isPlaceholder(tool));
  const ranked = offered
    .map((tool) => ({ tool, score: askedFor(tool, request.lastUserText, offered) }))
    .toSorted((a, b) => b.score - a.score);
  const best = ranked[0];
  if (best === undefined) return [];
  return best.score > 0 || toolChoice.type === "any" ? callsOf(best.tool, request) : [];
}

/** The call of `StructuredOutput`, where it is offered and the present question has not been answered with it yet. */
export function structuredOutputCall(request: ParsedRequest): readonly AnswerBlock[] {
  const tool = request.tools.find(({ name }) => name === STRUCTURED_OUTPUT);
  if (tool === undefined || request.toolChoice.type === "none") return [];
  const called = answeredTools(request).includes(STRUCTURED_OUTPUT);
  return called ? [] : [call(tool, findClues(questionOf(request)))];
}

/** Names of the tools whose results the last message brings. */
function answeredTools(request: ParsedRequest): readonly string[] {
  const ids = new Set(request.toolResults.map((result) => result.toolUseId));
  return request.messages.flatMap(({ content }) =>
    content
      .filter((block) => block.type === "tool_use" && ids.has(String(block.id)))
      .map((block) => String(block.name)),
  );
}

/** The last text that a person wrote: neither a tool's result nor Claude Code's own urging. */
export function questionOf(request: ParsedRequest): string {
  const texts = request.messages
    .filter((message) => message.role === "user")
    .map(({ content }) =>
      content
        .map((block) => (block.type === "text" ? String(block.text) : ""))
        .join("\n")
        .trim(),
    );
  return texts.findLast((text) => text !== "" && !text.startsWith("[structured-output")) ?? "";
}

function callsOf(tool: ParsedTool, request: ParsedRequest): readonly AnswerBlock[] {
  const clues = findClues(questionOf(request));
  const first = call(tool, clues);
  if (!request.parallelTools || clues.cities.length < 2 || first.type !== "tool_use") return [first];
  // "The weather in Paris and in Rome": one call each, where the tool takes one place at a time.
  const placed = Object.values(first.input).includes(clues.cities[0]);
  if (!placed || Object.values(first.input).includes(clues.cities[1])) return [first];
  return clues.cities.slice(0, 4).map((city) => call(tool, { ...clues, cities: [city] }));
}

function call(tool: ParsedTool, clues: Clues): AnswerBlock {
  return { type: "tool_use", name: tool.name, input: inputFor(tool.inputSchema, clues) };
}

function isPlaceholder({ name }: ParsedTool): boolean {
  return name === "DeferredToolPlaceholder" || name === STRUCTURED_OUTPUT;
}

/** How plainly the text asks for the tool; 0: not at all. */
function askedFor(tool: ParsedTool, text: string, offered: readonly ParsedTool[]): number {
  if (text === "" || text.length > 20_000) return 0;
  const short = tool.name.split("__").at(-1) ?? tool.name;
  const spoken = new Set(wordsOf(text).flatMap((word) => [word, singular(word)]));
  if (OWN_TOOLS.has(tool.name)) {
    const mention = new RegExp(
      String.raw`\b(?:use|using|with|call|run|via)\b[^.\n]{0,40}\b${tool.name}\b|\b${tool.name} tool\b`,
    );
    return mention.test(text) ? 4 : 0;
  }
  if (text.includes(tool.name) || (/[_\W]/.test(short) && text.includes(short))) return 5;
  const named = subjectsOf(short).filter((word) => spoken.has(word)).length;
  if (named > 0 && named >= subjectsOf(short).length / 2) return 2 + named / 10;
  if (
    /\b(?:calculat|math|arithmetic|add|sum|multipl|evaluat)/i.test(
      `${short.replaceAll("_", " ")} ${tool.description}`,
    ) &&
    findClues(text).expression !== null
  )
    return 2;
  const described = tool.description.length > 300 ? [] : subjectsOf(tool.description);
  const shared = described.filter((word) => word.length > 3 && spoken.has(word)).length;
  if (shared > 0) return 1 + shared / 100;
  const foreign = offered.filter(({ name }) => !OWN_TOOLS.has(name));
  // "Use the tool": there is only one that can be meant, or the first will do.
  return /\b(?:use|call|invoke|using)\s+(?:the|a|an|your|this|any|my)?\s*(?:\w+\s+)?(?:tools?|functions?)\b/i.test(
    text,
  ) && foreign.length > 0
    ? 0.5
    : 0;
}

function subjectsOf(text: string): readonly string[] {
  const words = wordsOf(text).map(singular);
  const telling = [...new Set(words.filter((word) => !EMPTY.has(word) && word.length > 2))];
  return telling;
}

function singular(word: string): string {
  return word.length > 3 && word.endsWith("s") && !word.endsWith("ss") ? word.slice(0, -1) : word;
}
