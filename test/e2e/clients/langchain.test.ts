// LangChain's OpenAI model on chat completions.
import { tool } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { type ClientStage, startStage, gathered } from "../../helpers/clients.ts";
import { clientKey } from "../../helpers/server.ts";

let stage: ClientStage;
let model: ChatOpenAI;

beforeAll(async () => {
  stage = await startStage();
  model = new ChatOpenAI({
    model: "sonnet",
    apiKey: clientKey,
    maxRetries: 0,
    configuration: { baseURL: stage.baseURL },
    streamUsage: true,
    useResponsesApi: false,
  });
});
afterAll(() => stage.stop());

const weather = tool(() => "21C", {
  name: "get_weather",
  description: "weather",
  schema: z.object({ city: z.string() }),
});

it("gets an answer with its usage (B1)", async () => {
  const answer = await model.invoke("Say hello.");
  expect(answer.text).toBeTruthy();
  expect(answer.usage_metadata).toMatchObject({ total_tokens: expect.any(Number) as number });
});

it("gathers a stream with its usage (B1)", async () => {
  const chunks = await gathered(await model.stream("Say hello."));
  const [first, ...rest] = chunks;
  const whole = rest.reduce((sum, chunk) => sum?.concat(chunk), first);
  expect(whole?.text).toBeTruthy();
  expect(whole?.usage_metadata).toMatchObject({ total_tokens: expect.any(Number) as number });
});

it("binds tools and is asked to call them (B1)", async () => {
  const answer = await model.bindTools([weather]).invoke("Weather in Paris? Use the tool.");
  expect(answer.tool_calls).toMatchObject([{ name: "get_weather", args: { city: "Paris" } }]);
});

it("gets structured output by its schema (B1)", async () => {
  const schema = z.object({ city: z.string(), n: z.int() });
  const answer = await model.withStructuredOutput(schema, { name: "city" }).invoke("City and number.");
  expect(schema.parse(answer).city).toBe("Paris");
});
