// Turns, contexts and sessions with everything filled in, for tests that care about one field of them.
import type { SessionRecord } from "../../src/turn/sessions.ts";
import type { Client, Message, Turn, TurnContext } from "../../src/turn/turn.ts";

export const user = (text: string): Message => ({ role: "user", content: [{ type: "text", text }] });
export const assistantSaid = (text: string): Message => ({ ...user(text), role: "assistant" });

export function makeTurn(more: Partial<Turn> = {}): Turn {
  return {
    requestedModel: "sonnet",
    profile: "chat",
    model: "sonnet",
    system: undefined,
    messages: [user("Hello")],
    sessionId: undefined,
    effort: undefined,
    sampling: {},
    stop: [],
    maxTokens: undefined,
    tools: [],
    toolChoice: { type: "auto" },
    parallelToolCalls: true,
    outputFormat: undefined,
    endUser: undefined,
    ...more,
  };
}

export function makeContext(
  client: Partial<Client> = {},
  signal: AbortSignal = new AbortController().signal,
): TurnContext {
  return { requestId: "req_1", client: { name: "client", isAdmin: false, ...client }, delivery: "stream", signal };
}

export function makeSession(more: Partial<SessionRecord> = {}): SessionRecord {
  return {
    version: 1,
    id: "s1",
    clientName: "client",
    profile: "chat",
    model: "sonnet",
    claudeSessionId: "0b0e7a52-9a55-4a0e-8a54-111111111111",
    resumeAt: "0b0e7a52-9a55-4a0e-8a54-aaaaaaaaaaaa",
    workspace: "/srv/work",
    configDir: "/srv/claude",
    turns: 1,
    costUsd: 0.5,
    createdAtMs: 1_000,
    lastUsedAtMs: 1_000,
    ...more,
  };
}
