// What a run's messages tell of its subagents.
import type { SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import { expect, it } from "vitest";
import { createSubagentReader } from "../../src/claude/subagents.ts";

/** Messages as Claude Code 2.1.330 sends them, as far as the reader looks. */
const message = (fields: object) => fields as SDKMessage;
const retry = (error_category: string) =>
  message({
    type: "tool_progress",
    parent_tool_use_id: "agent-1",
    subagent_retry: { attempt: 2, error_status: 401, error_category },
  });
const progress = message({ type: "tool_progress", parent_tool_use_id: "agent-1" });
const answered = message({
  type: "user",
  parent_tool_use_id: null,
  message: { role: "user", content: [{ type: "tool_result", tool_use_id: "agent-1", content: "API Error: 401" }] },
});
const words = (model: string) =>
  message({ type: "assistant", parent_tool_use_id: "agent-1", message: { model, content: [] } });

it("tells of a subagent's rejected call as a sign, and of its giving up (A5)", () => {
  const reader = createSubagentReader();
  expect(reader.read(retry("authentication_failed"))).toEqual([
    {
      type: "signal",
      signal: { source: "api_retry", error: "authentication_failed", status: 401, attempt: 2 },
      isFinal: false,
      isSubagent: true,
    },
  ]);
  expect(reader.read(words("<synthetic>"))).toEqual([]);
  expect(reader.read(answered)).toEqual([{ type: "subagent-lost" }]);
});

it.each([
  ["its call was answered", progress],
  ["its model spoke", words("claude-opus-5-5")],
])("takes its answer for one once %s (A5)", (_why, proof) => {
  const reader = createSubagentReader();
  reader.read(retry("authentication_failed"));
  reader.read(proof);
  expect(reader.read(answered)).toEqual([]);
});

it("says nothing of an overload, which is Claude Code's to retry (A1)", () => {
  const reader = createSubagentReader();
  expect(reader.read(retry("overloaded"))).toEqual([]);
  expect(reader.read(answered)).toEqual([]);
});

it("tells which tasks would end with the process (A5)", () => {
  const reader = createSubagentReader();
  expect(reader.read(message({ type: "system", subtype: "task_started", task_id: "t" }))).toEqual([
    { type: "task", id: "t", isOpen: true },
  ]);
  expect(reader.read(message({ type: "system", subtype: "task_notification", task_id: "t" }))).toEqual([
    { type: "task", id: "t", isOpen: false },
  ]);
});
