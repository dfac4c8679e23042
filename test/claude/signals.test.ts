import { describe, expect, it } from "vitest";
import { isSynthetic, toSignal } from "../../src/claude/signals.ts";
import {
  assistant,
  result,
  streamEvent,
  synthetic,
  system,
  text,
  textDelta,
  toolUse,
} from "../helpers/sdk-messages.ts";

const refused = "Failed to authenticate. API Error: 401 invalid x-api-key";

const told = [
  {
    what: "a retry of the CLI's own, with its status",
    message: system("api_retry", { error: "authentication_failed", error_status: 401, attempt: 2, max_retries: 10 }),
    signal: { source: "api_retry", error: "authentication_failed", status: 401, attempt: 2 },
  },
  {
    what: "a retry after a broken connection, without a status",
    message: system("api_retry", { error: "unknown", error_status: null, attempt: 1 }),
    signal: { source: "api_retry", error: "unknown", status: null, attempt: 1 },
  },
  {
    what: "Claude Code's own words with their type",
    message: synthetic("Not logged in · Please run /login", "authentication_failed"),
    signal: {
      source: "assistant",
      error: "authentication_failed",
      status: null,
      text: "Not logged in · Please run /login",
    },
  },
  {
    what: "Claude Code's own words without a type",
    message: synthetic("API Error: 500"),
    signal: { source: "assistant", error: undefined, status: null, text: "API Error: 500" },
  },
  {
    what: "a result that is an error though its subtype says success",
    message: result({ is_error: true, api_error_status: 401, result: refused }),
    signal: { source: "result", error: undefined, status: 401, text: refused },
  },
  {
    what: "a result of errors without a status",
    message: result({ subtype: "error_during_execution", is_error: true, errors: ["one", "two"] }),
    signal: { source: "result", error: undefined, status: null, text: "one\ntwo" },
  },
  {
    what: "a failed login of the SDK's",
    message: { type: "auth_status", isAuthenticating: false, output: [], error: "expired" },
    signal: { source: "auth_status", error: "expired", text: "expired" },
  },
  {
    what: "a subagent that ended early",
    message: system("task_notification", { status: "failed", summary: "terminated early: 401" }),
    signal: { source: "subagent", text: "terminated early: 401" },
  },
] as const;

const silent = [
  { what: "the start of a process, which proves nothing", message: system("init") },
  { what: "a status", message: system("status", { status: "requesting" }) },
  { what: "a model's answer, whatever its words", message: assistant("m1", [text(refused)]) },
  { what: "a call of a tool", message: assistant("m1", [toolUse("t1")]) },
  { what: "a piece of an answer", message: streamEvent(textDelta(refused)) },
  { what: "a result that is no error, whatever its words", message: result({ result: refused }) },
  {
    what: "a subagent that ended well",
    message: system("task_notification", { status: "completed", summary: refused }),
  },
  { what: "a login under way", message: { type: "auth_status", isAuthenticating: true, output: [refused] } },
  {
    what: "a tool's output",
    message: { type: "user", message: { role: "user", content: [{ type: "tool_result", content: refused }] } },
  },
] as const;

describe("the signal of a message", () => {
  it.each(told)("is $signal.source for $what (A1)", ({ message, signal }) => {
    expect(toSignal(message as never)).toEqual(signal);
  });

  it.each(silent)("is none for $what (A1)", ({ message }) => {
    expect(toSignal(message as never)).toBeUndefined();
  });
});

describe("what is no answer of the model", () => {
  it("is an assistant message with an error, or of the model <synthetic> (B1)", () => {
    expect(isSynthetic(synthetic("x"))).toBe(true);
    expect(isSynthetic({ ...assistant("m1", [text("x")]), error: "rate_limit" })).toBe(true);
    expect(isSynthetic(assistant("m1", [text("<synthetic>")]))).toBe(false);
  });
});
