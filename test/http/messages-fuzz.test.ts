// Whatever comes in on Anthropic's paths, what goes out is an answer or an error true to its schema: never a 500, never a crash.
import fc from "fast-check";
import { expect, it } from "vitest";
import { clientKey, makeApp } from "../helpers/app.ts";
import { takeFaults } from "../helpers/watched-answers.ts";

const anything = fc.anything({ withNullPrototype: false, maxDepth: 3 });
const orAnything = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 6, arbitrary }, { weight: 1, arbitrary: anything });
const word = fc.oneof(fc.constantFrom("text", "", " ", "AAAA", "toolu_1", "get_weather"), fc.string());
const some = (fields: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record(Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, orAnything(value)])), {
    requiredKeys: [],
  });

const source = some({
  type: fc.constantFrom("base64", "url", "file", "text", "content"),
  media_type: word,
  data: word,
  url: word,
});
const kinds = [
  "text",
  "image",
  "document",
  "search_result",
  "tool_use",
  "tool_result",
  "thinking",
  "redacted_thinking",
];
const block = some({
  type: fc.constantFrom(...kinds, "server_tool_use", "compaction"),
  text: word,
  source,
  id: word,
  name: word,
  input: fc.object(),
  tool_use_id: word,
  content: fc.oneof(
    word,
    fc.array(some({ type: fc.constantFrom("text", "image", "tool_reference"), text: word, source })),
  ),
  thinking: word,
  signature: word,
  title: word,
});
const body = some({
  model: fc.constantFrom("sonnet", "claude-code", "gpt-4o", "gpt-9"),
  max_tokens: fc.integer(),
  messages: fc.array(
    some({ role: fc.constantFrom("user", "assistant", "system"), content: fc.oneof(word, fc.array(block)) }),
  ),
  system: fc.oneof(word, fc.array(block)),
  thinking: some({ type: fc.constantFrom("enabled", "disabled", "adaptive"), budget_tokens: fc.nat() }),
  tools: fc.array(some({ type: word, name: word, input_schema: fc.object() })),
  tool_choice: some({ type: fc.constantFrom("auto", "any", "tool", "none"), name: word }),
  output_config: some({ effort: word, format: fc.object() }),
  metadata: some({ user_id: word }),
  stream: fc.boolean(),
  session_id: word,
}).map((made) => JSON.stringify(made, (_key, value: unknown) => (typeof value === "bigint" ? 1 : value)));

it("500 malformed requests get an answer or an error of theirs, never a 500 (B7, C4)", async () => {
  const app = makeApp();
  const headers = { authorization: `Bearer ${clientKey}`, "content-type": "application/json" };
  await fc.assert(
    fc.asyncProperty(fc.constantFrom("/v1/messages", "/v1/messages/count_tokens"), body, async (path, sent) => {
      const response = await app.request(path, { method: "POST", headers, body: sent });
      expect(response.status, await response.text()).toBeLessThan(500);
      expect(takeFaults()).toEqual([]);
    }),
    { numRuns: 500 },
  );
  expect(app.logLines().join("")).not.toContain("Unforeseen");
});
