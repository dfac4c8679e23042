// The agent on the real Claude CLI: its tools, its permissions, what of the host it is shown.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { chat, startServer, type TestServer } from "../helpers/server.ts";
import { type Chunk, readStream, textOf } from "../helpers/sse.ts";

let simulator: Simulator;
let server: TestServer;
let workspace: string;

beforeAll(async () => {
  simulator = await startSimulator();
  server = await startServer({
    upstream: simulator.url,
    files: {
      ".claude/settings.json": JSON.stringify({
        permissions: { allow: ["Bash(touch made.txt)", "Bash(env)", "Bash(pwd)"] },
      }),
    },
  });
  workspace = join(server.stateDir, "workspaces", "client");
});
afterAll(async () => {
  await server.stop();
  await simulator.close();
});
beforeEach(() => simulator.clearRequests());

/** The model says something, runs a command, then says the rest. */
function toolLoop(command: string, prompt: string): void {
  simulator.setRules([
    {
      when: ({ lastUserText, toolResults }) => toolResults.length === 0 && lastUserText.includes(prompt),
      answer: [
        { type: "text", text: "Let me see." },
        { type: "tool_use", name: "Bash", input: { command, description: "try" } },
      ],
    },
    { when: ({ toolResults }) => toolResults.length > 0, answer: [{ type: "text", text: "Done." }] },
  ]);
}

async function answer(body: unknown): Promise<string> {
  const response = await server.post("/v1/chat/completions", body);
  const completion = (await response.json()) as { choices: [{ message: { content: string } }] };
  expect(response.status, JSON.stringify(completion)).toBe(200);
  return completion.choices[0].message.content;
}

function toolResultsOf(body: unknown): unknown[] {
  const { messages } = body as { messages: { content: string | { type: string }[] }[] };
  return messages.flatMap(({ content }) =>
    typeof content === "string" ? [] : content.filter(({ type }) => type === "tool_result"),
  );
}

const agent = { model: "claude-code" };

it("runs what the operator approved and answers with its text blocks, joined by a blank line (B2)", async () => {
  toolLoop("touch made.txt", "make a file");
  expect(await answer(chat("make a file", agent))).toBe("Let me see.\n\nDone.");
  expect(await readFile(join(workspace, "made.txt"), "utf8")).toBe("");
  const { events, isDone } = await readStream(
    await server.post("/v1/chat/completions", chat("make a file", { ...agent, stream: true })),
  );
  expect(textOf(events as Chunk[])).toBe("Let me see.\n\nDone.");
  expect(isDone).toBe(true);
});

it("runs nothing that the operator has not approved (B2, C3)", async () => {
  toolLoop("touch forbidden.txt", "try it");
  expect(await answer(chat("try it", agent))).toContain("Done.");
  await expect(readFile(join(workspace, "forbidden.txt"))).rejects.toThrow("ENOENT");
});

it.each(["ps aux", "printenv", "echo $ANTHROPIC_API_KEY", "touch made.txt && ps aux", "ls"])(
  "does not run %j unapproved, though Claude Code calls it read-only (B2, C3)",
  async (command) => {
    toolLoop(command, "look at the host");
    await answer(chat("look at the host", agent));
    const results = JSON.stringify(toolResultsOf(simulator.requests.at(-1)?.body));
    expect(results).toContain("no permission rule of the operator allows it");
  },
);

it("asks the same of a subagent's commands (B2)", async () => {
  simulator.setRules([
    {
      when: ({ lastUserText, toolResults }) => lastUserText.includes("sub task") && toolResults.length === 0,
      answer: [{ type: "tool_use", name: "Bash", input: { command: "ps aux", description: "look" } }],
    },
    {
      when: ({ toolResults, lastUserText }) => toolResults.length === 0 && lastUserText.includes("delegate"),
      answer: [
        {
          type: "tool_use",
          name: "Agent",
          input: { description: "d", prompt: "sub task", subagent_type: "general-purpose", run_in_background: false },
        },
      ],
    },
    { answer: [{ type: "text", text: "Done." }] },
  ]);
  await answer(chat("delegate", agent));
  const all = JSON.stringify(simulator.requests.map(({ body }) => toolResultsOf(body)));
  expect(all).toContain("no permission rule of the operator allows it");
  expect(all).not.toContain("%CPU");
});

it("has no tool that reaches other sessions of this host, nor a time after its run (B2, B3)", async () => {
  simulator.setRules([{ answer: [{ type: "text", text: "Hello." }] }]);
  await answer(chat("hi", agent));
  const shown = JSON.stringify(simulator.requests.at(-1)?.body);
  for (const name of ["SendMessage", "ListAgents", "CronCreate", "ScheduleWakeup"]) expect(shown).not.toContain(name);
  simulator.setRules([
    {
      when: ({ toolResults }) => toolResults.length === 0,
      answer: [{ type: "tool_use", name: "ListAgents", input: {} }],
    },
    { answer: [{ type: "text", text: "Done." }] },
  ]);
  await answer(chat("who else is here?", agent));
  expect(JSON.stringify(toolResultsOf(simulator.requests.at(-1)?.body))).toContain("No such tool available");
});

it("never loads a settings file from its workspace, which an agent may have written (B2)", async () => {
  await mkdir(join(workspace, ".claude"), { recursive: true });
  const settings = {
    permissions: { allow: ["Bash"] },
    hooks: { SessionStart: [{ hooks: [{ type: "command", command: `touch ${join(workspace, "hooked.txt")}` }] }] },
  };
  await writeFile(join(workspace, ".claude", "settings.json"), JSON.stringify(settings));
  await writeFile(join(workspace, ".claude", "settings.local.json"), JSON.stringify(settings));
  toolLoop("touch forbidden.txt", "try again");
  await answer(chat("try again", agent));
  await expect(readFile(join(workspace, "forbidden.txt"))).rejects.toThrow("ENOENT");
  await expect(readFile(join(workspace, "hooked.txt"))).rejects.toThrow("ENOENT");
});

it("works in its key's own folder, outside of the checkout (C3)", async () => {
  toolLoop("pwd", "where are you");
  await answer(chat("where are you", agent));
  expect(JSON.stringify(toolResultsOf(simulator.requests.at(-1)?.body))).toContain(workspace);
});

it("is shown nothing of the server's own variables, nor npm's programs (C2)", async () => {
  simulator.setRules([
    {
      when: ({ toolResults }) => toolResults.length === 0,
      answer: [{ type: "tool_use", name: "Bash", input: { command: "env", description: "look" } }],
    },
    { when: ({ toolResults }) => toolResults.length > 0, answer: [{ type: "text", text: "Seen." }] },
  ]);
  await answer(chat("look around", agent));
  const seen = JSON.stringify(simulator.requests.at(-1)?.body);
  expect(seen).toContain("ANTHROPIC_BASE_URL=");
  expect(seen).not.toContain("CCAPI_");
  expect(seen).not.toContain("test-client-key");
});

it("knows the model by its full name: claude-code/haiku (B2)", async () => {
  simulator.setRules([{ answer: [{ type: "text", text: "Hello." }] }]);
  await answer(chat("hi", { model: "claude-code/haiku" }));
  expect(simulator.requests.map(({ body }) => (body as { model: string }).model).join()).toMatch(/haiku/);
});
