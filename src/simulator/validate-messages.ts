// The rules of the `messages` array: roles, blocks, and tools that must be answered. The first fault in the API's words. Pure.
import { isJsonObject, type JsonObject } from "./request.ts";

/** What is wrong with the conversation; null: nothing. */
export function messagesFault(messages: unknown): string | null {
  if (messages === undefined) return "messages: Field required";
  if (!Array.isArray(messages)) return "messages: Input should be a valid list";
  if (messages.length === 0) return "messages: at least one message is required";
  const checked: {
    readonly index: number;
    readonly role: string;
    readonly blocks: JsonObject[];
  }[] = [];
  for (const [index, message] of messages.entries()) {
    const at = `messages.${index}`;
    if (!isJsonObject(message)) return `${at}: Input should be a valid dictionary or object`;
    const { role, content } = message;
    const fault = roleFault(at, role);
    if (fault !== null) return fault;
    const final = index === messages.length - 1;
    const contentProblem = contentFault(at, String(role), content, final);
    if (contentProblem !== null) return contentProblem;
    // Notes of Claude Code stand anywhere and take no part in the order of the others.
    if (role === "system") continue;
    // Checked above: a string or a list of objects.
    const blocks = typeof content === "string" ? [] : (content as JsonObject[]);
    checked.push({ index, role: String(role), blocks });
  }
  if (checked[0]?.role !== "user") return 'messages: first message must use the "user" role';
  return toolPairsFault(mergeRoles(checked));
}

/** Claude Code puts `system` messages between the others. */
function roleFault(at: string, role: unknown): string | null {
  if (role === undefined) return `${at}.role: Field required`;
  if (role === "user" || role === "assistant" || role === "system") return null;
  return typeof role === "string"
    ? `messages: Unexpected role "${role.slice(0, 100)}". Allowed roles are "user" or "assistant".`
    : `${at}.role: Input should be 'user', 'assistant' or 'system'`;
}

function contentFault(at: string, role: string, content: unknown, final: boolean): string | null {
  if (content === undefined) return `${at}.content: Field required`;
  const empty = content === "" || (Array.isArray(content) && content.length === 0);
  if (empty) {
    return role === "system" || (final && role === "assistant")
      ? null
      : `${at}: all messages must have non-empty content except for the optional final assistant message`;
  }
  if (typeof content === "string") return trailingFault(role, content, final);
  if (!Array.isArray(content)) return `${at}.content: Input should be a valid list`;
  for (const [index, block] of content.entries()) {
    const fault = blockFault(`${at}.content.${index}`, block);
    if (fault !== null) return fault;
  }
  const last: unknown = content.at(-1);
  return isJsonObject(last) && last.type === "text" ? trailingFault(role, String(last.text), final) : null;
}

function trailingFault(role: string, text: string, final: boolean): string | null {
  return final && role === "assistant" && text !== text.trimEnd()
    ? "messages: final assistant content cannot end with trailing whitespace"
    : null;
}

/** Fields that a block of each type must have, as strings. Types not listed here (newer ones) are taken as they are. */
const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  text: ["text"],
  thinking: ["thinking", "signature"],
  redacted_thinking: ["data"],
  tool_use: ["id", "name"],
  tool_result: ["tool_use_id"],
};

function blockFault(at: string, block: unknown): string | null {
  if (!isJsonObject(block)) return `${at}: Input should be a valid dictionary or object`;
  const { type } = block;
  if (typeof type !== "string") return `${at}.type: Field required`;
  for (const field of (Object.hasOwn(REQUIRED, type) ? REQUIRED[type] : undefined) ?? []) {
    if (block[field] === undefined) return `${at}.${type}.${field}: Field required`;
    if (typeof block[field] !== "string") {
      return `${at}.${type}.${field}: Input should be a valid string`;
    }
  }
  if (type === "text" && block.text === "") {
    return "messages: text content blocks must be non-empty";
  }
  if (type === "tool_use" && !isJsonObject(block.input)) {
    return `${at}.tool_use.input: Input should be a valid dictionary`;
  }
  if (type === "image") return sourceFault(at, block.source, IMAGE_TYPES);
  return type === "document" ? sourceFault(at, block.source, null) : null;
}

const IMAGE_TYPES = ["image/jpeg", "image/png", "image/gif", "image/webp"];

function sourceFault(at: string, source: unknown, types: readonly string[] | null): string | null {
  if (!isJsonObject(source)) return `${at}.source: Field required`;
  if (source.type === "url") {
    const url = typeof source.url === "string" && URL.canParse(source.url);
    return url ? null : `${at}.image.source.url.url: Input should be a valid URL`;
  }
  if (source.type !== "base64") return null;
  const { media_type: mediaType, data } = source;
  if (types !== null && !types.includes(String(mediaType))) {
    return `${at}.image.source.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'`;
  }
  return typeof data === "string" && data !== "" ? null : `${at}.image.source.base64.data: Field required`;
}

interface Turn {
  readonly index: number;
  readonly role: string;
  readonly blocks: JsonObject[];
}

/** Messages of one role that follow each other are one turn to the API. */
function mergeRoles(messages: readonly Turn[]): readonly Turn[] {
  const turns: Turn[] = [];
  for (const message of messages) {
    const before = turns.at(-1);
    if (before?.role === message.role) before.blocks.push(...message.blocks);
    else turns.push({ ...message, blocks: [...message.blocks] });
  }
  return turns;
}

function toolPairsFault(turns: readonly Turn[]): string | null {
  const seen = new Set<unknown>();
  for (const [place, turn] of turns.entries()) {
    const before = turns[place - 1];
    const open = idsOf(before?.role === "assistant" ? before : undefined, "tool_use", "id");
    if (turn.role === "assistant") {
      const calls = idsOf(turn, "tool_use", "id");
      if (calls.some((id) => seen.has(id)) || new Set(calls).size < calls.length) {
        return "messages: `tool_use` ids must be unique";
      }
      for (const id of calls) seen.add(id);
      if (calls.length === 0) continue;
      const answered = idsOf(turns[place + 1], "tool_result", "tool_use_id");
      const missing = calls.filter((id) => !answered.includes(id));
      if (missing.length > 0) {
        return `messages.${turn.index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing.join(", ")}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`;
      }
      continue;
    }
    const results = idsOf(turn, "tool_result", "tool_use_id");
    const stray = results.findIndex((id) => !open.includes(id));
    if (stray >= 0) {
      return `messages.${turn.index}.content.${stray}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${results[stray]}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`;
    }
    if (new Set(results).size < results.length) {
      return `messages.${turn.index}.content: each tool_use must have a single result. Found multiple \`tool_result\` blocks with id: ${results[0]}`;
    }
  }
  return null;
}

function idsOf(turn: Turn | undefined, type: string, field: string): readonly string[] {
  if (turn === undefined) return [];
  return turn.blocks.filter((block) => block.type === type).map((block) => String(block[field]));
}
