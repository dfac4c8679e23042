// A credential that dies in the middle of an agent's run, on the real Claude CLI: the run goes on where it stopped.
// Each case is run twice, unbroken and broken, and both must look the same to the client, to the tools and to the model.
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AnswerBlock, type Rule, type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { untilState } from "../helpers/auth.ts";
import { chat, makeHome, processesOf, startServer, type TestServer, until } from "../helpers/server.ts";
import { type Chunk, readStream, textOf } from "../helpers/sse.ts";
import { upstreamBodies } from "../helpers/upstream.ts";

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
const bash = (id: string, command: string): AnswerBlock => ({
  type: "tool_use",
  id,
  name: "Bash",
  input: { command, description: "note" },
});
const note = (id: string) => bash(`toolu_${id}`, `echo ${id} >> notes.txt`);

/** What the model says, call by call; a call is known by how many tools have answered. */
function script(calls: readonly { readonly answered: number; readonly answer: readonly AnswerBlock[] }[]): Rule[] {
  return calls.map(({ answered, answer }) => ({
    when: ({ body }) => countResults(body) === answered,
    answer,
  }));
}

function countResults(body: unknown): number {
  return JSON.stringify(body).split('"type":"tool_result"').length - 1;
}

const runs: Readonly<Record<string, Rule[]>> = {
  "one tool": script([
    { answered: 0, answer: [text("I note it."), note("a")] },
    { answered: 1, answer: [text("Noted.")] },
  ]),
  "three tools in three rounds": script([
    { answered: 0, answer: [text("One."), note("a")] },
    { answered: 1, answer: [note("b")] },
    { answered: 2, answer: [text("Three."), note("c")] },
    { answered: 3, answer: [text("All noted.")] },
  ]),
  "two tools at once": script([
    { answered: 0, answer: [text("Both."), note("a"), note("b")] },
    { answered: 2, answer: [text("Both noted.")] },
  ]),
  "thinking before a tool": script([
    { answered: 0, answer: [{ type: "thinking", thinking: "Hmm." }, text("So."), note("a")] },
    { answered: 1, answer: [text("Done.")] },
  ]),
};

interface Outcome {
  readonly text: string;
  readonly notes: string;
  readonly lastMessages: unknown;
  readonly tokens: number;
  readonly finishReasons: number;
}

/** One run, from the question to the answer. */
async function play(rules: Rule[], stream: boolean, session: string | undefined): Promise<Outcome> {
  simulator.setRules(rules);
  simulator.clearRequests();
  await rm(join(server.stateDir, "workspaces", "client", "notes.txt"), { force: true });
  const response = await server.post(
    "/v1/chat/completions",
    chat("Note it, please", { model: "claude-code", stream, stream_options: { include_usage: true } }),
    { headers: session === undefined ? {} : { "x-session-id": session } },
  );
  const seen = stream ? await readStreamed(response) : await readWhole(response);
  const notes = await readFile(join(server.stateDir, "workspaces", "client", "notes.txt"), "utf8").catch(() => "");
  // Not the question by which a renewed credential may be proven meanwhile.
  const accepted = simulator.requests.filter(({ outcome, body }) => outcome === "answered" && hasTools(body)).at(-1);
  return { ...seen, notes, lastMessages: withoutVolatile(accepted?.body) };
}

function hasTools(body: unknown): boolean {
  return ((body as { tools?: unknown[] } | null)?.tools ?? []).length > 0;
}

async function readWhole(response: Response) {
  const body = (await response.json()) as {
    choices: [{ message: { content: string } }];
    usage: { completion_tokens: number };
    error?: unknown;
  };
  expect(response.status, JSON.stringify(body.error)).toBe(200);
  return { text: body.choices[0].message.content, tokens: body.usage.completion_tokens, finishReasons: 1 };
}

async function readStreamed(response: Response) {
  const { events, isDone } = await readStream(response);
  const chunks = events as Chunk[];
  expect(isDone, JSON.stringify(chunks.at(-1))).toBe(true);
  expect(chunks.filter((chunk) => chunk.choices[0]?.delta.role)).toHaveLength(1);
  return {
    text: textOf(chunks),
    tokens: chunks.at(-1)?.usage?.completion_tokens ?? 0,
    finishReasons: chunks.filter((chunk) => chunk.choices[0]?.finish_reason).length,
  };
}

/** A body's conversation, without what differs from one run to the next: the cache's marks and the day's reminders. */
function withoutVolatile(body: unknown): unknown {
  const { messages } = body as { messages: { role: string; content: unknown }[] };
  return JSON.parse(
    JSON.stringify(
      messages.filter(({ role }) => role !== "system"),
      (key, value: unknown) => (key === "cache_control" ? undefined : value),
    ).replaceAll(/<system-reminder>.*?<\/system-reminder>\\?n?/g, ""),
  );
}

/** From the call on that has so many tool results, the first key is rejected; soon after, the second one is in the file. */
function breakAt(rules: Rule[], answered: number): Rule[] {
  let isBroken = false;
  return [
    {
      when: ({ body }) => {
        if (!isBroken && countResults(body) === answered) {
          isBroken = true;
          simulator.credentials.add({ value: second, name: "second" });
          simulator.credentials.expire(first, "expired");
          setTimeout(() => void writeFile(join(home, "key"), second), 700);
          return true;
        }
        return false;
      },
      times: 1,
      fault: { kind: "status", status: 401, type: "authentication_error", message: "OAuth token has expired." },
    },
    ...rules,
  ];
}

const cases: { run: string; answered: number; stream: boolean; session: string | undefined }[] = [
  { run: "one tool", answered: 1, stream: true, session: undefined },
  { run: "one tool", answered: 0, stream: false, session: undefined },
  { run: "three tools in three rounds", answered: 1, stream: true, session: undefined },
  { run: "three tools in three rounds", answered: 2, stream: false, session: undefined },
  { run: "three tools in three rounds", answered: 3, stream: true, session: "s" },
  { run: "two tools at once", answered: 2, stream: true, session: undefined },
  { run: "thinking before a tool", answered: 1, stream: true, session: undefined },
];

describe("a credential that dies in the middle of a run", () => {
  it.each(cases)(
    "($run, at the call after $answered results, stream: $stream, session: $session) is seen by nobody (A5, G2)",
    async ({ run, answered, stream, session }) => {
      const rules = runs[run] ?? [];
      const unbroken = await play(rules, stream, session === undefined ? undefined : `${session}-1`);
      expect(unbroken.notes).not.toBe("");
      const broken = await play(breakAt(rules, answered), stream, session === undefined ? undefined : `${session}-2`);
      expect(broken).toEqual(unbroken);
      // A key that changes while the proof runs is proven by one more question.
      await untilState(server, "authenticated");
      await until("no process", async () => (await processesOf(home)).every((command) => command.includes("watchdog")));
    },
  );

  it("in turn 2 of a session is seen by nobody, and turn 3 knows all of it (A5, B3)", async () => {
    const rules = runs["one tool"] ?? [];
    await play([{ answer: [text("Hello.")] }], false, "long");
    const broken = await play(breakAt(rules, 1), true, "long");
    expect(broken).toMatchObject({ text: "I note it.\n\nNoted.", notes: "a\n", finishReasons: 1 });
    await play([{ answer: [text("I know.")] }], false, "long");
    const told = JSON.stringify(upstreamBodies(simulator).at(-1)?.messages);
    for (const words of ["Hello.", "I note it.", "Noted."]) expect(told).toContain(words);
  });

  it("in a process that is killed between two calls is carried on, once (A5, C4)", async () => {
    const rules = runs["one tool"] ?? [];
    const unbroken = await play(rules, true, undefined);
    const killing: Rule[] = [
      {
        when: ({ body }) => countResults(body) === 1,
        times: 1,
        fault: { kind: "stall", afterDeltas: 0 },
      },
      ...rules,
    ];
    const waiting = play(killing, true, undefined);
    await until("the second call", () => simulator.requests.some(({ body }) => countResults(body) === 1));
    const { readdir } = await import("node:fs/promises");
    for (const pid of await readdir("/proc")) {
      const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      const environ = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
      if (command.includes("claude-agent-sdk") && environ.includes(`HOME=${home}\0`))
        process.kill(Number(pid), "SIGKILL");
    }
    expect(await waiting).toEqual(unbroken);
  });
});
