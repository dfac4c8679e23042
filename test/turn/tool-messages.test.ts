// Calls and results that belong together, and how it is said where they don't.
import { describe, expect, it } from "vitest";
import {
  assertSessionResults,
  assertToolMessages,
  assertTools,
  completeResults,
} from "../../src/turn/tool-messages.ts";
import type { ContentBlock, Message } from "../../src/turn/turn.ts";
import { user } from "../helpers/turns.ts";

const called = (...ids: string[]): Message => ({
  role: "assistant",
  content: ids.map((id) => ({ type: "tool_use", id, name: "x", input: {} })),
});
const result = (id: string): ContentBlock => ({ type: "tool_result", tool_use_id: id, content: "1" });
const brought = (...ids: string[]): Message => ({ role: "user", content: ids.map(result) });
const check =
  (...messages: Message[]) =>
  () =>
    assertToolMessages([user("Hello"), ...messages]);

describe("a conversation's calls and results", () => {
  it("may come in one message or in several, in any order, with words beside them (B1)", () => {
    expect(check(called("a", "b"), brought("b", "a"))).not.toThrow();
    expect(check(called("a", "b"), brought("b"), user("Look"), brought("a"))).not.toThrow();
    expect(check(called("a"), brought("a"), called("b"), brought("b"))).not.toThrow();
  });

  it.each<[string, Message[], string]>([
    [
      "a call is answered in part",
      [called("a", "b"), brought("a")],
      'messages[2]: the results of these tool calls are missing: "b"',
    ],
    ["a call is not answered", [called("a"), user("Well?")], "messages[2]"],
    ["the conversation ends with it", [called("a")], "messages[2]"],
    ["the id is unknown", [called("a"), brought("z")], 'messages[2]: the result for "z"'],
    ["the call is not there", [brought("a")], 'messages[0]: the result for "a"'],
    ["the call is further back", [called("a"), brought("a"), called("b"), brought("b", "a")], "messages[4]"],
    ["there are two results", [called("a"), brought("a", "a")], "two results"],
    ["two calls have one id", [called("a"), brought("a"), called("a"), brought("a")], "messages[3]: two tool calls"],
  ])("are refused where %s, with the place (B1)", (_why, messages, words) => {
    expect(check(...messages)).toThrow(
      expect.objectContaining({
        code: "invalid_request",
        param: "messages",
        message: expect.stringContaining(words) as string,
      }),
    );
  });
});

describe("a session that waits for results", () => {
  const waiting = {
    messageId: "m",
    calls: [
      {
        id: "own",
        name: "Bash",
        isClients: false,
        result: { type: "tool_result", tool_use_id: "own", content: "0" } as const,
      },
      { id: "a", name: "x", isClients: true },
      { id: "later", name: "Bash", isClients: false },
    ],
  };

  it("takes them all or none (B1)", () => {
    expect(() => assertSessionResults(waiting, [result("a")])).not.toThrow();
    for (const prompt of [[], [result("own")], [result("a"), result("b")], user("Never mind").content]) {
      expect(() => assertSessionResults(waiting, prompt)).toThrow(expect.objectContaining({ code: "invalid_request" }));
    }
    expect(() => assertSessionResults(undefined, [result("a")])).toThrow("no call of that id");
    expect(() => assertSessionResults(undefined, user("Hello").content)).not.toThrow();
  });

  it("goes on with every call answered in the model's order: what had not begun was not run (B1)", () => {
    const [own, client, later, words] = completeResults(waiting, [...user("Look").content, result("a")]);
    expect(own).toMatchObject({ tool_use_id: "own", content: "0" });
    expect(client).toEqual(result("a"));
    expect(later).toMatchObject({ tool_use_id: "later", is_error: true });
    expect(words).toEqual({ type: "text", text: "Look" });
  });
});

describe("a turn's tools", () => {
  const tool = { name: "x", description: undefined, inputSchema: { type: "object" }, strict: false };

  it("have names of their own, and the choice is one of them (B1)", () => {
    const auto = { type: "auto" } as const;
    expect(() => assertTools({ tools: [tool, tool], toolChoice: auto })).toThrow(
      'tools[1]: another tool is called "x" too',
    );
    expect(() => assertTools({ tools: [tool], toolChoice: { type: "tool", name: "y" } })).toThrow(
      'No tool is called "y"',
    );
    expect(() => assertTools({ tools: [], toolChoice: { type: "required" } })).toThrow("none is given");
    expect(() => assertTools({ tools: [tool], toolChoice: { type: "tool", name: "x" } })).not.toThrow();
  });
});
