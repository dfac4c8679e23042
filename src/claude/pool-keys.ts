// What makes two runs alike enough for one process, and two conversations the same. Keyed hashes: what they are made of holds
// credentials and prompts.
import { createHmac } from "node:crypto";
import type { Message } from "../turn/turn.ts";
import type { RunSpec } from "./run.ts";

/** Everything that a process is started with, and whom it serves. */
export function processKey(
  { turn, workspace, limits, skipPermissions, child, reuse }: RunSpec,
  secret: Buffer,
): string {
  const { profile, model, system, effort, sampling, stop, maxTokens } = turn;
  const { tools, toolChoice, parallelToolCalls, outputFormat } = turn;
  const settings = { profile, model, system, effort, sampling, stop, maxTokens };
  const answers = { tools, toolChoice, parallelToolCalls, outputFormat };
  const { environment, credentialSettings, configDir } = child;
  const variables = Object.entries(environment).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return hash(
    [
      settings,
      answers,
      workspace,
      limits,
      skipPermissions,
      variables,
      credentialSettings,
      configDir,
      reuse?.client,
      reuse?.endUser,
    ],
    secret,
  );
}

/** What two new conversations share that may begin in the same unused process. It has heard no words, so that end users may share it. */
export function kindKey(spec: RunSpec, secret: Buffer): string {
  const { reuse, conversation } = spec;
  return `${conversation.kind} ${processKey({ ...spec, reuse: reuse && { ...reuse, endUser: undefined } }, secret)}`;
}

/** A conversation by its words, calls and results, whatever parts they came in. What the model thought is its own. */
export function conversationKey(messages: readonly Message[], secret: Buffer): string {
  const plain = messages.map(({ role, content }) => [
    role,
    toWords(role, content),
    content.filter(({ type }) => type !== "text" && type !== "thinking" && type !== "redacted_thinking").map(inOrder),
  ]);
  return hash(plain, secret);
}

/** Of an answer of several texts, each API puts its own blanks in between. */
function toWords(role: Message["role"], content: Message["content"]): string {
  const words = content.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("\n\n");
  return role === "assistant" ? words.replaceAll(/\s+/g, "") : words;
}

/** Arguments that a client has read and written again may have their names in another order. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, item]) => [name, inOrder(item)]);
}

function hash(value: unknown, secret: Buffer): string {
  return createHmac("sha256", secret).update(JSON.stringify(value)).digest("base64url");
}
