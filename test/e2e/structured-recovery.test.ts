// A credential that dies under an answer that has a form, on the real Claude CLI: the answer is the unbroken one, and no tool runs twice.
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Rule, type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { chat, makeHome, startServer, type TestServer } from "../helpers/server.ts";

const first = "sk-ant-test-first-0001";
const second = "sk-ant-test-second-0002";
let simulator: Simulator;
let server: TestServer;
let home: string;
beforeEach(async () => {
  simulator = await startSimulator({ credentials: [{ value: first, name: "first" }] });
  home = await makeHome({ key: first, ".claude/settings.json": JSON.stringify({ permissions: { allow: ["Bash"] } }) });
  server = await startServer({
    upstream: simulator.url,
    home,
    environment: { ANTHROPIC_API_KEY: undefined, ANTHROPIC_API_KEY_FILE: join(home, "key") },
  });
});
afterEach(async () => {
  await server.stop();
  await simulator.close();
  await rm(home, { recursive: true, force: true, maxRetries: 3 });
});

const schema = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
const response_format = { type: "json_schema", json_schema: { name: "city", schema, strict: true } };
const isAbout = (body: unknown, words: string) => JSON.stringify(body).includes(words);
const hasResult = (body: unknown) => isAbout(body, '"tool_result"');

/** The call at which the first key is rejected; the second is in the file by then. */
function dies(at: (body: unknown) => boolean): Rule {
  return {
    when({ body }) {
      if (!at(body)) return false;
      simulator.credentials.add({ value: second, name: "second" });
      simulator.credentials.expire(first, "expired");
      void writeFile(join(home, "key"), second);
      return true;
    },
    times: 1,
    fault: { kind: "status", status: 401, type: "authentication_error", message: "OAuth token has expired." },
  };
}

const script: readonly Rule[] = [
  {
    when: ({ body }) => isAbout(body, "The city") && !hasResult(body),
    answer: [
      { type: "tool_use", id: "toolu_a", name: "Bash", input: { command: "echo a >> notes.txt", description: "note" } },
    ],
  },
  { when: ({ body }) => isAbout(body, "must be string"), answer: [{ type: "text", text: '{"city":"Paris"}' }] },
  { when: ({ body }) => isAbout(body, "The city"), answer: [{ type: "text", text: '{"city":3}' }] },
];

it.each([
  ["after its tool", (body: unknown) => isAbout(body, "The city") && hasResult(body)],
  ["when it is asked for once more", (body: unknown) => isAbout(body, "must be string")],
])(
  "an answer with a schema whose credential dies %s is the valid one, and its tool runs once (A5, B1)",
  async (_when, at) => {
    simulator.setRules([dies(at), ...script]);
    const ask = chat("The city, please", { model: "claude-code", response_format, stream: true });
    const response = await server.post("/v1/chat/completions", ask);
    const stream = await response.text();
    const notes = await readFile(join(server.stateDir, "workspaces", "client", "notes.txt"), "utf8").catch(() => "");
    expect([response.status, notes], stream).toEqual([200, "a\n"]);
    const said = stream
      .split("\n\n")
      .filter((frame) => frame.startsWith("data: {"))
      .map((frame) => JSON.parse(frame.slice("data: ".length)) as { choices: { delta: { content?: string } }[] })
      .map(({ choices }) => choices[0]?.delta.content ?? "")
      .join("");
    expect(JSON.parse(said)).toEqual({ city: "Paris" });
  },
);
