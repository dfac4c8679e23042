// A credential that dies under the Responses API's stream, on the real Claude CLI: one unbroken, whole sequence of events, the same
// as if nothing had happened. That each event is valid and numbered is looked at by test/helpers/watch.ts.
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AnswerBlock, type Rule, type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { makeHome, startServer, type TestServer } from "../helpers/server.ts";

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
  await rm(home, { recursive: true, force: true, maxRetries: 3 });
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

interface Event {
  readonly type: string;
  readonly item_id?: string;
  readonly delta?: string;
  readonly response?: { readonly id: string };
}

/** The events without what differs from one response to another: ids, times, signatures, and where a text is cut into pieces. */
async function play(model: string, rules: readonly Rule[]) {
  simulator.setRules(rules);
  await rm(join(server.stateDir, "workspaces", "client", "notes.txt"), { force: true });
  const response = await server.post("/v1/responses", { model, input: "Note it, please", stream: true });
  const body = await response.text();
  expect(response.status, body).toBe(200);
  const frames = body.split("\n\n").filter((frame) => frame.startsWith("event: "));
  const events = frames.map((frame) => JSON.parse(frame.slice(frame.indexOf("data: ") + 6)) as Event); // Watched.
  const merged: string[] = [];
  let deltas = "";
  for (const { delta, ...event } of events) {
    if (delta !== undefined) {
      deltas += delta;
      continue;
    }
    if (deltas !== "") merged.push(deltas);
    deltas = "";
    merged.push(JSON.stringify({ ...event, sequence_number: 0 }));
  }
  const id = events[0]?.response?.id.slice("resp_".length) ?? "";
  const told = merged.map((line) =>
    line
      .replaceAll(id, "")
      .replaceAll(/"(?:created|completed)_at":\d+/g, "")
      .replaceAll(/"encrypted_content":"[^"]+"/g, "")
      // What the cache held is another's matter.
      .replaceAll(/"usage":\{.*?\},"background"/g, '"background"'),
  );
  const notes = await readFile(join(server.stateDir, "workspaces", "client", "notes.txt"), "utf8").catch(() => "");
  return { told, notes, last: events.at(-1)?.type };
}

describe("a credential that dies under a response's stream", () => {
  it("before the first word is seen by nobody (A5, B7)", async () => {
    const answer = [{ answer: answers[2] ?? [] }];
    const unbroken = await play("sonnet", answer);
    expect(unbroken.last).toBe("response.completed");
    expect(await play("sonnet", [breakAt(0), ...answer])).toEqual(unbroken);
    expect(simulator.requests.some(({ outcome }) => outcome === "faulted")).toBe(true);
  });

  it("between two of an agent's tools is seen by nobody, and no tool runs twice (A5, B7)", async () => {
    const unbroken = await play("claude-code", script);
    expect(unbroken).toMatchObject({ notes: "a\nb\n", last: "response.completed" });
    expect(await play("claude-code", [breakAt(1), ...script])).toEqual(unbroken);
    expect(simulator.requests.some(({ outcome }) => outcome === "faulted")).toBe(true);
  });
});
