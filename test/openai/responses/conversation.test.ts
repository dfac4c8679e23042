import { describe, expect, it } from "vitest";
import { toConversation } from "../../../src/openai/responses/conversation.ts";
import { fromEncryptedContent, toEncryptedContent } from "../../../src/openai/responses/reasoning.ts";
import { inputItem } from "../../../src/openai/responses/request-items.ts";

const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

const conversationOf = (items: readonly unknown[], hasSession = false) =>
  toConversation(
    items.map((item, index) => ({ item: inputItem.parse(item), at: `input[${index}]` })),
    hasSession,
  );
const ask = { role: "user", content: "Weather?" };
const call = (id: string, json = "{}") => ({ type: "function_call", call_id: id, name: "f", arguments: json });
const output = (id: string, value: unknown = "ok") => ({ type: "function_call_output", call_id: id, output: value });
const use = (id: string, input: unknown = {}) => ({ type: "tool_use", id, name: "f", input });
const result = (id: string, content: unknown = "ok") => ({ type: "tool_result", tool_use_id: id, content });

describe("the items of a conversation become", () => {
  it("messages in which each output follows its call at once, before what the user says (B7)", () => {
    const { messages } = conversationOf([
      ask,
      call("a"),
      call("b"),
      output("b"),
      { role: "user", content: "And?" },
      output("a"),
    ]);
    expect(messages).toEqual([
      { role: "user", content: [{ type: "text", text: "Weather?" }] },
      { role: "assistant", content: [use("a"), use("b")] },
      { role: "user", content: [result("a"), result("b"), { type: "text", text: "And?" }] },
    ]);
  });

  it("calls with ids that the model API takes, arguments that are no object shown as they are (B7)", () => {
    const { messages } = conversationOf([ask, call("call|1", "[1]"), output("call|1")]);
    expect(messages.slice(1)).toEqual([
      { role: "assistant", content: [use("call_0", { invalid_arguments: "[1]" })] },
      { role: "user", content: [result("call_0")] },
    ]);
  });

  it("a system prompt of system and developer messages, images and refusals as they are (B7)", () => {
    const { system, messages } = conversationOf([
      { type: "message", role: "developer", content: [{ type: "input_text", text: "D" }] },
      { role: "system", content: "S" },
      { role: "assistant", content: [{ type: "refusal", refusal: "No." }] },
      { role: "user", content: [{ type: "input_image", image_url: `data:image/png;base64,${png}`, detail: "low" }] },
    ]);
    expect(system).toEqual(["D", "S"]);
    expect(messages).toMatchObject([
      { role: "assistant", content: [{ text: "No." }] },
      { role: "user", content: [{ type: "image", source: { media_type: "image/png" } }] },
    ]);
  });

  it("thinking where it comes before a call or words, never a message's end (B7)", () => {
    const reasoning = (thinking: string) => ({
      type: "reasoning",
      summary: [],
      encrypted_content: toEncryptedContent({ thinking, signature: "s" }),
    });
    const { messages } = conversationOf([
      ask,
      reasoning("1"),
      call("a"),
      output("a"),
      reasoning("2"),
      { type: "reasoning", summary: [], encrypted_content: "another vendor's" },
      { role: "user", content: "Go on" },
    ]);
    expect(messages[1]?.content).toEqual([{ type: "thinking", thinking: "1", signature: "s" }, use("a")]);
    expect(messages).toHaveLength(3);
    expect(fromEncryptedContent("ccapi1.!!")).toBeUndefined();
  });

  it("errors that name the place where they make no sense (B7)", () => {
    const faults: [readonly unknown[], string][] = [
      [[ask, call("a")], "input"],
      [[ask, output("a")], "input[1].call_id"],
      [[ask, { role: "assistant", content: "Hi" }], "input"],
      [[{ type: "item_reference", id: "msg_1" }], "input[0].id"],
      [[{ type: "mcp_call", id: "x" }], "input[0].type"],
      [[{ role: "user", content: [{ type: "input_file", file_id: "f" }] }], "input[0].content[0].file_id"],
      [[{ role: "system", content: [{ type: "input_image", image_url: "x" }] }], "input[0].content[0].type"],
    ];
    for (const [items, param] of faults) {
      expect(() => conversationOf(items), param).toThrow(expect.objectContaining({ param }) as Error);
    }
  });

  it("outputs of calls that a session knows (B3, B7)", () => {
    expect(conversationOf([output("toolu_1")], true).messages).toEqual([
      { role: "user", content: [result("toolu_1")] },
    ]);
    expect(conversationOf([ask, { type: "web_search_call", id: "x" }]).ignored).toEqual(["input.web_search_call"]);
  });
});
