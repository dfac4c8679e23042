// Vercel's AI SDK, by its provider for servers like OpenAI's.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, type LanguageModel, Output, stepCountIs, streamText, tool } from "ai";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { type ClientStage, png, startStage, gathered } from "../../helpers/clients.ts";
import { clientKey } from "../../helpers/server.ts";

let stage: ClientStage;
let model: LanguageModel;

beforeAll(async () => {
  stage = await startStage();
  const provider = createOpenAICompatible({
    name: "ccapi",
    baseURL: stage.baseURL,
    apiKey: clientKey,
    includeUsage: true,
    supportsStructuredOutputs: true,
  });
  model = provider("sonnet");
});
afterAll(() => stage.stop());

const schema = z.object({ city: z.string(), n: z.int() });

it("gets an answer with its usage (B1)", async () => {
  const { text, usage, finishReason } = await generateText({ model, prompt: "Say hello.", maxRetries: 0 });
  expect(text).toBeTruthy();
  expect(usage.totalTokens).toBeGreaterThan(0);
  expect(finishReason).toBe("stop");
});

it("streams with reasoning, text and usage (B1)", async () => {
  const result = streamText({
    model,
    prompt: "Think, then say hello.",
    maxRetries: 0,
    providerOptions: { ccapi: { reasoningEffort: "high" } },
  });
  expect((await gathered(result.textStream)).join("")).toBeTruthy();
  expect((await result.usage).totalTokens).toBeGreaterThan(0);
  expect(await result.reasoningText).toBeTruthy();
});

it("runs tools in several steps (B1)", async () => {
  let calls = 0;
  const result = streamText({
    model,
    prompt: "What is the weather in Paris? Use the tool.",
    maxRetries: 0,
    stopWhen: stepCountIs(3),
    tools: {
      get_weather: tool({
        description: "weather",
        inputSchema: z.object({ city: z.string() }),
        execute: ({ city }) => {
          calls += 1;
          return `${city}: 21C`;
        },
      }),
    },
  });
  expect((await gathered(result.textStream)).join("")).toBeTruthy();
  expect(calls).toBe(1);
  expect((await result.steps).map(({ finishReason }) => finishReason)).toEqual(["tool-calls", "stop"]);
});

it("gets an object by its schema, streamed and not (B1)", async () => {
  const output = Output.object({ schema });
  const whole = await generateText({ model, prompt: "City and number as JSON.", output, maxRetries: 0 });
  expect(whole.output.city).toBe("Paris");
  const stream = streamText({ model, prompt: "City and number as JSON.", output, maxRetries: 0 });
  await stream.consumeStream();
  expect((await stream.output).city).toBe("Paris");
});

it("sends an image (B1)", async () => {
  const content = [
    { type: "text" as const, text: "Colour?" },
    { type: "image" as const, image: `data:image/png;base64,${png}` },
  ];
  expect((await generateText({ model, messages: [{ role: "user", content }], maxRetries: 0 })).text).toBeTruthy();
});
