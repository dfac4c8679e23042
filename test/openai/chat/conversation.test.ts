// Conversations with tools, images and files as clients send them → the model API's blocks.
import { describe, expect, it } from "vitest";
import { chatRequest } from "../../../src/openai/chat/request.ts";
import { toTurn } from "../../../src/openai/chat/to-turn.ts";

const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const pdf = Buffer.from("%PDF-1.4\n%%EOF\n").toString("base64");

const messagesOf = (messages: readonly object[], sessionId?: string) =>
  toTurn(chatRequest.parse({ model: "sonnet", messages }), { sessionId, endUser: undefined }, new Map()).turn.messages;
const user = { role: "user", content: "Weather?" };
const call = (id: string, args = '{"city":"Paris"}', name = "get_weather") => ({
  id,
  type: "function",
  function: { name, arguments: args },
});
const asks = (...calls: object[]) => ({ role: "assistant", content: null, tool_calls: calls });
const answers = (id: string, content: unknown = "21C") => ({ role: "tool", tool_call_id: id, content });
const refused = (param: string, code = "invalid_request") => expect.objectContaining({ code, param });

describe("calls of tools and their results", () => {
  it("become tool_use and tool_result blocks; the results of one message's calls are one message (B1)", () => {
    const said = { ...asks(call("call_1"), call("call_2", "")), content: "Let me look." };
    expect(messagesOf([user, said, answers("call_2"), answers("call_1", [{ type: "text", text: "20C" }])])).toEqual([
      { role: "user", content: [{ type: "text", text: "Weather?" }] },
      {
        role: "assistant",
        content: [
          { type: "text", text: "Let me look." },
          { type: "tool_use", id: "call_1", name: "get_weather", input: { city: "Paris" } },
          { type: "tool_use", id: "call_2", name: "get_weather", input: {} },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "call_2", content: "21C" },
          { type: "tool_result", tool_use_id: "call_1", content: [{ type: "text", text: "20C" }] },
        ],
      },
    ]);
  });

  it("keep their order through several rounds, and results of rounds apart (B1)", () => {
    const messages = messagesOf([user, asks(call("a")), answers("a"), asks(call("b")), answers("b"), user]);
    expect(messages.map(({ role, content }) => `${role} ${content.map(({ type }) => type).join()}`)).toEqual([
      "user text",
      "assistant tool_use",
      "user tool_result",
      "assistant tool_use",
      "user tool_result",
      "user text",
    ]);
  });

  it("get ids that the model API takes, where another provider gave others or one twice (B1)", () => {
    const messages = messagesOf([
      user,
      asks(call("functions.f:0"), call("x")),
      answers("x"),
      answers("functions.f:0"),
      asks(call("x")),
      answers("x"),
    ]);
    const asked = messages.flatMap(({ content }) => content.flatMap((b) => (b.type === "tool_use" ? [b.id] : [])));
    const answered = messages.flatMap(({ content }) =>
      content.flatMap((b) => (b.type === "tool_result" ? [b.tool_use_id] : [])),
    );
    expect(asked.filter((id) => /^[\w-]+$/.test(id))).toHaveLength(3);
    expect(new Set(asked).size).toBe(3);
    expect(answered).toEqual([asked[1], asked[0], asked[2]]);
  });

  it("show arguments that are no object to the model as they stand (B1)", () => {
    const [, said] = messagesOf([user, asks(call("a", '{"city":"Par')), answers("a")]);
    expect(said?.content).toEqual([
      { type: "tool_use", id: "a", name: "get_weather", input: { invalid_arguments: '{"city":"Par' } },
    ]);
  });

  it("are refused where they don't belong together, with the place (B1)", () => {
    const of =
      (...messages: object[]) =>
      () =>
        messagesOf(messages);
    expect(of(user, answers("a"))).toThrow(refused("messages[1].tool_call_id"));
    expect(of(user, asks(call("a")), answers("b"))).toThrow(refused("messages[2].tool_call_id"));
    expect(of(user, asks(call("a")), answers("a"), answers("a"))).toThrow(refused("messages[3].tool_call_id"));
    expect(of(user, asks(call("a")), user)).toThrow(refused("messages[2]"));
    expect(of(user, asks(call("a"), call("b")), answers("a"), asks())).toThrow(refused("messages[3]"));
    expect(of(user, asks(call("a"), call("b")), answers("a"))).toThrow(refused("messages"));
    expect(of(user, asks(call("a")))).toThrow(refused("messages"));
  });

  it("in a session may answer a call that the server knows (B3)", () => {
    expect(messagesOf([answers("toolu_1")], "s")).toEqual([
      { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "21C" }] },
    ]);
    expect(() => messagesOf([answers("toolu_1"), answers("toolu_1")], "s")).toThrow(
      refused("messages[1].tool_call_id"),
    );
  });

  it("of the older form are refused by name (B1)", () => {
    const legacy = { role: "assistant", content: null, function_call: { name: "f", arguments: "{}" } };
    const place = (param: string) => refused(param, "unsupported_parameter");
    expect(() => messagesOf([user, legacy, user])).toThrow(place("messages[1].function_call"));
    expect(() => messagesOf([user, { role: "function", name: "f", content: "1" }])).toThrow(place("messages[1].role"));
    expect(messagesOf([user, { ...legacy, content: "A", function_call: null }, user])).toHaveLength(3);
  });

  it("keep images that a tool answered with (B1)", () => {
    const image = { type: "image_url", image_url: { url: `data:image/png;base64,${pixel}` } };
    const last = messagesOf([user, asks(call("a")), answers("a", [image])]).at(-1);
    expect(last?.content).toEqual([
      {
        type: "tool_result",
        tool_use_id: "a",
        content: [{ type: "image", source: { type: "base64", media_type: "image/png", data: pixel } }],
      },
    ]);
  });
});

describe("a user's parts", () => {
  const of = (part: object) =>
    messagesOf([{ role: "user", content: [{ type: "text", text: "See" }, part] }])[0]?.content;

  it("become text, image and document blocks in their order (B1)", () => {
    const url = `data:image/jpeg;base64,${pixel}`;
    expect(of({ type: "image_url", image_url: { url, detail: "low" } })).toEqual([
      { type: "text", text: "See" },
      // The bytes know better than their sender.
      { type: "image", source: { type: "base64", media_type: "image/png", data: pixel } },
    ]);
    const source = { type: "base64", media_type: "application/pdf", data: pdf };
    const file = { filename: "a.pdf", file_data: `data:application/pdf;base64,${pdf}` };
    expect(of({ type: "file", file })?.[1]).toEqual({ type: "document", source, title: "a.pdf" });
    expect(of({ type: "file", file: { file_data: pdf } })?.[1]).toEqual({ type: "document", source });
  });

  it.each([
    ["audio", { type: "input_audio", input_audio: {} }, "type", "unsupported_parameter"],
    ["a file's id", { type: "file", file: { file_id: "file-1" } }, "file.file_id", "unsupported_parameter"],
    ["an empty file", { type: "file", file: {} }, "file.file_data", "invalid_request"],
    ["a file that is no PDF", { type: "file", file: { file_data: pixel } }, "file.file_data", "invalid_request"],
    ["a data URL of text", { type: "image_url", image_url: { url: "data:,x" } }, "image_url.url", "invalid_request"],
    [
      "an image that is none",
      { type: "image_url", image_url: { url: `data:image/png;base64,${pdf}` } },
      "image_url.url",
      "invalid_request",
    ],
    [
      "broken base64",
      { type: "image_url", image_url: { url: "data:image/png;base64,iVBOR!" } },
      "image_url.url",
      "invalid_request",
    ],
  ])("that hold %s are refused with their place (B1)", (_what, part, place, code) => {
    expect(() => of(part)).toThrow(refused(`messages[0].content[1].${place}`, code));
  });
});
