// Claude Code itself as a client: the real CLI → this server → the real CLI → the simulator. Its tools are the client's to run.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Options, query, type SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type AnswerBlock, type Rule, type Simulator, startSimulator } from "../../../src/simulator/index.ts";
import { clientKey, startServer, type TestServer } from "../../helpers/server.ts";
import { upstreamBodies } from "../../helpers/upstream.ts";

let simulator: Simulator;
let server: TestServer;
let home: string;

beforeAll(async () => {
  simulator = await startSimulator();
  server = await startServer({ upstream: simulator.url });
});
afterAll(async () => {
  await server.stop();
  await simulator.close();
});
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "ccapi-client-"));
  simulator.clearRequests();
  return () => rm(home, { recursive: true, force: true, maxRetries: 5 });
});

const text = (words: string): AnswerBlock => ({ type: "text", text: words });
/** By how many tools have answered. */
const answered = (count: number, ...answer: AnswerBlock[]): Rule => ({
  when: ({ body }) => JSON.stringify(body).split('"type":"tool_result"').length - 1 === count,
  answer,
});

/** Claude Code with a home and a folder of its own, and this server for its model API. */
async function ask(prompt: string, options: Options = {}): Promise<SDKMessage[]> {
  const messages: SDKMessage[] = [];
  const env = {
    HOME: home,
    PATH: process.env["PATH"],
    LANG: "C.UTF-8",
    IS_SANDBOX: "1",
    ANTHROPIC_BASE_URL: server.url,
    ANTHROPIC_API_KEY: clientKey,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    DISABLE_TELEMETRY: "1",
    CLAUDE_CODE_MAX_RETRIES: "0",
  };
  const preset = { type: "preset", preset: "claude_code" } as const;
  const all = { cwd: home, model: "sonnet", settingSources: [], systemPrompt: preset, ...options, env };
  for await (const message of query({ prompt, options: all })) messages.push(message);
  return messages;
}
const resultOf = (messages: readonly SDKMessage[]) => messages.find((message) => message.type === "result");

describe("Claude Code as a client", () => {
  it("gets its answer, with its prompt handed on (B7)", async () => {
    simulator.setRules([{ answer: [text("Hello there.")] }]);
    const result = resultOf(await ask("Say hello."));
    expect(result).toMatchObject({ subtype: "success", is_error: false, result: "Hello there." });
    expect(result?.usage.output_tokens).toBeGreaterThan(0);
    const [sent] = upstreamBodies(simulator);
    expect(JSON.stringify(sent?.messages)).toContain("Say hello.");
    // Its own system prompt, as the client's words.
    expect(sent?.system?.map((block) => block.text).join("").length).toBeGreaterThan(3_000);
  });

  it("runs its own tools where the model asks for them (B7)", async () => {
    const command = "echo seen >> notes.txt";
    simulator.setRules([
      answered(0, text("I note it."), { type: "tool_use", name: "Bash", input: { command, description: "note" } }),
      answered(1, text("Noted.")),
    ]);
    const messages = await ask("Note it, please.", { allowedTools: ["Bash"] });
    expect(resultOf(messages)).toMatchObject({ subtype: "success", is_error: false, result: "Noted." });
    expect(await readFile(join(home, "notes.txt"), "utf8")).toBe("seen\n");
    const { messages: told } = upstreamBodies(simulator).at(-1) ?? {};
    expect(JSON.stringify(told)).toContain('"type":"tool_result"');
    expect(JSON.stringify(told)).toContain("I note it.");
  });
});
