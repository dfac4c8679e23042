// Whether a turn's tools, and the calls and results among its messages, belong together; for every front door alike. Pure.
import { CcapiError } from "../auth/errors.ts";
import type { Handed, HandedCall } from "../claude/hand-over.ts";
import { compileSchema } from "../schema/compile.ts";
import type { ContentBlock, Message, Turn } from "./turn.ts";

type Result = Extract<ContentBlock, { type: "tool_result" }>;

/** @throws CcapiError `invalid_request` that names the tool, or the choice that none of them fits. */
export function assertTools({ tools, toolChoice }: Pick<Turn, "tools" | "toolChoice">): void {
  const names = new Set<string>();
  for (const [index, { name, strict, inputSchema }] of tools.entries()) {
    if (names.has(name)) throw invalid(`tools[${index}]: another tool is called ${show(name)} too.`, "tools");
    names.add(name);
    if (strict) compileSchema(inputSchema, `tools[${index}]`);
  }
  if (toolChoice.type === "required" && tools.length === 0) {
    throw invalid("A tool is required, and none is given.", "tool_choice");
  }
  if (toolChoice.type === "tool" && !names.has(toolChoice.name)) {
    throw invalid(`No tool is called ${show(toolChoice.name)}.`, "tool_choice");
  }
}

/** @throws CcapiError `invalid_request` where a call has no result right after it, or a result no call right before it. */
export function assertToolMessages(messages: readonly Message[]): void {
  let open: readonly string[] = [];
  const known = new Set<string>();
  for (const { role, blocks, at } of byRole(messages)) {
    if (role === "assistant") {
      open = blocks.flatMap((block) => (block.type === "tool_use" ? [block.id] : []));
      for (const id of open) {
        if (known.has(id)) throw invalid(`${at}: two tool calls have the id ${show(id)}.`);
        known.add(id);
      }
    } else {
      assertResults(resultsOf(blocks), open, at);
      open = [];
    }
  }
}

/** @throws CcapiError `invalid_request` where a session waits for other results than these, or for none. */
export function assertSessionResults(waiting: Handed | undefined, prompt: readonly ContentBlock[]): void {
  const wanted = (waiting?.calls ?? []).filter(({ isClients }) => isClients).map(({ id }) => id);
  assertResults(resultsOf(prompt), wanted, "messages, after the last assistant message");
}

/**
 * What the model gets where a run goes on that was handed over: every call's result in the model's order, then what the client said
 * beside its own. A tool of Claude Code's own that had not begun did not run.
 */
export function completeResults({ calls }: Handed, prompt: readonly ContentBlock[]): ContentBlock[] {
  const brought = new Map(resultsOf(prompt).map((result) => [result.tool_use_id, result]));
  const others = prompt.filter(({ type }) => type !== "tool_result");
  return [...calls.map((call) => brought.get(call.id) ?? call.result ?? notBegun(call)), ...others];
}

function notBegun({ id }: HandedCall): Result {
  return {
    type: "tool_result",
    tool_use_id: id,
    content: "Not run: the run was interrupted before this tool began. Call it again if it still is needed.",
    is_error: true,
  };
}

function assertResults(results: readonly Result[], wanted: readonly string[], at: string): void {
  const seen = new Set<string>();
  for (const { tool_use_id: id } of results) {
    if (!wanted.includes(id)) {
      throw invalid(
        `${at}: the result for ${show(id)} has no call of that id in the assistant's message right before it.`,
      );
    }
    if (seen.has(id)) throw invalid(`${at}: there are two results for the call ${show(id)}.`);
    seen.add(id);
  }
  const missing = wanted.filter((id) => !seen.has(id));
  if (missing.length === 0) return;
  throw invalid(
    `${at}: the results of these tool calls are missing: ${missing.map(show).join(", ")}. All of them come together.`,
  );
}

function resultsOf(blocks: readonly ContentBlock[]): Result[] {
  return blocks.filter((block) => block.type === "tool_result");
}

/** Neighbours of one role are one message to the model. The place is that of the first. */
function byRole(messages: readonly Message[]): { role: Message["role"]; blocks: ContentBlock[]; at: string }[] {
  const merged: { role: Message["role"]; blocks: ContentBlock[]; at: string }[] = [];
  for (const [index, { role, content }] of messages.entries()) {
    const last = merged.at(-1);
    if (last?.role === role) last.blocks.push(...content);
    else merged.push({ role, blocks: [...content], at: `messages[${index}]` });
  }
  // A conversation that ends with a call: its results are missing there.
  if (merged.at(-1)?.role === "assistant")
    merged.push({ role: "user", blocks: [], at: `messages[${messages.length}]` });
  return merged;
}

function invalid(message: string, param = "messages"): CcapiError {
  return new CcapiError("invalid_request", message, { param });
}

/** What a client wrote, for its eyes; not more of it than is needed. */
function show(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
