// Claude Code's own small requests beside the conversation: titles, topics, quota checks, summaries. Answered shortly. Pure.
import type { ParsedRequest } from "../request.ts";

/** The answer to a housekeeping request; null: it is an ordinary one. */
export function housekeeping(request: ParsedRequest): string | null {
  const { lastUserText: text, system, tools, maxTokens } = request;
  if (text === "quota" && maxTokens <= 1) return "ok";
  if (tools.length > 0) return null;
  if (/\bisNewTopic\b|new conversation topic/i.test(system)) {
    return JSON.stringify({ isNewTopic: false, title: null });
  }
  if (/\b(?:generate|write|create)\b[^.]{0,60}\btitle\b/i.test(system)) {
    return JSON.stringify({ title: "Simulated session" });
  }
  if (/\bcommand prefix\b/i.test(system)) return "none";
  if (text.startsWith("Your task is to create a detailed summary of the conversation")) {
    return "<summary>A simulated summary of the conversation so far.</summary>";
  }
  return null;
}
