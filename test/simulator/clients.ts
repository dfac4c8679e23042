// A simulator with the official client in front of it, for the tests of this room.
import Anthropic from "@anthropic-ai/sdk";
import { type Simulator, type SimulatorOptions, startSimulator } from "../../src/simulator/index.ts";

export const MODEL = "claude-sonnet-5-5";

export interface Pair extends AsyncDisposable {
  readonly simulator: Simulator;
  readonly client: Anthropic;
}

/** Starts both. The client never retries, so that a test sees the first answer. */
export async function startPair(options: SimulatorOptions = {}, apiKey = "made-up-key-0001"): Promise<Pair> {
  const simulator = await startSimulator(options);
  const client = createClient(simulator, apiKey);
  return { simulator, client, [Symbol.asyncDispose]: () => simulator.close() };
}

/** A client that sends its key as `x-api-key`, and nothing of this machine's environment. */
export function createClient(simulator: Simulator, apiKey: string): Anthropic {
  return new Anthropic({
    baseURL: simulator.url,
    apiKey: null,
    authToken: null,
    defaultHeaders: { "x-api-key": apiKey },
    maxRetries: 0,
  });
}

/** A request of one user text. */
export function ask(text: string) {
  return { model: MODEL, max_tokens: 500, messages: [{ role: "user" as const, content: text }] };
}

/** The text blocks of a message, joined. */
export function textOf(message: Anthropic.Message): string {
  return message.content.map((block) => (block.type === "text" ? block.text : "")).join("");
}

/** Posts a body as it is. */
export function post(simulator: Simulator, body: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${simulator.url}/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": "made-up-key-0001", ...headers },
    body,
  });
}
