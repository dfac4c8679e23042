// Answers that have to be JSON: held back, mended once, or refused.
import { describe, expect, it } from "vitest";
import { createAnswerForm, formInstruction } from "../../src/claude/answer-form.ts";
import type { RunEvent } from "../../src/claude/run.ts";
import type { FinishReason, OutputFormat } from "../../src/turn/turn.ts";
import { words } from "../helpers/claude.ts";

const city: OutputFormat = {
  type: "json_schema",
  name: "city",
  schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  strict: true,
};
const usage = { inputTokens: 5, cacheReadTokens: 0, cacheCreationTokens: 0, outputTokens: 2, reasoningTokens: 0 };
const finish = (reason: FinishReason = "stop", stopSequence?: string): RunEvent => ({
  type: "finish",
  reason,
  stopSequence,
  usage,
  costUsd: 0.1,
});
const said = (...texts: string[]): RunEvent[] => [
  { type: "block-start", kind: "text" },
  ...texts.map((text): RunEvent => ({ type: "delta", kind: "text", text })),
  { type: "block-stop", kind: "text" },
];
const thought: RunEvent[] = [
  { type: "block-start", kind: "thinking" },
  { type: "delta", kind: "thinking", text: "Hm." },
  { type: "block-stop", kind: "thinking" },
];

/** What a client gets where the model answers so, prompt by prompt. */
async function inForm(format: OutputFormat | undefined, ...answers: readonly RunEvent[][]) {
  const left = [...answers];
  const asked: string[] = [];
  const form = createAnswerForm(format);
  async function* read() {
    yield* left.shift() ?? [];
  }
  const events: RunEvent[] = [];
  const run = async () => {
    for await (const event of form.events(read, (prompt) => asked.push(JSON.stringify(prompt)))) events.push(event);
  };
  const failure = await run().then(
    () => undefined,
    (error: unknown) => error,
  );
  return { events, asked, failure, isAltered: form.isAltered, text: words(events) };
}

const missed = expect.objectContaining({ code: "output_schema_missed", status: 502 });

describe("an answer that has to be JSON", () => {
  it("is handed on as it came once it is valid, thinking at once (B1)", async () => {
    const answer = [...thought, ...said('{"city"', ':"Paris"}'), finish()];
    expect(await inForm(city, answer)).toMatchObject({ events: answer, asked: [], isAltered: false });
    expect((await inForm(undefined, answer)).events).toEqual(answer);
  });

  it("is asked for once more where it misses the schema, and the miss is shown to nobody (B1)", async () => {
    const result = await inForm(city, [...said('{"town":1}'), finish()], [...said('{"city":"Paris"}'), finish()]);
    expect(result).toMatchObject({ text: '{"city":"Paris"}', failure: undefined, isAltered: true });
    expect(result.asked).toHaveLength(1);
    expect(result.asked[0]).toContain("required property 'city'");
    expect(result.events.at(-1)).toMatchObject({ usage: { inputTokens: 10, outputTokens: 4 } });
    expect(result.events.filter(({ type }) => type === "finish")).toHaveLength(1);
  });

  it.each([
    ["misses the schema twice", city, ['{"city":1}', '{"city":2}']],
    ["is words twice", city, ["Paris it is.", "Paris."]],
    ["is no object", { type: "json_object" }, ["[1]", "null"]],
    ["is empty", { type: "json_object" }, ["", " "]],
  ] as const)("is an error where it %s, without a word of it (B1)", async (_what, format, answers) => {
    const result = await inForm(format, ...answers.map((text) => [...said(text), finish()]));
    expect(result).toMatchObject({ failure: missed, text: "", events: [] });
    expect(result.asked).toHaveLength(1);
  });

  it("may stand in a code fence, which is taken off (B1)", async () => {
    const result = await inForm({ type: "json_object" }, [...said('```json\n{"a":', "1}\n```\n"), finish()]);
    expect(result).toMatchObject({ text: '{"a":1}', isAltered: true, asked: [] });
  });

  it.each(["length", "refusal"] as const)("ends in %s as far as it came (B1)", async (reason) => {
    const answer = [...said('{"city":"Pa'), finish(reason)];
    expect(await inForm(city, answer)).toMatchObject({ events: answer, failure: undefined });
  });

  it("is not asked for again in a process whose answer was cut (B1)", async () => {
    expect(await inForm(city, [...said('{"city":'), finish("stop", "\n")])).toMatchObject({
      failure: missed,
      asked: [],
    });
  });

  it("may wait for the client's tools, and words beside a call are handed on before it (B1)", async () => {
    const call: RunEvent[] = [
      { type: "tool-start", id: "t", name: "f" },
      { type: "tool-delta", id: "t", json: "{}" },
      { type: "tool-stop", id: "t", input: {} },
    ];
    const answer = [...said("Let me look."), ...call, finish("tool_calls")];
    expect(await inForm(city, answer)).toMatchObject({ events: answer, asked: [] });
  });

  it("is an agent's last words alone (B1)", async () => {
    const result: RunEvent = { type: "tool-result", results: [] };
    const answer = [...said("First I look."), result, ...said('{"city":"Paris"}'), finish()];
    expect((await inForm(city, answer)).events).toEqual([result, ...said('{"city":"Paris"}'), finish()]);
  });

  it("is nothing where the run's messages ended early (B1)", async () => {
    expect(await inForm(city, said('{"city":"Paris"}'))).toMatchObject({ events: [], failure: undefined });
  });
});

it("tells the model the schema, or that any object will do (B1)", () => {
  expect(formInstruction(city)).toContain('"required":["city"]');
  expect(formInstruction({ type: "json_object" })).toContain("JSON object");
});
