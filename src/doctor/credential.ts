// Looks at the credential that Claude will use: which, why that one, whether it can be read, when it expires.
import { CcapiError } from "../auth/errors.ts";
import { type ChildSetup, canScrub } from "../claude/child-setup.ts";
import { createWatchedCredential } from "../claude/watched-credential.ts";
import type { Environment } from "../claude/environment.ts";
import type { Finding } from "./finding.ts";

/** What looking takes. */
export interface CredentialPorts {
  readonly prepareChild: () => Promise<ChildSetup>;
  readonly environment: Environment;
  readonly hasRefreshCommand: boolean;
  /** Whether a stored login may be used: else it counts as none. */
  readonly mayUseStoredLogin: boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const why: Readonly<Record<ChildSetup["kind"], string>> = {
  bedrock: "CLAUDE_CODE_USE_BEDROCK is on",
  vertex: "CLAUDE_CODE_USE_VERTEX is on",
  foundry: "CLAUDE_CODE_USE_FOUNDRY is on",
  auth_token: "ANTHROPIC_AUTH_TOKEN, or the file that ANTHROPIC_AUTH_TOKEN_FILE names",
  api_key: "ANTHROPIC_API_KEY, or the file that ANTHROPIC_API_KEY_FILE names",
  api_key_helper: "apiKeyHelper in Claude's user settings, and no key or token before it",
  oauth_token: "CLAUDE_CODE_OAUTH_TOKEN, or the file that CLAUDE_CODE_OAUTH_TOKEN_FILE names",
  stored_login: "a login stored by Claude Code, for there is nothing else",
};

/** The findings, and what a process would be started with where that could be found out. */
export async function examineCredential(
  ports: CredentialPorts,
  signal: AbortSignal,
): Promise<{ readonly findings: Finding[]; readonly child: ChildSetup | undefined }> {
  let child: ChildSetup;
  try {
    child = await ports.prepareChild();
  } catch (error) {
    if (!(error instanceof CcapiError)) throw error;
    return { findings: [problem(error.message, error.action ?? "see docs/operations.md")], child: undefined };
  }
  const reading = await createWatchedCredential(ports).read(signal);
  const findings: Finding[] = [];
  const seen = `${child.kind}: ${why[child.kind]}`;
  if (child.kind === "stored_login" && !ports.mayUseStoredLogin) {
    findings.push(
      problem("none but a stored login, which is used on loopback alone", "use an API key: docs/security.md"),
    );
  } else if (!reading.present) {
    findings.push(problem(`${child.kind}: there is none`, reading.action));
  } else {
    findings.push({ about: "credential", verdict: "ok", seen });
    findings.push(...expiry(reading, ports.now()));
  }
  findings.push(await scrubbing(ports.environment));
  return { findings, child };
}

function* expiry(
  { expiresAtMs, renewable, action }: { expiresAtMs?: number; renewable: boolean; action: string },
  nowMs: number,
): Generator<Finding> {
  if (expiresAtMs === undefined) return;
  const at = new Date(expiresAtMs).toISOString().replace(/\.\d+Z$/, "Z");
  const isOver = expiresAtMs <= nowMs;
  if (renewable || !isOver) {
    yield {
      about: "expiry",
      verdict: isOver ? "warning" : "ok",
      seen: `${isOver ? "expired at" : "expires at"} ${at}${renewable ? ", and can be renewed without a restart" : ""}`,
      ...(isOver ? { fix: action } : {}),
    };
  } else yield { about: "expiry", verdict: "problem", seen: `expired at ${at}`, fix: action };
}

async function scrubbing(environment: Environment): Promise<Finding> {
  if (await canScrub(environment)) {
    return { about: "bubblewrap", verdict: "ok", seen: "agents' commands don't see the credential" };
  }
  return {
    about: "bubblewrap",
    verdict: "warning",
    seen: "not installed: commands that you allow to agents can read the credential",
    fix: "install bubblewrap (bwrap), or allow agents no commands",
  };
}

function problem(seen: string, fix: string): Finding {
  return { about: "credential", verdict: "problem", seen, fix };
}
