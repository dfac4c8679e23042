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

/** A conversation by its words, whatever parts they came in. */
export function conversationKey(messages: readonly Message[], secret: Buffer): string {
  const plain = messages.map(({ role, content }) => [
    role,
    content.every(({ type }) => type === "text")
      ? content.map((block) => (block.type === "text" ? block.text : "")).join("\0")
      : content,
  ]);
  return hash(plain, secret);
}

function hash(value: unknown, secret: Buffer): string {
  return createHmac("sha256", secret).update(JSON.stringify(value)).digest("base64url");
}
