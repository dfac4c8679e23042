// How far a turn came, by the SDK's messages, in whatever pieces they come.
import type { SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import { describe, expect, it } from "vitest";
import { followTurn } from "../../src/agent/followed-turn.ts";
import type { AuthAdmission } from "../../src/auth/contract.ts";
import {
  assistant,
  blockStart,
  messageStart,
  streamed,
  streamEvent,
  text,
  textDelta,
  toolUse,
} from "../helpers/sdk-messages.ts";

const results = (...ids: string[]) =>
  ({
    type: "user",
    parent_tool_use_id: null,
    message: { role: "user", content: ids.map((id) => ({ type: "tool_result", tool_use_id: id, content: "ok" })) },
  }) as unknown as SDKMessage; // Only the fields that anything reads.

function after(...messages: SDKMessage[]) {
  const turn = followTurn({} as AuthAdmission); // Nothing here asks it.
  for (const message of messages) turn.note(message);
  return turn;
}

const called = [assistant("m1", [text("I look.")]), assistant("m1", [toolUse("a")], { uuid: "u1" })];

describe("a turn", () => {
  it("is untouched until the model has spoken (A5)", () => {
    expect(after().standing.is).toBe("untouched");
    expect(after(streamEvent(messageStart("m1"))).standing.is).toBe("mid-answer");
  });

  it("can go on once all tools of the last call have answered, however many messages they came in (A5)", () => {
    const both = [...called, assistant("m1", [toolUse("b")], { uuid: "u2" }), results("a")];
    expect(after(...both).standing.is).toBe("mid-tool");
    expect(after(...both, results("b")).standing).toMatchObject({
      is: "between-calls",
      resumeAt: "u2",
      results: [{ tool_use_id: "a" }, { tool_use_id: "b" }],
    });
  });

  it("can't go on after words that no tool has followed yet, with and without partial messages (A5)", () => {
    const spoken = assistant("m2", [text("And now …")]);
    expect(after(...called, results("a"), spoken).standing.is).toBe("mid-answer");
    const parts = [messageStart("m2"), blockStart("text"), textDelta("And")].map((event) => streamEvent(event));
    expect(after(...called, results("a"), ...parts, spoken).standing.is).toBe("mid-answer");
    expect(after(...called, results("a"), spoken, assistant("m2", [toolUse("b")])).standing.is).toBe("mid-tool");
  });

  it("adds up what its processes did: tokens by their calls' last word, rounds, tools (F)", () => {
    const turn = after(...streamed("m1", [toolUse("a")]).map((event) => streamEvent(event)), ...called, results("a"));
    turn.nextProcess();
    turn.note(assistant("m2", [toolUse("b")]));
    turn.note(results("b"));
    turn.nextProcess();
    expect(turn.earlier).toMatchObject({ toolRounds: 2, tools: ["Bash", "Bash"] });
    expect(turn.earlier?.usage).toMatchObject({ input_tokens: 20, output_tokens: 10 });
    expect(turn.calls).toBe(2);
    expect(turn.standing.is).toBe("untouched");
  });

  it("is no subagent's (A5)", () => {
    expect(after(assistant("m1", [toolUse("a")], { parent: "toolu_agent" })).standing.is).toBe("untouched");
  });
});
