// The library before the simulator: a home of its own, a key in a file that can be rotated, and what a query looked like from outside.
import { mkdir, readFile, realpath, rm } from "node:fs/promises";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Options, Query, SDKMessage, SDKUserMessage } from "@anthropic-ai/claude-agent-sdk";
import { type Agent, type AgentOptions, createAgent } from "../../src/agent.ts";
import { type AnswerBlock, type Rule, type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { makeHome, processesOf, until } from "./server.ts";

const keys = Array.from({ length: 9 }, (_, index) => `sk-ant-test-key-000${index}`);

/** What a test works with. */
export interface AgentHouse extends AsyncDisposable {
  readonly simulator: Simulator;
  readonly home: string;
  readonly workspace: string;
  readonly agent: Agent;
  readonly environment: Readonly<Record<string, string>>;
  readonly options: Options;
  /** The key dies; `mendAfterMs` later a new one is in the file. `undefined`: never. */
  killKey(mendAfterMs: number | undefined): void;
  /** Rules in which the key dies with the first call that has so many tool results; then the others. */
  breaking(answered: number, rules: readonly Rule[], more?: Breaking): Rule[];
  notes(): Promise<string>;
  clearNotes(): Promise<void>;
  untilQuiet(): Promise<void>;
}

/** How the key dies. */
export interface Breaking {
  /** In the turn with these words. */
  readonly turn?: string;
  /** Default 500. `null`: never. */
  readonly mendAfterMs?: number | null;
}

/** Opens it. */
export async function openAgentHouse(agentOptions: AgentOptions = {}): Promise<AgentHouse> {
  let current = 0;
  const simulator = await startSimulator({ credentials: [{ value: keys[0] ?? "" }] });
  const home = await realpath(await makeHome({ key: keys[0] ?? "" }));
  const workspace = join(home, "work");
  await mkdir(workspace);
  const environment = {
    HOME: home,
    PATH: process.env["PATH"] ?? "",
    LANG: "C.UTF-8",
    IS_SANDBOX: "1",
    ANTHROPIC_BASE_URL: simulator.url,
    ANTHROPIC_API_KEY_FILE: join(home, "key"),
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    DISABLE_TELEMETRY: "1",
  };
  const agent = createAgent({ environment, ...agentOptions });
  let renewing: NodeJS.Timeout | undefined;
  const notes = () => readFile(join(workspace, "notes.txt"), "utf8").catch(() => "");

  function killKey(mendAfterMs: number | undefined): void {
    const [old = "", next = ""] = keys.slice(current, current + 2);
    current += 1;
    simulator.credentials.expire(old, "expired");
    if (mendAfterMs === undefined) return;
    simulator.credentials.add(next);
    renewing = setTimeout(() => writeFileSync(join(home, "key"), next), mendAfterMs);
  }

  return {
    simulator,
    home,
    workspace,
    agent,
    environment,
    options: { cwd: workspace, model: "sonnet", permissionMode: "dontAsk", allowedTools: ["Bash"] },
    killKey,
    breaking(answered, rules, { turn = "", mendAfterMs = 500 } = {}) {
      let isBroken = false;
      const dies: Rule = {
        when({ body }) {
          if (isBroken || !isAsked(body, turn) || countResults(body) !== answered) return false;
          isBroken = true;
          killKey(mendAfterMs ?? undefined);
          return true;
        },
        fault: { kind: "status", status: 401, type: "authentication_error", message: "OAuth token has expired." },
      };
      return [dies, ...rules];
    },
    notes,
    clearNotes: () => rm(join(workspace, "notes.txt"), { force: true }),
    async untilQuiet() {
      await until("no process is left", async () => (await processesOf(home)).length === 0);
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(renewing);
      await agent.close();
      await simulator.close();
      await rm(home, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

export const text = (words: string): AnswerBlock => ({ type: "text", text: words });
export const note = (id: string): AnswerBlock => ({
  type: "tool_use",
  id: `toolu_${id}`,
  name: "Bash",
  input: { command: `echo ${id} >> notes.txt`, description: "note" },
});

/** What the model says, call by call; a call is known by how many tools have answered. */
export function script(calls: Readonly<Record<number, readonly AnswerBlock[]>>): Rule[] {
  return inTurn("", calls);
}

/** The same, for the turn that begins with these words. */
export function inTurn(words: string, calls: Readonly<Record<number, readonly AnswerBlock[]>>): Rule[] {
  return Object.entries(calls).map(([answered, answer]) => ({
    when: ({ body }) => isAsked(body, words) && countResults(body) === Number(answered),
    answer,
  }));
}

/** Whether the turn's words are the last of the user's. */
function isAsked(body: unknown, words: string): boolean {
  const { messages = [] } = body as { messages?: readonly { readonly role: string; readonly content: unknown }[] };
  const said = messages.filter(
    ({ role, content }) => role === "user" && !JSON.stringify(content).includes('"tool_result"'),
  );
  return hasTools(body) && JSON.stringify(said.at(-1) ?? "").includes(words);
}

function countResults(body: unknown): number {
  return JSON.stringify(body).split('"type":"tool_result"').length - 1;
}

/** Not the question by which a renewed credential may be proven: that one has no tools. */
function hasTools(body: unknown): boolean {
  return ((body as { tools?: unknown[] } | null)?.tools ?? []).length > 0;
}

/** The conversations of the calls that were answered, without the cache's marks and the day's reminders. */
export function answeredCalls(simulator: Simulator): unknown[] {
  return simulator.requests
    .filter(({ outcome, body }) => outcome === "answered" && hasTools(body))
    .map(({ body }) => {
      const { messages } = body as { messages: { role: string }[] };
      const own = messages.filter(({ role }) => role !== "system");
      const json = JSON.stringify(own, (key, value: unknown) => (key === "cache_control" ? undefined : value));
      return JSON.parse(json.replaceAll(/<system-reminder>.*?<\/system-reminder>\\?n?/g, "")) as unknown;
    });
}

/** Reads a query to its end. */
export async function collect(query: Query, onMessage?: (message: SDKMessage) => void): Promise<SDKMessage[]> {
  const messages: SDKMessage[] = [];
  for await (const message of query) {
    messages.push(message);
    onMessage?.(message);
  }
  return messages;
}

/**
 * A message as two runs must show it alike. Left out: ids of messages, sessions, requests and calls, times, durations, how much of a
 * call the cache served (and with it cost), and when a call told of its tokens.
 */
export function toComparable(message: SDKMessage): unknown {
  const subtype = "subtype" in message ? message.subtype : undefined;
  const parent = "parent_tool_use_id" in message ? message.parent_tool_use_id : undefined;
  if (message.type === "stream_event") {
    const { event } = message;
    if (event.type === "message_start") return [message.type, parent, event.type];
    return [message.type, parent, event.type === "message_delta" ? { ...event, usage: undefined } : event];
  }
  const said = message.type === "assistant" || message.type === "user" ? message.message.content : undefined;
  if (message.type !== "result") return [message.type, subtype, parent, said];
  const { is_error: isError, num_turns: turns, usage } = message;
  const tokens = [usage.input_tokens, usage.output_tokens];
  return [message.type, subtype, "result" in message ? message.result : message.errors, isError, turns, tokens];
}

/** Messages of a caller that sends the next one when a turn is over. */
export function conversation(prompts: readonly string[]): {
  readonly prompt: AsyncIterable<SDKUserMessage>;
  readonly next: () => void;
} {
  let next: () => void = () => undefined;
  async function* prompt(): AsyncGenerator<SDKUserMessage> {
    for (const content of prompts) {
      const over = new Promise<void>((resolve) => (next = resolve));
      yield { type: "user", message: { role: "user", content }, parent_tool_use_id: null };
      await over;
    }
  }
  return { prompt: prompt(), next: () => next() };
}
