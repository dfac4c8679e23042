// The simulator is good enough for the real Claude CLI: text, tools, thinking, structured output, a rejected credential.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Options, query, type SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/index.ts";

const KEY = "sk-ant-MARKED-MADE-UP-0001";
let simulator: Simulator;
let home: string;
let workspace: string;

beforeAll(async () => {
  simulator = await startSimulator();
  home = await mkdtemp(join(tmpdir(), "ccapi-simulator-home-"));
  workspace = await mkdtemp(join(tmpdir(), "ccapi-simulator-work-"));
});
afterAll(async () => {
  await simulator.close();
  // The CLI's child may still be writing for a moment after the last result.
  for (const folder of [home, workspace]) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** Runs the real CLI with nothing of this machine's own configuration, until `until` or its end. */
async function run(
  prompt: string,
  options: Options = {},
  until: (message: SDKMessage) => boolean = () => false,
): Promise<SDKMessage[]> {
  const messages: SDKMessage[] = [];
  const abortController = new AbortController();
  const stream = query({
    prompt,
    options: {
      cwd: workspace,
      model: "sonnet",
      settingSources: [],
      abortController,
      ...options,
      env: {
        HOME: home,
        PATH: "/usr/local/bin:/usr/bin:/bin",
        ANTHROPIC_BASE_URL: simulator.url,
        ANTHROPIC_API_KEY: KEY,
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
        DISABLE_TELEMETRY: "1",
        IS_SANDBOX: "1",
        ...options.env,
      },
    },
  });
  try {
    for await (const message of stream) {
      messages.push(message);
      if (until(message)) break;
    }
  } finally {
    abortController.abort();
  }
  return messages;
}

const plain: Options = { tools: [], systemPrompt: "Be brief." };
const resultOf = (messages: SDKMessage[]) => messages.find((message) => message.type === "result");
const blocksOf = (messages: SDKMessage[]) =>
  messages.flatMap((message) => (message.type === "assistant" ? message.message.content : []));

it("gives the CLI a text answer, token by token, with usage (E1)", async () => {
  const messages = await run("Count to 20.", { ...plain, includePartialMessages: true });
  const deltas = messages.filter(
    (message) => message.type === "stream_event" && message.event.type === "content_block_delta",
  );
  const result = resultOf(messages);
  expect(result).toMatchObject({ subtype: "success", is_error: false, result: expect.stringMatching(/^1, 2, .* 20$/) });
  expect(deltas.length).toBeGreaterThan(20);
  expect(result?.usage.output_tokens).toBeGreaterThan(20);
});

it("leads the CLI through a loop of tools that rules script (E1)", async () => {
  simulator.setRules([
    {
      when: "make the file",
      answer: [
        { type: "thinking", thinking: "First the file." },
        { type: "tool_use", name: "Write", input: { file_path: join(workspace, "made.txt"), content: "papaya\n" } },
      ],
    },
    {
      when: "made.txt",
      times: 1,
      answer: [
        { type: "text", text: "Now I look at it." },
        { type: "tool_use", name: "Bash", input: { command: "cat made.txt; echo done", description: "Show it" } },
      ],
    },
    { when: /papaya\s+done/, answer: [{ type: "text", text: "The file says papaya." }] },
  ]);
  const from = simulator.requests.length;
  const messages = await run("Please make the file.", {
    permissionMode: "bypassPermissions",
    allowDangerouslySkipPermissions: true,
  });
  simulator.setRules([]);
  expect(resultOf(messages)).toMatchObject({ is_error: false, num_turns: 3, result: "The file says papaya." });
  expect(await readFile(join(workspace, "made.txt"), "utf8")).toBe("papaya\n");
  const rules = simulator.requests.slice(from).flatMap(({ rule }) => (rule === null ? [] : [rule]));
  expect(rules).toEqual(["rule-1", "rule-2", "rule-3"]);
});

it("answers unscripted with the tool that the prompt names, and with its result (E1)", async () => {
  const messages = await run("Run the command `echo mango-$((40+2))` with the Bash tool.", {
    permissionMode: "bypassPermissions",
    allowDangerouslySkipPermissions: true,
  });
  expect(resultOf(messages)).toMatchObject({ is_error: false, result: expect.stringContaining("mango-42") });
});

it("thinks with a signature that the CLI sends back in the next turn (E1)", async () => {
  const first = await run("My name is Ada.", plain);
  expect(blocksOf(first).map((block) => block.type)).toContain("thinking");
  const session = resultOf(first)?.session_id ?? "";
  const second = await run("What is my name?", { ...plain, resume: session });
  expect(resultOf(second)).toMatchObject({ is_error: false, result: "Your name is Ada." });
  const sent = JSON.stringify(simulator.requests.at(-1)?.body);
  const thought = blocksOf(first).find((block) => block.type === "thinking");
  expect(sent).toContain(thought?.signature);
});

it("matches a JSON schema through the CLI's StructuredOutput (E1)", async () => {
  const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
  const messages = await run("A city: Oslo", { ...plain, maxTurns: 4, outputFormat: { type: "json_schema", schema } });
  expect(resultOf(messages)).toMatchObject({ is_error: false, structured_output: { city: "Oslo" } });
});

it.each([
  ["invalid_api_key", 401],
  ["revoked", 403],
] as const)("shows the CLI a credential that is %s as a failed authentication (E1)", async (rejection, status) => {
  simulator.credentials.expire(KEY, rejection);
  const from = simulator.requests.length;
  const failed = (message: SDKMessage) =>
    (message.type === "system" && message.subtype === "api_retry") || message.type === "result";
  try {
    const messages = await run("Say hello", plain, failed);
    expect(messages.at(-1)).toMatchObject({ type: "system", error: "authentication_failed", error_status: status });
  } finally {
    simulator.credentials.restore(KEY);
  }
  expect(simulator.requests[from]).toMatchObject({ status, outcome: "rejected", credential: "key-1" });
});

it("carries on after one rejection, and keeps the key out of every record (E1)", async () => {
  simulator.fail({ kind: "status", status: 401, message: "invalid x-api-key" }, 1);
  const messages = await run("Say exactly: recovered", plain);
  expect(messages.some((message) => message.type === "system" && message.subtype === "api_retry")).toBe(true);
  expect(resultOf(messages)).toMatchObject({ is_error: false, result: "recovered" });
  expect(JSON.stringify(simulator.requests)).not.toContain("MARKED");
});
