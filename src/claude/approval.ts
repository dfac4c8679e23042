// Whether the operator approved a shell command. Claude Code in `dontAsk` still runs its own list of "read-only" commands
// unasked (`ps aux`, `env`, `git status`, …; measured, 2.1.330), which show an agent's client this host's processes and
// variables. This second look lets only those through that a rule of the operator's settings names; Claude Code's own look,
// which knows more (deny rules, redirections, folders), comes after it and still decides.
import type { HookCallback, HookCallbackMatcher } from "@anthropic-ai/claude-agent-sdk";
import * as z from "zod";
import type { Environment } from "./environment.ts";
import { readSettings } from "./user-settings.ts";

/** What of the operator's settings says which commands may run. */
const approvalSettings = z.object({
  permissions: z.object({ allow: z.array(z.string()).catch([]) }).catch({ allow: [] }),
  sandbox: z.object({ enabled: z.boolean(), autoAllowBashIfSandboxed: z.boolean() }).partial().catch({}),
  hooks: z.record(z.string(), z.unknown()).catch({}),
});

type ApprovalSettings = z.infer<typeof approvalSettings>;

/** The tools that run a shell command. */
const shellTools = "Bash|Monitor|PowerShell";

/** Ends one command and begins the next, outside of quotes. Longer ones first. */
const separator = /^(?:&&|\|\||\|&|;;|[;|&\n])/;

/** An ampersand that sends one stream to another: `2>&1`, `&> file`. */
const redirection = /^(?:[<>]&(?:\d|-)|&>>?)/;

/**
 * What a shell reads in other ways than this file does, outside of quotes: a comment, a quote with a dollar, a text to come, a group.
 * Commands with these are refused unless every command is allowed.
 */
const unread = /^(?:#|\$['"]|<<|[(){}])/;

/** A command inside another, or a text that quotes differently: within double quotes too. */
const nested = /^(?:`|\$[({]|[<>]\()/;

/** What Claude Code looks through to the command itself: variables for it, and programs that only run it otherwise. */
const wrapping = /^(?:\w+=\S*\s+)*(?:(?:timeout|time|nice|nohup|stdbuf)\s+(?:-\S+\s+|\d\S*\s+)*)*/;

/** `2>&1`, `> /dev/null`: no rule needs to name them. */
const harmlessRedirection = /\d?>[>&]?\s?(?:&?\d\b|\/dev\/null)/g;

/** Claude Code refuses longer ones by itself (measured, 2.1.330: 20,000 characters). */
const maxLength = 10_000;

/** The hook that refuses shell commands which no rule of the operator names. */
export function approvalHook(environment: Environment): HookCallbackMatcher {
  const hook: HookCallback = async (input) => {
    if (input.hook_event_name !== "PreToolUse") return {};
    const command = z.object({ command: z.string() }).safeParse(input.tool_input).data?.command ?? "";
    const settings = approvalSettings.parse((await readSettings(environment)) ?? {});
    if (isApproved(command, input.tool_name, settings)) return {};
    return {
      hookSpecificOutput: {
        hookEventName: "PreToolUse",
        permissionDecision: "deny",
        permissionDecisionReason: `Permission to run this command has been denied: no permission rule of the operator allows it. Not even read-only commands run without one.`,
      },
    };
  };
  return { matcher: shellTools, hooks: [hook] };
}

/**
 * Whether every part of a command is named by a rule.
 *
 * @param tool - The tool that would run it: rules are written `Tool` or `Tool(pattern)`.
 * @see https://code.claude.com/docs/en/permissions
 */
export function isApproved(command: string, tool: string, settings: Partial<ApprovalSettings>): boolean {
  const { permissions, sandbox, hooks } = approvalSettings.parse(settings);
  // These approve by other means than rules; what they decide is the operator's will.
  if (sandbox.enabled === true && sandbox.autoAllowBashIfSandboxed !== false) return true;
  if (hasHookFor(tool, hooks["PreToolUse"]) || hasHookFor(tool, hooks["PermissionRequest"])) return true;

  const rules = permissions.allow.flatMap((rule) => patternOf(rule, tool) ?? []);
  if (rules.some((pattern) => pattern === "*" || pattern === ":*")) return true;
  const parts = command.length > maxLength ? undefined : splitCommand(command);
  return parts?.every((part) => isHarmless(part) || rules.some((rule) => matches(part, rule))) === true;
}

/** Hooks of one event: those without a matcher, or with `*`, are asked about every tool. */
const hookMatchers = z.array(z.object({ matcher: z.string().optional() })).catch([]);

function hasHookFor(tool: string, hooks: unknown): boolean {
  return hookMatchers.parse(hooks ?? []).some(({ matcher = "" }) => {
    if (matcher === "" || matcher === "*") return true;
    try {
      return new RegExp(`^(?:${matcher})$`).test(tool);
    } catch {
      return false; // Claude Code can't match it either.
    }
  });
}

/** What stands between a rule's brackets; `*` for a rule without. `undefined`: a rule about another tool. */
function patternOf(rule: string, tool: string): string | undefined {
  const trimmed = rule.trim();
  if (trimmed === tool) return "*";
  return trimmed.startsWith(`${tool}(`) && trimmed.endsWith(")") ? trimmed.slice(tool.length + 1, -1) : undefined;
}

/** Moving to another folder changes nothing but where the next part runs, which must be approved itself. */
function isHarmless(part: string): boolean {
  return /^cd(?:\s+[\w./~-]+)?$/.test(part);
}

/** Laxer than Claude Code, which looks again: `prefix:*`, or `*` for any text. */
function matches(part: string, pattern: string): boolean {
  const plain = part.replace(wrapping, "").replaceAll(harmlessRedirection, "").trim();
  const prefix = pattern.endsWith(":*") ? pattern.slice(0, -2) : undefined;
  if (prefix !== undefined) return plain === prefix || plain.startsWith(`${prefix} `);
  // `git *` names `git` alone as well.
  if (pattern.endsWith(" *") && plain === pattern.slice(0, -2)) return true;
  return fits(part, pattern) || fits(plain, pattern);
}

/** `*` stands for any text. No regular expression: an agent's command must not cost more than its length. */
function fits(text: string, pattern: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return text === pattern;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= text.length - last.length;
}

/** A command line's single commands. `undefined`: it has a command inside another, or a quote without end. */
function splitCommand(line: string): string[] | undefined {
  const parts: string[] = [];
  let part = "";
  let quote: string | undefined;
  for (let at = 0; at < line.length;) {
    const char = line.charAt(at);
    const ahead = line.slice(at, at + 4);
    if (quote !== "'" && nested.test(ahead)) return undefined;
    if (quote === undefined && unread.test(ahead)) return undefined;
    const redirected = quote === undefined ? redirection.exec(ahead)?.[0] : undefined;
    if (redirected !== undefined) {
      part += redirected;
      at += redirected.length;
      continue;
    }
    const end = quote === undefined ? separator.exec(ahead)?.[0] : undefined;
    if (end !== undefined) {
      parts.push(part);
      part = "";
      at += end.length;
      continue;
    }
    const length = char === "\\" && quote !== "'" ? 2 : 1;
    if (length === 1 && (char === quote || (quote === undefined && (char === '"' || char === "'")))) {
      quote = quote === undefined ? char : undefined;
    }
    part += line.slice(at, at + length);
    at += length;
  }
  return quote === undefined ? [...parts, part].map((text) => text.trim()).filter(Boolean) : undefined;
}
