// OpenAI's Agents SDK on chat completions.
import { Agent, OpenAIChatCompletionsModel, Runner, setTracingDisabled, tool } from "@openai/agents";
import OpenAI from "openai";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { type ClientStage, startStage, gathered } from "../../helpers/clients.ts";
import { clientKey } from "../../helpers/server.ts";

let stage: ClientStage;
let model: OpenAIChatCompletionsModel;
const runner = new Runner({ tracingDisabled: true });
const schema = z.object({ city: z.string() });

beforeAll(async () => {
  setTracingDisabled(true); // It would report to OpenAI.
  stage = await startStage();
  model = new OpenAIChatCompletionsModel(
    new OpenAI({ baseURL: stage.baseURL, apiKey: clientKey, maxRetries: 0 }),
    "sonnet",
  );
});
afterAll(() => stage.stop());

const brief = { name: "a", instructions: "Be brief." };

it("runs an agent (B1)", async () => {
  expect((await runner.run(new Agent({ ...brief, model }), "Say hello.")).finalOutput).toBeTruthy();
});

it("streams a run (B1)", async () => {
  const result = await runner.run(new Agent({ ...brief, model }), "Say hello.", { stream: true });
  const events = await gathered(result);
  await result.completed;
  expect(events.length).toBeGreaterThan(2);
  expect(result.finalOutput).toBeTruthy();
});

it("runs the agent's tools (B1)", async () => {
  let calls = 0;
  const weather = tool({
    name: "get_weather",
    description: "weather",
    parameters: schema,
    execute: () => {
      calls += 1;
      return "21C";
    },
  });
  const agent = new Agent({ ...brief, model, tools: [weather] });
  expect((await runner.run(agent, "Weather in Paris? Use the tool.")).finalOutput).toBeTruthy();
  expect(calls).toBe(1);
});

it("gets an agent's output by its schema (B1)", async () => {
  const agent = new Agent({ ...brief, model, outputType: schema });
  expect(schema.parse((await runner.run(agent, "A city.")).finalOutput).city).toBeTruthy();
});
