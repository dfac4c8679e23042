// A credential that dies under Anthropic's streams, on the real Claude CLI: what the client gets is as if nothing had happened. That
// every event is whole and at its place is looked at by test/helpers/watch.ts; the matrix has every case of a death.
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import Anthropic from "@anthropic-ai/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AnswerBlock, type Rule, type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { clientKey, makeHome, startServer, type TestServer, until } from "../helpers/server.ts";

const first = "sk-ant-test-first-0001";
const second = "sk-ant-test-second-0002";

let simulator: Simulator;
let server: TestServer;
let home: string;
beforeEach(async () => {
  simulator = await startSimulator({ credentials: [{ value: first, name: "first" }] });
  home = await makeHome({
    key: first,
    ".claude/settings.json": JSON.stringify({ permissions: { allow: ["Bash"] } }),
  });
  server = await startServer({
    upstream: simulator.url,
    home,
    environment: { ANTHROPIC_API_KEY: undefined, ANTHROPIC_API_KEY_FILE: join(home, "key") },
  });
});
afterEach(async () => {
  await server.stop();
  await simulator.close();
  await rm(home, { recursive: true, force: true });
});

const text = (words: string): AnswerBlock => ({ type: "text", text: words });
const note = (id: string): AnswerBlock => ({
  type: "tool_use",
  id: `toolu_${id}`,
  name: "Bash",
  input: { command: `echo ${id} >> notes.txt`, description: "note" },
});
const countResults = (body: unknown) => JSON.stringify(body).split('"type":"tool_result"').length - 1;

const answers: readonly (readonly AnswerBlock[])[] = [
  [{ type: "thinking", thinking: "Hmm." }, text("I note it."), note("a")],
  [text("And again."), note("b")],
  [text("Noted.")],
];
const script = answers.map((answer, count): Rule => ({ when: ({ body }) => countResults(body) === count, answer }));

/** From the call on that has so many results the first key is rejected, until the second is in the file. */
function breakAt(results: number): Rule {
  return {
    when: ({ body }) => {
      if (countResults(body) !== results) return false;
      simulator.credentials.add({ value: second, name: "second" });
      simulator.credentials.expire(first, "expired");
      setTimeout(() => void writeFile(join(home, "key"), second), 500);
      return true;
    },
    times: 1,
    fault: { kind: "status", status: 401, type: "authentication_error", message: "OAuth token has expired." },
  };
}

async function play(model: string, rules: readonly Rule[]) {
  simulator.setRules(rules);
  await rm(join(server.stateDir, "workspaces", "client", "notes.txt"), { force: true });
  const client = new Anthropic({ baseURL: server.url, apiKey: clientKey, maxRetries: 0 });
  const { content, stop_reason } = await client.messages
    .stream({
      model,
      max_tokens: 4_000,
      thinking: { type: "adaptive" },
      messages: [{ role: "user", content: "Note it, please" }],
    })
    .finalMessage();
  const notes = await readFile(join(server.stateDir, "workspaces", "client", "notes.txt"), "utf8").catch(() => "");
  return { content, stop_reason, notes };
}

describe("a credential that dies under a message stream", () => {
  it("before the first word is seen by nobody (A5, B7)", async () => {
    const answer = [{ answer: answers[2] ?? [] }];
    const unbroken = await play("sonnet", answer);
    expect(unbroken).toMatchObject({ content: [{ type: "text", text: "Noted." }], stop_reason: "end_turn" });
    expect(await play("sonnet", [breakAt(0), ...answer])).toEqual(unbroken);
    await until(
      "the new key",
      () => simulator.credentials.list().some(({ accepted, name }) => name === "second" && accepted > 0),
      60_000,
    );
  });

  it("between two of an agent's tools is seen by nobody, and no tool runs twice (A5, B7)", async () => {
    const unbroken = await play("claude-code", script);
    expect(unbroken).toMatchObject({ notes: "a\nb\n", stop_reason: "end_turn" });
    expect(unbroken.content.map((block) => (block.type === "text" ? block.text : block.type))).toEqual([
      "thinking",
      "I note it.",
      "And again.",
      "Noted.",
    ]);
    const broken = await play("claude-code", [breakAt(1), ...script]);
    expect(simulator.requests.some(({ outcome }) => outcome === "faulted")).toBe(true);
    // A made-up signature is another each time.
    const unsigned = (value: unknown) => JSON.stringify(value).replaceAll(/"signature":"[^"]+"/g, "");
    expect(unsigned(broken)).toBe(unsigned(unbroken));
  });
});
