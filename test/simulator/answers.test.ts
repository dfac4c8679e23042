// The built-in answers: what clients that bring no script may count on.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answerBlocks } from "../../src/simulator/answer/compose.ts";
import { findClues } from "../../src/simulator/answer/clues.ts";
import { textForPattern } from "../../src/simulator/answer/pattern.ts";
import { valueFor } from "../../src/simulator/answer/schema.ts";
import { toPieces } from "../../src/simulator/pieces.ts";
import { type JsonObject, parseRequest } from "../../src/simulator/request.ts";
import { MODEL } from "./clients.ts";

const answer = (messages: unknown, more: JsonObject = {}) =>
  answerBlocks(parseRequest({ model: MODEL, max_tokens: 1000, messages, ...more }));
const turns = (...texts: string[]) =>
  texts.map((content, index) => ({ role: index % 2 === 0 ? "user" : "assistant", content }));
const say = (...texts: string[]) => {
  const [block] = answer(turns(...texts));
  return block?.type === "text" ? block.text : null;
};

it.each([
  ["Say exactly: Hello, World!", "Hello, World!"],
  ["Reply with exactly: PONG", "PONG"],
  ["Reply with PONG", "PONG"],
  ["say only the word papaya", "papaya"],
  ["Please reply with just the word ok and nothing else.", "ok"],
  ["Reply with exactly one word: pong", "pong"],
  ["Say 'hi there' and nothing else", "hi there"],
  ["Remember the code word: papaya. Reply OK.", "OK"],
  ["Respond with only the number 42.", "42"],
  ["Output exactly this text: foo bar baz", "foo bar baz"],
  ["Say hello.", "Hello there! How can I help you today?"],
  ["count to 5", "1, 2, 3, 4, 5"],
  ["Count from 3 down to 1", "3, 2, 1"],
  ["Count from 3 to 6", "3, 4, 5, 6"],
  ["2+2?", "2+2 = 4"],
  ["What is 17 * 3? Reply with just the number.", "51"],
  ["What is the capital of France?", "The capital of France is Paris."],
  ["Write a poem about the sea.", "This is a simulated answer. You said: Write a poem about the sea."],
  ["Reply with a haiku", "This is a simulated answer. You said: Reply with a haiku"],
  ['Answer in JSON: {"ok":true}', '{"ok":true}'],
])("answers %j with %j (E1)", (prompt, text) => {
  expect(say(prompt)).toBe(text);
});

it.each([
  ["My name is Bob.", "What is my name?", "Your name is Bob."],
  ["I'm Carol.", "Do you remember my name?", "Your name is Carol."],
  ["My name is Alice and I like cats", "What's my name? Reply with just the name.", "Alice"],
  ["Remember the word papaya", "Which word did I ask you to remember?", "The word is papaya."],
  ["Remember the code word: papaya. Reply OK.", "What is the code word?", "The code word is papaya."],
  ["Remember this number: 4711", "What number did I tell you?", "The number is 4711."],
  ["My favourite colour is blue.", "What is my favourite colour?", "The favourite colour is blue."],
  ["What is 1+1", "What was my previous message?", 'You said: "What is 1+1"'],
])("remembers from %j what %j asks for (E1)", (told, asked, text) => {
  expect(say(told, "OK", asked)).toBe(text);
  expect(say(asked)).not.toBe(text);
});

it("remembers the latest where something was told twice (E1)", () => {
  expect(say("My name is Bob.", "Hi", "My name is Eve.", "Hi", "What is my name?")).toBe("Your name is Eve.");
});

describe("tools", () => {
  const tool = (name: string, properties: JsonObject = {}, description = "") => ({
    name,
    description,
    input_schema: { type: "object", properties, required: Object.keys(properties) },
  });
  const weather = tool("get_weather", { city: { type: "string" } });
  const bash = tool("Bash", { command: { type: "string" } }, "Executes a given bash command and returns its output");
  const calls = (prompt: string, tools: unknown[], more: JsonObject = {}) =>
    answer(turns(prompt), { tools, ...more }).flatMap((block) =>
      block.type === "tool_use" ? [[block.name, block.input]] : [],
    );

  it.each<[prompt: string, tools: unknown[], wanted: unknown[]]>([
    ["Weather in Paris?", [bash, weather], [["get_weather", { city: "Paris" }]]],
    ["How warm is it in Rome? Use the tool.", [weather], [["get_weather", { city: "Rome" }]]],
    [
      "The weather in Paris and London?",
      [weather],
      [
        ["get_weather", { city: "Paris" }],
        ["get_weather", { city: "London" }],
      ],
    ],
    [
      "Weather in Oslo?",
      [tool("mcp__client__get_weather", { city: { type: "string" } })],
      [["mcp__client__get_weather", { city: "Oslo" }]],
    ],
    ["Say hello.", [weather, bash], []],
    ["Explain how bash reads a command", [bash], []],
    ["Run `echo hi` with the Bash tool", [bash], [["Bash", { command: "echo hi" }]]],
    [
      "What is 12 * 7?",
      [tool("calculator", { a: { type: "number" }, b: { type: "number" }, op: { enum: ["add", "multiply"] } })],
      [["calculator", { a: 12, b: 7, op: "multiply" }]],
    ],
  ])("for %j calls what was asked for (E1)", (prompt, tools, wanted) => {
    expect(calls(prompt, tools)).toEqual(wanted);
  });

  it("calls what tool_choice forces, and nothing where it forbids (E1)", () => {
    expect(calls("Hello", [bash, weather], { tool_choice: { type: "tool", name: "get_weather" } })).toHaveLength(1);
    expect(calls("Hello", [weather], { tool_choice: { type: "any" } })).toHaveLength(1);
    expect(calls("Weather in Paris?", [weather], { tool_choice: { type: "none" } })).toEqual([]);
    const one = { tool_choice: { type: "auto", disable_parallel_tool_use: true } };
    expect(calls("The weather in Paris and London?", [weather], one)).toHaveLength(1);
  });

  it("quotes every result instead of calling again, and says which failed (E1)", () => {
    const messages = [
      ...turns("Weather in Paris?"),
      {
        role: "assistant",
        content: ["1", "2"].map((id) => ({ type: "tool_use", id, name: "get_weather", input: {} })),
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "1", content: "21C" },
          { type: "tool_result", tool_use_id: "2", content: [{ type: "text", text: "no data" }], is_error: true },
        ],
      },
    ];
    expect(answer(messages, { tools: [weather] })).toEqual([
      { type: "text", text: "The tool answered: 21C\n\nThe tool failed: no data" },
    ]);
  });

  it("calls StructuredOutput until it has its result (E1)", () => {
    const tools = [tool("StructuredOutput", { city: { type: "string" } })];
    const first = answer(turns("A city: Oslo"), { tools });
    expect(first).toEqual([{ type: "tool_use", name: "StructuredOutput", input: { city: "Oslo" } }]);
    const urged = turns("A city: Oslo", "Oslo", "[structured-output-enforce] You MUST call the StructuredOutput tool");
    expect(answer(urged, { tools })).toEqual(first);
    const done = [
      ...turns("A city: Oslo"),
      { role: "assistant", content: [{ type: "tool_use", id: "1", name: "StructuredOutput", input: {} }] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "1", content: "provided" }] },
    ];
    expect(answer(done, { tools })[0]?.type).toBe("text");
  });
});

it("answers Claude Code's own small requests shortly (E1)", () => {
  const system = "Analyze if this message indicates a new conversation topic. Answer with isNewTopic and title.";
  expect(answer(turns("hello"), { system })).toEqual([{ type: "text", text: '{"isNewTopic":false,"title":null}' }]);
  expect(answer(turns("quota"), { max_tokens: 1 })).toEqual([{ type: "text", text: "ok" }]);
});

it("gives the same request the same answer, and thinks only where thinking is on (E1)", () => {
  const request = { thinking: { type: "adaptive" } };
  expect(answer(turns("think: 2+2?"), request)).toEqual(answer(turns("think: 2+2?"), request));
  expect(answer(turns("think: 2+2?"), request).map(({ type }) => type)).toEqual(["thinking", "text"]);
  expect(answer(turns("think: 2+2?")).map(({ type }) => type)).toEqual(["text"]);
});

const person = {
  type: "object",
  properties: { name: { type: "string" }, age: { type: "integer", minimum: 18 } },
  required: ["name", "age"],
  additionalProperties: false,
};

it.each<[name: string, schema: JsonObject]>([
  [
    "nested objects and references",
    {
      type: "object",
      properties: { people: { type: "array", items: { $ref: "#/$defs/p" }, minItems: 3 }, boss: { $ref: "#/$defs/p" } },
      required: ["people", "boss"],
      $defs: { p: person },
    },
  ],
  [
    "constants, enums, options and null",
    {
      type: "object",
      properties: {
        kind: { const: "x" },
        unit: { enum: ["c", "f"] },
        note: { anyOf: [{ type: "null" }, { type: "string", minLength: 30 }] },
        other: { oneOf: [person, { type: "number" }] },
      },
      required: ["kind", "unit", "note", "other"],
    },
  ],
  [
    "bounds of numbers",
    {
      type: "object",
      properties: {
        a: { type: "integer", exclusiveMinimum: 10, maximum: 12 },
        b: { type: "number", minimum: -2, maximum: -1 },
        c: { type: "integer", multipleOf: 7, minimum: 20 },
      },
      required: ["a", "b", "c"],
    },
  ],
  [
    "lengths, patterns and formats",
    {
      type: "object",
      properties: {
        a: { type: "string", maxLength: 3 },
        b: { type: "string", pattern: "^[A-Z]{3}-\\d{4}$" },
        c: { type: "string", format: "date" },
        d: { type: "string", format: "uuid" },
        e: { type: "string", pattern: "^(foo|bar)_[^a-c]+$" },
      },
      required: ["a", "b", "c", "d", "e"],
    },
  ],
  [
    "merged parts",
    {
      allOf: [
        { type: "object", properties: person.properties, required: person.required },
        { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
      ],
      unevaluatedProperties: false,
    },
  ],
  [
    "itself",
    {
      type: "object",
      properties: { value: { type: "string" }, next: { anyOf: [{ $ref: "#" }, { type: "null" }] } },
      required: ["value", "next"],
    },
  ],
  ["a tuple", { type: "array", prefixItems: [{ type: "string" }, { type: "integer" }], minItems: 2, items: false }],
])("makes a value that matches a schema with %s (E1)", async (_, schema) => {
  const { default: Ajv2020 } = await import("ajv/dist/2020.js");
  const ajv = new Ajv2020.default({ strict: false, validateFormats: false });
  const check = ajv.compile(schema);
  const value = valueFor(schema, findClues("Say 3 things about Ann in Oslo"));
  expect([check(value), check.errors, value]).toEqual([true, null, value]);
});

it("fills fields from the words of the prompt (E1)", () => {
  const text =
    'Extract: Jason is 25 years old, lives in Berlin, writes to j@x.org on 2026-03-04, file /tmp/a.txt, says "boo".';
  const fields = ["name", "city", "email", "date", "file_path", "quote"].map((name) => [name, { type: "string" }]);
  const schema = { type: "object", properties: { ...Object.fromEntries(fields), age: { type: "integer" } } };
  expect(valueFor(schema, findClues(text))).toEqual({
    name: "Jason",
    city: "Berlin",
    email: "j@x.org",
    date: "2026-03-04",
    file_path: "/tmp/a.txt",
    quote: "boo",
    age: 25,
  });
});

it("comes to an end with schemas that go in circles in many places (E1)", () => {
  const circle = { $ref: "#" };
  const schema = {
    type: "object",
    required: ["a", "b"],
    properties: { a: { type: "array", minItems: 100, items: circle }, b: circle },
  };
  expect(JSON.stringify(valueFor(schema, findClues("x"))).length).toBeLessThan(100_000);
  valueFor({ allOf: Array.from({ length: 10 }, () => circle) }, findClues("x"));
  expect(textForPattern("(((a{1000}){1000}){1000})")).toBeNull();
});

it("makes a text for the simple patterns that random literals and classes give (E1)", () => {
  const part = fc.constantFrom(
    "a",
    "Z",
    "\\d",
    "\\w",
    "[a-f]",
    "[^x]",
    "[^\\]]",
    "[\\]\\\\]",
    "(foo|bar)",
    "(?:q)",
    "x?",
    "y*",
    "\\d{2,4}",
    "[A-Z]+",
    "\\.",
    "-",
  );
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), (parts) => {
      const pattern = `^${parts.join("")}$`;
      expect(textForPattern(pattern)).toMatch(new RegExp(pattern, "u"));
    }),
  );
});

it("gives a fitting text or null for every expression, and never throws (E1)", () => {
  const token = fc.constantFrom("[", "]", "^", "\\", "(", ")", "|", "-", "a", "*", "{2}", "\\]", "\\p{Lu}", "?", ".");
  fc.assert(
    fc.property(fc.array(token, { maxLength: 10 }), (tokens) => {
      const text = textForPattern(tokens.join(""));
      if (text !== null) expect(text).toMatch(new RegExp(tokens.join(""), "u"));
    }),
    { numRuns: 2_000 },
  );
  expect(textForPattern("^[^\\]]$")).toBe("a");
});

it("cuts any text into pieces that are the text again, no character in halves (E1)", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
      const pieces = toPieces(text);
      expect(pieces.join("")).toBe(text);
      expect(pieces.every((piece) => piece.length > 0 && piece.length <= 14 && piece.isWellFormed())).toBe(true);
    }),
  );
});
