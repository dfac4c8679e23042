// A client's tool names ↔ names that the model may have. Pure, and a function of the name alone: a name in an old message of the
// conversation is mapped alike, whatever tools the present request offers.
import { createHash } from "node:crypto";
import type { Profile } from "../turn/turn.ts";

/** Longer than the Messages API takes for a tool of MCP's; the rest of its rule is in {@link isFit}. */
const maxLength = 64;

/**
 * Tools of Claude Code (2.1.330). A function of a client's of the same name would take its place: the agent has both, so the client's
 * gets another name there.
 */
const ownTools: ReadonlySet<string> = new Set(
  [
    "Agent AskUserQuestion Bash BashOutput CronCreate CronDelete CronList DeferredToolPlaceholder Edit EnterPlanMode EnterWorktree",
    "ExitPlanMode ExitWorktree Glob Grep KillBash KillShell LSP ListAgents ListMcpResourcesTool Monitor MultiEdit NotebookEdit",
    "NotebookRead PowerShell PushNotification REPL Read ReadMcpResourceTool RemoteTrigger ReportFindings ScheduleWakeup SendMessage",
    "Skill SlashCommand Task TaskCreate TaskGet TaskList TaskOutput TaskStop TaskUpdate TodoRead TodoWrite ToolSearch WebFetch",
    "WebSearch Workflow Write",
  ].flatMap((line) => line.split(" ")),
);

/** Claude Code asks for a structured answer by a tool of this name, in plain chat too. */
const structuredOutput = "StructuredOutput";

/** The name under which the model sees a client's tool: the client's own wherever that is allowed. */
export function toModelName(name: string, profile: Profile): string {
  if (isFit(name) && !isTaken(name, profile)) return name;
  const readable = name
    .replaceAll(/[^\w-]/g, "_")
    .replace(/^mcp_+/, "")
    .slice(0, 48);
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 10);
  return `${readable === "" ? "tool" : readable}_${hash}`;
}

/** Letters, digits, `_` and `-`; not the beginning by which Claude Code knows the tools of MCP servers. */
function isFit(name: string): boolean {
  return new RegExp(`^[a-zA-Z0-9_-]{1,${maxLength}}$`).test(name) && !name.startsWith("mcp__");
}

function isTaken(name: string, profile: Profile): boolean {
  return name === structuredOutput || (profile === "agent" && ownTools.has(name));
}
