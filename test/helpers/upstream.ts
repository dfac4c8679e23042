// What reached the model API: the conversation as the client meant it, without what Claude Code adds of its own.
import type { Simulator } from "../../src/simulator/index.ts";

interface Part {
  readonly type: string;
  readonly text?: string;
}

/** A body that Claude Code sent. */
export interface UpstreamBody {
  readonly model: string;
  readonly system?: readonly { readonly text: string }[];
  readonly messages: readonly { readonly role: string; readonly content: string | readonly Part[] }[];
  readonly tools?: readonly { readonly name: string }[];
  readonly [name: string]: unknown;
}

/** Bodies of the calls for an answer, oldest first. */
export function upstreamBodies(simulator: Simulator): UpstreamBody[] {
  return simulator.requests
    .filter(({ method, path }) => method === "POST" && /^\/v1\/messages(?:\?|$)/.test(path))
    .map(({ body }) => body as UpstreamBody);
}

/** The last call's conversation, each message as `role: text`. */
export function lastConversation(simulator: Simulator): string[] {
  const { messages } = upstreamBodies(simulator).at(-1) ?? { messages: [] };
  return messages
    .filter(({ role }) => role !== "system") // Where Claude Code may use the beta, its environment comes as such a message …
    .map(({ role, content }) => {
      const text = typeof content === "string" ? content : content.map((part) => part.text ?? "").join("");
      // … and else as reminders in the user's.
      return `${role}: ${text.replaceAll(/<system-reminder>.*?<\/system-reminder>\s*/gs, "")}`;
    });
}
