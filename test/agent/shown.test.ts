// What the caller is shown of several processes: what one would have sent.
import type { SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import { describe, expect, it } from "vitest";
import { followTurn } from "../../src/agent/followed-turn.ts";
import { createShown } from "../../src/agent/shown.ts";
import type { AuthAdmission } from "../../src/auth/contract.ts";
import { assistant, result, system, text } from "../helpers/sdk-messages.ts";

const make = () => ({
  shown: createShown({ isOurs: (uuid) => uuid === "ours" }),
  turn: followTurn({} as AuthAdmission), // Nothing here asks it.
});
const init = system("init");
const lifecycle = (id: string, state: string) =>
  ({ type: "command_lifecycle", command_uuid: id, state }) as unknown as SDKMessage; // The SDK has no type for it.

describe("a process that takes over", () => {
  it("shows no second beginning, and all that comes after it (F, A5)", () => {
    const { shown, turn } = make();
    const answer = assistant("m", [text("Hello.")]);
    const seen = [init, system("status", { status: "requesting" })].map((message) => shown.pass(message, turn));
    expect(seen).not.toContain(undefined);
    shown.takeOver();
    const again = [system("hook_started"), init, system("status", { status: "requesting" }), answer];
    expect(again.map((message) => shown.pass(message, turn)).filter(Boolean)).toEqual([answer]);
    expect(shown.pass(system("hook_started"), turn)).toBeDefined();
    expect(shown.pass(result(), turn)).toBeDefined();
  });

  it("shows the beginning that nobody has seen yet (F, A5)", () => {
    const { shown, turn } = make();
    shown.takeOver();
    expect(shown.pass(init, turn)).toBe(init);
  });
});

describe("ids that we gave to the caller's messages", () => {
  it("are shown to nobody; the caller's own are, each step once (F)", () => {
    const { shown, turn } = make();
    expect(shown.pass(lifecycle("ours", "queued"), turn)).toBeUndefined();
    expect(shown.pass(lifecycle("theirs", "queued"), turn)).toBeDefined();
    expect(shown.pass(lifecycle("theirs", "queued"), turn)).toBeUndefined();
    const answer = (more: object) => ({ ...assistant("m", []), ...more }) as SDKMessage;
    expect(shown.pass(answer({ user_message_uuid: "ours", user_message_uuids: ["ours"] }), turn)).toEqual(answer({}));
    const theirs = { user_message_uuid: "theirs", user_message_uuids: ["theirs"] };
    expect(shown.pass(answer(theirs), turn)).toEqual(answer(theirs));
  });
});
