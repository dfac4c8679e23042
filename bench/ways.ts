// The ways of asking that are held against each other: the upstream alone, a Claude process for each request, and this server.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { query } from "@anthropic-ai/claude-agent-sdk";
import { clientKey, credential, type Stage } from "./stage.ts";
import { chunkText, eventText, postStreamed, readStreamed, type Streamed } from "./streamed.ts";

/** A message of a conversation. */
export interface Message {
  readonly role: "user" | "assistant";
  readonly content: string;
}

/** What this server is asked beside the messages. */
export interface Ask {
  readonly model?: string;
  readonly session?: string;
  /** The end user, as the client names it. */
  readonly user?: string;
}

const system = "You are brief.";
const timeoutMs = 60_000;

/** The upstream alone. */
export function askRaw({ upstream }: Stage, words: string): Promise<Streamed> {
  const messages = [{ role: "user", content: words }];
  const body = { model: "claude-sonnet-4-5", max_tokens: 4_096, stream: true, system, messages };
  return postStreamed(`${upstream.url}/v1/messages`, { "x-api-key": credential }, body, eventText);
}

/** This server. */
export function askServer({ server }: Stage, messages: readonly Message[], ask: Ask = {}): Promise<Streamed> {
  const { model = "sonnet", session, user } = ask;
  const isAgent = model.startsWith("claude-code");
  const all = isAgent ? messages : [{ role: "system", content: system }, ...messages];
  return postStreamed(
    `${server.url}/v1/chat/completions`,
    {
      authorization: `Bearer ${clientKey}`,
      ...(session === undefined ? {} : { "x-session-id": session }),
    },
    { model, stream: true, messages: all, ...(user === undefined ? {} : { user }) },
    chunkText,
  );
}

/** The SDK's `query()`, one for each request: with as little as plain chat needs, or as an agent. */
export async function askQuery(stage: Stage, words: string, profile: "chat" | "agent" = "chat"): Promise<Streamed> {
  const abortController = new AbortController();
  const timer = setTimeout(() => abortController.abort(), timeoutMs);
  const startedAt = performance.now();
  const run = query({
    prompt: words,
    options: {
      abortController,
      cwd: join(stage.home, "work"),
      env: { ...stage.claude },
      model: "sonnet",
      includePartialMessages: true,
      persistSession: false,
      settingSources: [],
      ...(profile === "agent"
        ? { systemPrompt: { type: "preset", preset: "claude_code" } }
        : { systemPrompt: system, tools: [], strictMcpConfig: true }),
    },
  });
  let text = "";
  let firstMs: number | undefined;
  try {
    for await (const message of run) {
      if (message.type !== "stream_event" || message.event.type !== "content_block_delta") continue;
      if (message.event.delta.type !== "text_delta") continue;
      firstMs ??= performance.now() - startedAt;
      text += message.event.delta.text;
    }
  } finally {
    clearTimeout(timer);
  }
  if (firstMs === undefined) throw new Error("query() ended without text.");
  return { firstMs, totalMs: performance.now() - startedAt, text };
}

/** `claude -p`, one for each request, with as little as plain chat needs. */
export async function askPrint(stage: Stage, words: string): Promise<Streamed> {
  const startedAt = performance.now();
  const child = spawn(claudePath(), [...printFlags, words], {
    cwd: join(stage.home, "work"),
    env: stage.claude,
    stdio: ["ignore", "pipe", "ignore"],
    timeout: timeoutMs,
    killSignal: "SIGKILL",
  });
  return readStreamed(child.stdout, eventText, startedAt);
}

const printFlags: readonly string[] = [
  "-p",
  "--model=sonnet",
  `--system-prompt=${system}`,
  "--tools=",
  "--setting-sources=",
  "--strict-mcp-config",
  "--no-session-persistence",
  "--verbose",
  "--output-format=stream-json",
  "--include-partial-messages",
];

/** The Claude CLI that the SDK brings for this platform. */
export function claudePath(): string {
  const sdk = createRequire(import.meta.url).resolve("@anthropic-ai/claude-agent-sdk");
  return createRequire(sdk).resolve(`@anthropic-ai/claude-agent-sdk-${process.platform}-${process.arch}/claude`);
}
