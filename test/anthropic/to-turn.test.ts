import { describe, expect, it } from "vitest";
import { messagesRequest } from "../../src/anthropic/request.ts";
import { type MessagesHeaders, type MessagesTurn, toTurn } from "../../src/anthropic/to-turn.ts";
import { toInvalidRequest } from "../../src/http/validation.ts";

const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
const none: MessagesHeaders = { sessionId: undefined, endUser: undefined, betas: undefined };
const hi = { role: "user", content: "Hi" };
const weather = { name: "get_weather", description: "Weather", input_schema: { type: "object", properties: {} } };

/** As the server does it: the schema first. */
function understand(more: Record<string, unknown> = {}, headers: Partial<MessagesHeaders> = {}): MessagesTurn {
  const parsed = messagesRequest.safeParse({ model: "sonnet", max_tokens: 4_096, messages: [hi], ...more });
  if (!parsed.success) throw toInvalidRequest(parsed.error.issues);
  return toTurn(parsed.data, { ...none, ...headers }, new Map());
}
const said = (...content: unknown[]) => ({ messages: [{ role: "user", content }] });
const contentOf = (more: Record<string, unknown>) => understand(more).turn.messages.at(-1)?.content;

describe("a Messages request", () => {
  it("becomes a turn with nothing added (B7)", () => {
    expect(understand()).toEqual({
      turn: {
        requestedModel: "sonnet",
        profile: "chat",
        model: "sonnet",
        system: undefined,
        messages: [{ role: "user", content: [{ type: "text", text: "Hi" }] }],
        sessionId: undefined,
        effort: undefined,
        sampling: {},
        stop: [],
        maxTokens: 4_096,
        tools: [],
        toolChoice: { type: "auto" },
        parallelToolCalls: true,
        outputFormat: undefined,
        endUser: undefined,
      },
      ignored: [],
      shownThinking: "nothing",
    });
  });

  it.each([
    [{ max_tokens: undefined }, "max_tokens"],
    [{ max_tokens: 0 }, "max_tokens"],
    [{ messages: [] }, "messages"],
    [{ temperature: 1.5 }, "temperature"],
    [{ thinking: { type: "enabled" } }, "thinking.budget_tokens"],
    [{ thinking: { type: "loud" } }, "thinking.type"],
    [{ output_config: { effort: "none" } }, "output_config.effort"],
    [{ stop_sequences: [""] }, "stop_sequences[0]"],
    [said({ type: "text" }), "messages[0].content[0].text"],
    [said({ type: "song", text: "la" }), "messages[0].content[0].type"],
    [said({ type: "tool_result", tool_use_id: "a b" }), "messages[0].content[0].tool_use_id"],
    [
      said({ type: "image", source: { type: "base64", media_type: "image/png" } }),
      "messages[0].content[0].source.data",
    ],
    [{ messages: [{ role: "tool", content: "x" }] }, "messages[0].role"],
    [{ system: [{ type: "image" }] }, "system[0].type"],
    [{ session_id: "a b" }, "session_id"],
  ])("with %j is a 400 that names %s (B7)", (more, param) => {
    expect(() => understand(more)).toThrow(expect.objectContaining({ code: "invalid_request", param, status: 400 }));
  });

  it("takes the system prompt as text or blocks, and the system's messages (B7)", () => {
    expect(understand({ system: "Brief." }).turn.system).toBe("Brief.");
    const system = [
      { type: "text", text: "One.", cache_control: { type: "ephemeral" } },
      { type: "text", text: " " },
    ];
    const messages = [
      hi,
      { role: "assistant", content: "Yes?" },
      { role: "system", content: [{ type: "text", text: "Two." }] },
      hi,
      { role: "system", content: "Three." },
    ];
    const { turn } = understand({ system, messages });
    expect(turn.system).toBe("One.\n\nTwo.\n\nThree.");
    expect(turn.messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
  });

  it("is not told by which line Claude Code, as a client, names itself to the model API (B7)", () => {
    const line = { type: "text", text: "x-anthropic-billing-header: cc_version=1; cc_entrypoint=cli;" };
    expect(understand({ system: [line, { type: "text", text: "Brief." }] }).turn.system).toBe("Brief.");
  });

  it("keeps what it was given beside the content: stops, end user, session, sampling (B7, B3)", () => {
    const { turn } = understand({
      stop_sequences: ["a", "b", "c", "d", "e"],
      metadata: { user_id: "u1" },
      session_id: "s1",
      temperature: 0.2,
      top_p: 0.9,
      top_k: 5,
    });
    expect(turn).toMatchObject({ stop: ["a", "b", "c", "d", "e"], endUser: "u1", sessionId: "s1" });
    expect(turn.sampling).toEqual({ temperature: 0.2, top_p: 0.9, top_k: 5 });
    expect(() => understand({ session_id: "s1" }, { sessionId: "s2" })).toThrow(
      expect.objectContaining({ param: "session_id" }),
    );
  });

  it("passes over what has no effect, and says so (B7)", () => {
    const { ignored } = understand(
      {
        context_management: { edits: [] },
        service_tier: "auto",
        made_up: 1,
        "made up": 1,
        cache_control: null,
        output_config: { task_budget: { type: "tokens", total: 1 } },
        thinking: { type: "adaptive" },
        temperature: 0.5,
      },
      { betas: "interleaved-thinking-2025-05-14" },
    );
    expect(ignored).toEqual([
      "context_management",
      "service_tier",
      "made_up",
      "anthropic-beta",
      "output_config.task_budget",
      "temperature",
    ]);
  });

  it.each([
    [{ mcp_servers: [{ type: "url", url: "https://a.example" }] }, "mcp_servers"],
    [{ container: "c1" }, "container"],
    [{ tools: [{ type: "web_search_20250305", name: "web_search" }] }, "tools[0].type"],
    [said({ type: "document", source: { type: "file", file_id: "f" } }), "messages[0].content[0].type"],
    [said({ type: "document", source: { type: "url", url: "https://a.example" } }), "messages[0].content[0].type"],
    [said({ type: "image", source: { type: "file", file_id: "f" } }), "messages[0].content[0].type"],
    [said({ type: "container_upload", file_id: "f" }), "messages[0].content[0].type"],
  ])("with %j is refused by name (B7)", (more, param) => {
    expect(() => understand(more)).toThrow(expect.objectContaining({ code: "unsupported_parameter", param }));
    expect(understand({ mcp_servers: [] }).ignored).toEqual([]);
  });

  it("with an image by URL is for the server to fetch, or to refuse; by https alone (B7)", () => {
    const image = (url: string) => said({ type: "image", source: { type: "url", url } });
    const { turn } = understand(image("https://a.example/b.png"));
    expect(turn.messages[0]?.content).toEqual([
      { type: "image", source: { type: "url", url: "https://a.example/b.png" } },
    ]);
    expect(() => understand(image("http://a.example"))).toThrow(
      expect.objectContaining({ code: "invalid_request", param: "messages[0].content[0].source.url" }),
    );
  });
});

describe("thinking", () => {
  it.each([
    [{ thinking: { type: "disabled" } }, "none", "nothing"],
    [{ thinking: { type: "between_tools" } }, "none", "nothing"],
    [{ thinking: { type: "adaptive" } }, undefined, "all"],
    [{ thinking: { type: "adaptive", display: "omitted" }, output_config: { effort: "max" } }, "max", "signature"],
    [{ thinking: { type: "enabled", budget_tokens: 1_024 } }, "low", "all"],
    [{ thinking: { type: "enabled", budget_tokens: 4_096 } }, "medium", "all"],
    [{ thinking: { type: "enabled", budget_tokens: 31_999 } }, "high", "all"],
    [{ thinking: { type: "enabled", budget_tokens: 1_024 }, output_config: { effort: "xhigh" } }, "xhigh", "all"],
    [{ output_config: { effort: "low" } }, "low", "nothing"],
  ])("of %j is the effort %s, and %s of it is shown (B7)", (more, effort, shownThinking) => {
    expect(understand(more)).toMatchObject({ turn: { effort }, shownThinking });
  });

  it("is not turned off by sampling that asks for nothing (B7)", () => {
    expect(understand({ temperature: 1, top_p: 1, top_k: 0 }).turn.sampling).toEqual({});
  });
});

describe("tools", () => {
  it.each([
    [undefined, { type: "auto" }, true],
    [{ type: "any", disable_parallel_tool_use: true }, { type: "required" }, false],
    [{ type: "tool", name: "get_weather" }, { type: "tool", name: "get_weather" }, true],
    [{ type: "none" }, { type: "none" }, true],
  ])("with the choice %j are a turn's (B7)", (choice, toolChoice, parallelToolCalls) => {
    const tools = [{ ...weather, type: "custom", strict: true, cache_control: { type: "ephemeral" } }];
    expect(understand({ tools, tool_choice: choice }).turn).toMatchObject({
      tools: [
        { name: "get_weather", description: "Weather", inputSchema: { type: "object", properties: {} }, strict: true },
      ],
      toolChoice,
      parallelToolCalls,
    });
  });

  it.each([
    [{ tool_choice: { type: "any" } }, "tool_choice"],
    [{ tools: [weather], tool_choice: { type: "tool", name: "other" } }, "tool_choice.name"],
    [{ tools: [weather, weather] }, "tools[1].name"],
    [{ tools: [{ name: "a" }] }, "tools[0].input_schema"],
    [{ tools: [{ input_schema: { type: "object" } }] }, "tools[0].name"],
    [{ tools: [{ name: "a", input_schema: { type: "string" } }] }, "tools[0].input_schema.type"],
  ])("%j is a 400 that names %s (B7)", (more, param) => {
    expect(() => understand(more)).toThrow(expect.objectContaining({ code: "invalid_request", param }));
  });

  it("do not keep an answer from having a schema, under either name (B7)", () => {
    const format = { type: "json_schema", schema: { type: "object" } };
    const expected = { type: "json_schema", name: "answer", schema: { type: "object" }, strict: true };
    expect(understand({ output_config: { format } }).turn.outputFormat).toEqual(expected);
    expect(understand({ output_format: format }).turn.outputFormat).toEqual(expected);
  });
});

describe("a conversation", () => {
  const call = (id: string) => ({ type: "tool_use", id, name: "get_weather", input: { city: "Paris" } });
  const result = (id: string, content: unknown = "21C") => ({ type: "tool_result", tool_use_id: id, content });

  it("keeps every block in its place (B7)", () => {
    const thinking = { type: "thinking", thinking: "Hmm.", signature: "c2ln" };
    const redacted = { type: "redacted_thinking", data: "ZGF0YQ" };
    const messages = [
      hi,
      { role: "assistant", content: [thinking, redacted, { type: "text", text: "Let me see." }, call("a"), call("b")] },
      {
        role: "user",
        content: [
          { ...result("b", [{ type: "text", text: "22C" }]), cache_control: { type: "ephemeral" } },
          { ...result("a", null), is_error: true },
          { type: "text", text: "Well?" },
        ],
      },
    ];
    expect(understand({ messages }).turn.messages.slice(1)).toEqual([
      { role: "assistant", content: [thinking, redacted, { type: "text", text: "Let me see." }, call("a"), call("b")] },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "b", content: [{ type: "text", text: "22C" }] },
          { type: "tool_result", tool_use_id: "a", content: "", is_error: true },
          { type: "text", text: "Well?" },
        ],
      },
    ]);
  });

  it("may hold images, documents and search results, whatever their sources (B7)", () => {
    const image = { type: "image", source: { type: "base64", media_type: "image/jpeg", data: png } };
    const pdf = Buffer.from("%PDF-1.7\n").toString("base64");
    const seen = { type: "image", source: { type: "base64", media_type: "image/png", data: png } };
    const text = (data: string, title?: string) => ({
      type: "document",
      source: { type: "text", media_type: "text/plain", data },
      ...(title === undefined ? {} : { title }),
    });
    expect(
      contentOf(
        said(
          image,
          { type: "document", source: { type: "base64", media_type: "application/pdf", data: pdf }, title: "P" },
          { type: "document", source: { type: "text", media_type: "text/plain", data: "T" }, context: "C" },
          { type: "document", source: { type: "content", content: [{ type: "text", text: "D" }, image] }, title: "N" },
          { type: "search_result", source: "s", title: "t", content: [{ type: "text", text: "R" }] },
        ),
      ),
    ).toEqual([
      seen,
      { type: "document", source: { type: "base64", media_type: "application/pdf", data: pdf }, title: "P" },
      { type: "text", text: "C" },
      text("T"),
      { type: "text", text: "N" },
      { type: "text", text: "D" },
      seen,
      text("R", "t (s)"),
    ]);
  });

  it.each([
    ["no prefill", [hi, { role: "assistant", content: "{" }], "messages"],
    ["no end without words", [{ role: "user", content: " " }], "messages[0].content"],
    ["no block of another role", [{ role: "user", content: [call("a")] }], "messages[0].content[0].type"],
    [
      "no image of the assistant's",
      [hi, { role: "assistant", content: [result("a")] }, hi],
      "messages[1].content[0].type",
    ],
    ["no result without its call", [{ role: "user", content: [result("a")] }], "messages[0].content"],
    ["no call without a result", [hi, { role: "assistant", content: [call("a")] }, hi], "messages[2].content"],
    [
      "no second result",
      [hi, { role: "assistant", content: [call("a")] }, { role: "user", content: [result("a"), result("a")] }],
      "messages[2].content",
    ],
    [
      "no bytes that are no image",
      [
        {
          role: "user",
          content: [{ type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } }],
        },
      ],
      "messages[0].content[0].source.data",
    ],
  ])("has %s (B7)", (_what, messages, param) => {
    expect(() => understand({ messages })).toThrow(expect.objectContaining({ code: "invalid_request", param }));
  });

  it("of a session may begin with the results of calls that the server knows (B3)", () => {
    const messages = [{ role: "user", content: [result("a")] }];
    expect(understand({ messages }, { sessionId: "s" }).turn.messages).toHaveLength(1);
  });
});
