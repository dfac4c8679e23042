// OpenAI's own client on chat completions: what it does in its helpers as well as what it sends.
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { cityOnly, type ClientStage, counted, png, startStage, gathered } from "../../helpers/clients.ts";
import { clientKey } from "../../helpers/server.ts";

let stage: ClientStage;
let client: OpenAI;
const makeClient = (options: ConstructorParameters<typeof OpenAI>[0] = {}) =>
  new OpenAI({ baseURL: stage.baseURL, apiKey: clientKey, ...options });

beforeAll(async () => {
  stage = await startStage();
  client = makeClient();
});
afterAll(() => stage.stop());
beforeEach(() => stage.simulator.clearFaults());

const model = "sonnet";
const says = (content: string) => [{ role: "user" as const, content }];
const city = z.object({ city: z.string(), n: z.int() });
const weather = {
  type: "function" as const,
  function: { name: "get_weather", parameters: cityOnly, strict: true },
};

describe("models", () => {
  it("are listed page by page, and found one by one (B2)", async () => {
    const ids: string[] = [];
    for await (const { id } of client.models.list()) ids.push(id);
    expect(ids).toContain("sonnet");
    expect((await client.models.retrieve(ids[0] ?? "")).id).toBe(ids[0]);
    await expect(client.models.retrieve("no-such-model")).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });
});

describe("a chat completion", () => {
  it("has its request's id and its usage (B1)", async () => {
    const completion = await client.chat.completions.create({ model, messages: says("Say hello.") });
    expect(completion.choices[0]?.message.content).toBeTruthy();
    expect(completion._request_id).toMatch(/^req_/);
    expect(completion.usage?.total_tokens).toBeGreaterThan(0);
  });

  it("streams, with its usage in the last chunk (B1)", async () => {
    const stream = await client.chat.completions.create({
      model,
      messages: says("Say hello."),
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = await gathered(stream);
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("")).not.toBe("");
    expect(chunks.at(-1)?.choices).toEqual([]);
    expect(chunks.at(-1)?.usage?.total_tokens).toBeGreaterThan(0);
    expect(chunks.slice(0, -1).filter(({ usage }) => usage !== undefined && usage !== null)).toEqual([]);
  });

  it("is gathered from its stream by the helper (B1)", async () => {
    const stream = client.chat.completions.stream({ model, messages: says("Say hello.") });
    let text = "";
    stream.on("content", (delta) => (text += delta));
    const completion = await stream.finalChatCompletion();
    expect(completion.choices[0]?.message.content).toBe(text);
    expect(completion.choices[0]?.finish_reason).toBe("stop");
  });

  it("takes an image as a data URL (B1)", async () => {
    const image = {
      type: "image_url" as const,
      image_url: { url: `data:image/png;base64,${png}`, detail: "low" as const },
    };
    const completion = await client.chat.completions.create({
      model,
      messages: [{ role: "user", content: [{ type: "text", text: "Colour?" }, image] }],
    });
    expect(completion.choices[0]?.message.content).toBeTruthy();
    expect(JSON.stringify(stage.simulator.requests.at(-1)?.body)).toContain('"type":"image"');
  });

  it("takes an effort and a limit (B1)", async () => {
    const completion = await client.chat.completions.create({
      model,
      messages: says("2+2?"),
      reasoning_effort: "low",
      max_completion_tokens: 2_000,
    });
    expect(completion.choices[0]?.message.content).toBeTruthy();
  });

  it("broken off leaves the server as it was (C4)", async () => {
    const stream = await client.chat.completions.create({
      model,
      messages: says("Count slowly to 100."),
      stream: true,
    });
    for await (const _chunk of stream) {
      stream.controller.abort();
      break;
    }
    expect((await client.models.list()).data.length).toBeGreaterThan(0);
  });
});

describe("tools", () => {
  it("are called in a stream, and gathered by the helper (B1)", async () => {
    const stream = client.chat.completions.stream({
      model,
      messages: says("Weather in Paris?"),
      tools: [weather],
      tool_choice: { type: "function", function: { name: "get_weather" } },
    });
    const call = (await stream.finalChatCompletion()).choices[0]?.message.tool_calls?.[0];
    expect(call).toMatchObject({ type: "function", function: { name: "get_weather" } });
    const parsed: unknown = JSON.parse(call?.type === "function" ? call.function.arguments : "");
    expect(parsed).toEqual({ city: "Paris" });
  });

  it("are run by the helper until the model answers in words (B1)", async () => {
    let calls = 0;
    const runner = client.chat.completions.runTools({
      model,
      messages: says("What is the weather in Paris? Use the tool."),
      tools: [
        {
          type: "function",
          function: {
            name: "get_weather",
            description: "weather",
            parameters: cityOnly,
            parse: JSON.parse,
            function: () => {
              calls += 1;
              return "21C";
            },
          },
        },
      ],
    });
    expect(await runner.finalContent()).toBeTruthy();
    expect(calls).toBe(1);
  });
});

describe("structured output", () => {
  it("is parsed by its strict schema (B1)", async () => {
    const completion = await client.chat.completions.parse({
      model,
      messages: says("City and number as JSON."),
      response_format: zodResponseFormat(city, "city"),
    });
    expect(city.parse(completion.choices[0]?.message.parsed).city).toBe("Paris");
  });

  it("is JSON where an object is asked for (B1)", async () => {
    const completion = await client.chat.completions.create({
      model,
      messages: says('Answer in JSON: {"ok":true}'),
      response_format: { type: "json_object" },
    });
    expect(typeof JSON.parse(completion.choices[0]?.message.content ?? "")).toBe("object");
  });
});

describe("a parameter", () => {
  it.each([
    ["n", { n: 2 }],
    ["logprobs", { logprobs: true, top_logprobs: 2 }],
    ["logit_bias", { logit_bias: { 50_256: -100 } }],
  ])("that can't be honoured is a 400 that names it: %s (B1)", async (param, more) => {
    const failing = client.chat.completions.create({ model, messages: says("hi"), ...more });
    await expect(failing).rejects.toMatchObject({ status: 400, param });
  });

  it.each([
    { stop: ["there"] },
    { seed: 1 },
    { frequency_penalty: 1 },
    { temperature: 2 },
    { top_p: 0.1 },
    { max_tokens: 5 },
    { service_tier: "auto" as const },
    { store: true, metadata: { a: "b" } },
    { prediction: { type: "content" as const, content: "x" } },
    { modalities: ["text" as const] },
    { verbosity: "low" as const },
  ])("is honoured or ignored: %j (B1)", async (more) => {
    const completion = await client.chat.completions.create({ model, messages: says("hi"), ...more });
    expect(completion.choices).toHaveLength(1);
  });
});

describe("an error", () => {
  it("of a wrong key is raised at once, with the request's id (C1)", async () => {
    const { fetch, statuses } = counted();
    const stranger = makeClient({ apiKey: "wrong", fetch });
    const error = await stranger.chat.completions
      .create({ model, messages: says("x") })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OpenAI.AuthenticationError);
    expect(error).toMatchObject({
      error: { message: expect.stringContaining("key") as string },
      requestID: expect.stringMatching(/^req_/) as string,
    });
    expect(statuses).toEqual([401]);
  });

  it("of a bad request is raised at once, with its type, code and param (B1)", async () => {
    const { fetch, statuses } = counted();
    const incomplete = { model } as OpenAI.Chat.ChatCompletionCreateParamsNonStreaming; // What the types would not let through.
    const error = await makeClient({ fetch })
      .chat.completions.create(incomplete)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ type: "invalid_request_error", code: "invalid_request", param: "messages" });
    expect(statuses).toEqual([400]);
  });

  it("of the model API's limits is tried again by the client, after the time it was told (B1)", async () => {
    stage.simulator.fail({ kind: "status", status: 429, headers: { "retry-after": "1" } });
    const { fetch, statuses } = counted(() => stage.simulator.clearFaults());
    const completion = await makeClient({ fetch }).chat.completions.create({ model, messages: says("x") });
    expect(completion.choices[0]?.message.content).toBeTruthy();
    expect(statuses).toEqual([429, 200]);
  });

  it("of the model API is tried again twice, and then raised (B1)", async () => {
    stage.simulator.fail({ kind: "status", status: 500 });
    const { fetch, statuses } = counted();
    const failing = makeClient({ fetch }).chat.completions.create({ model, messages: says("x") });
    await expect(failing).rejects.toBeInstanceOf(OpenAI.InternalServerError);
    expect(statuses).toHaveLength(3);
  });

  it("within a stream is raised (B1)", async () => {
    stage.simulator.fail({ kind: "mid-stream-error", afterDeltas: 2 });
    const stream = await client.chat.completions.create({ model, messages: says("x"), stream: true });
    await expect(gathered(stream)).rejects.toBeInstanceOf(OpenAI.APIError);
  });
});
