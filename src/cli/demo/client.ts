// What every scene of the demo uses: promises, and a client's way to ask.
import type { Stage } from "./stage.ts";

/** One scene. */
export interface Scene {
  readonly title: string;
  /** What the reader is to see; a line each. */
  readonly play: (stage: Stage, tell: (line: string) => void) => Promise<void>;
}

/** A promise that was not kept: fails the demo. */
export class BrokenPromise extends Error {
  override readonly name = "BrokenPromise";
}

/** @throws BrokenPromise where something is not as promised. */
export function assertKept(isKept: boolean, what: string): asserts isKept {
  if (!isKept) throw new BrokenPromise(what);
}

/** The body of a chat completion request that says `text`; `more` is added to it. */
export function body(text: string, more: Readonly<Record<string, unknown>> = {}): unknown {
  return { model: "sonnet", messages: [{ role: "user", content: text }], ...more };
}

interface Answer {
  readonly text: string;
  readonly reasoning: string;
  readonly tokens: number;
  readonly ms: number;
}

/** Asks, and expects an answer. */
export async function ask(stage: Stage, text: string, more: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
  const startedAt = performance.now();
  const response = await stage.post("/v1/chat/completions", body(text, more));
  const answer = (await response.json()) as {
    choices?: [{ message: { content: string; reasoning_content?: string } }];
    usage?: { completion_tokens: number };
    error?: { message: string };
  };
  assertKept(response.ok, `a completion, and not HTTP ${response.status}: ${answer.error?.message ?? ""}`);
  const message = answer.choices?.[0].message;
  return {
    text: message?.content ?? "",
    reasoning: message?.reasoning_content ?? "",
    tokens: answer.usage?.completion_tokens ?? 0,
    ms: Math.round(performance.now() - startedAt),
  };
}

/** Asks, whatever comes of it. */
export async function tryToAsk(stage: Stage, text: string): Promise<{ status: number; ms: number; message: string }> {
  const startedAt = performance.now();
  const response = await stage.post("/v1/chat/completions", body(text));
  const answer = (await response.json()) as { error?: { message: string } };
  const ms = Math.round(performance.now() - startedAt);
  return { status: response.status, ms, message: answer.error?.message ?? "" };
}
