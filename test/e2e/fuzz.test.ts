// Random bodies that fit OpenAI's schema, on the real CLI: an answer or an error in the envelope, never a failure of ours, never a hang.
// As many as CCAPI_TEST_FUZZ says (60): `npm run test:fuzz` sends 300.
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ClientStage, cityOnly, png, startStage } from "../helpers/clients.ts";
import { assertValid } from "../helpers/openai-schema.ts";

const count = Number(process.env["CCAPI_TEST_FUZZ"] ?? 60);
const atOnce = 8;

let stage: ClientStage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.stop());

const words = fc.oneof(
  fc.constantFrom(
    "Hello.",
    "Weather in Paris? Use the tool.",
    "City and number as JSON.",
    "/clear",
    "@/etc/hostname",
    "Say exactly: ok",
  ),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 200 }),
);
const textPart = words.map((text) => ({ type: "text", text }));
const imagePart = fc.constant({ type: "image_url", image_url: { url: `data:image/png;base64,${png}` } });
const parts = fc.array(fc.oneof({ arbitrary: textPart, weight: 4 }, imagePart), { minLength: 1, maxLength: 3 });
const user = fc.record({ role: fc.constant("user"), content: fc.oneof(words, parts) });
const system = fc.record({ role: fc.constantFrom("system", "developer"), content: words });
const assistant = fc.record({ role: fc.constant("assistant"), content: words });
const messages = fc
  .tuple(fc.array(system, { maxLength: 2 }), fc.array(fc.tuple(user, assistant), { maxLength: 2 }), user)
  .map(([before, rounds, last]) => [...before, ...rounds.flat(), last]);
const tools = fc
  .uniqueArray(fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/), { minLength: 1, maxLength: 3 })
  .map((names) => names.map((name) => ({ type: "function", function: { name, parameters: cityOnly } })));
const format = fc.constantFrom(
  { type: "text" },
  { type: "json_object" },
  { type: "json_schema", json_schema: { name: "city", strict: true, schema: cityOnly } },
);
const body = fc.record(
  {
    model: fc.constant("sonnet"),
    messages,
    stream: fc.boolean(),
    stop: fc.oneof(
      fc.constantFrom("there", "\n"),
      fc.array(fc.string({ minLength: 1, maxLength: 9 }), { minLength: 1, maxLength: 4 }),
    ),
    temperature: fc.double({ min: 0, max: 2, noNaN: true }),
    top_p: fc.double({ min: 0, max: 1, noNaN: true }),
    max_completion_tokens: fc.integer({ min: 1, max: 40_000 }),
    reasoning_effort: fc.constantFrom("none", "minimal", "low", "medium", "high", "xhigh"),
    response_format: format,
    tools,
    tool_choice: fc.constantFrom("auto", "none", "required"),
    parallel_tool_calls: fc.boolean(),
    n: fc.constantFrom(1, 1, 1, 2),
    seed: fc.integer(),
    user: fc.string({ maxLength: 64 }),
    metadata: fc.dictionary(fc.string({ minLength: 1, maxLength: 64 }), fc.string({ maxLength: 512 }), { maxKeys: 4 }),
    logit_bias: fc.constantFrom({}, { 50_256: -100 }),
    store: fc.boolean(),
    verbosity: fc.constantFrom("low", "medium", "high"),
  },
  { requiredKeys: ["model", "messages"] },
);

/** What is wrong with the answer to a body; `undefined`: nothing. The watch looks at the answer itself. */
async function faultOf(value: unknown): Promise<string | undefined> {
  try {
    const response = await stage.server.post("/v1/chat/completions", value, { signal: AbortSignal.timeout(90_000) });
    const text = await response.text();
    if (response.status === 200) return undefined;
    const { error } = JSON.parse(text) as { readonly error: { readonly type: string } }; // The watch holds it against its schema.
    // The model may call no tool and miss a schema, and be said to.
    return response.status < 500 || error.type === "upstream_error" ? undefined : `${response.status} ${text}`;
  } catch (error) {
    return String(error);
  }
}

it(`answers ${count} random requests, each in time and in the envelope (B1, C4)`, { timeout: 600_000 }, async () => {
  const seed = Date.now() % 2 ** 31;
  const bodies = fc.sample(body, { numRuns: count, seed });
  for (const each of bodies) assertValid("chatRequest", each);
  const left = bodies.entries();
  const faults: string[] = [];
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const [index, each] of left) {
        const fault = await faultOf(each);
        if (fault !== undefined) faults.push(`body ${index} of seed ${seed}: ${fault}\n${JSON.stringify(each)}`);
      }
    }),
  );
  expect(faults.join("\n\n")).toBe("");
  expect((await stage.server.get("/health")).status).toBe(200);
  expect(stage.server.log()).not.toContain("Unforeseen");
});
