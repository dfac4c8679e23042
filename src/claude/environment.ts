// What a Claude process gets of this process's environment: an allow-list, so that nothing reaches it by accident.
// Holds no policy about credentials but their names; values pass through and are never kept or logged.
import { delimiter } from "node:path";

/** Names that Claude Code reads itself, or that every program needs. `CCAPI_*` is not among them, on purpose. */
const allowedNames = new Set([
  "ALL_PROXY",
  "API_TIMEOUT_MS",
  "APPDATA",
  "HOME",
  "HOMEDRIVE",
  "HOMEPATH",
  "HTTPS_PROXY",
  "HTTP_PROXY",
  "IS_SANDBOX",
  "LANG",
  "LOCALAPPDATA",
  "LOGNAME",
  "MAX_THINKING_TOKENS",
  "NODE_EXTRA_CA_CERTS",
  "NO_PROXY",
  "PATH",
  "SHELL",
  "SSL_CERT_DIR",
  "SSL_CERT_FILE",
  "SYSTEMROOT",
  "TEMP",
  "TMP",
  "TMPDIR",
  "TZ",
  "USER",
  "USERPROFILE",
  "all_proxy",
  "http_proxy",
  "https_proxy",
  "no_proxy",
]);

/** @see https://code.claude.com/docs/en/settings "Environment variables" for the families that Claude Code reads. */
const allowedPrefixes = [
  "ANTHROPIC_",
  "AWS_",
  "AZURE_",
  "CLAUDE_",
  "CLOUD_",
  "DISABLE_",
  "GCLOUD_",
  "GOOGLE_",
  "LC_",
  "VERTEX_",
  "XDG_",
];

/**
 * Variables that Claude Code gives to the commands that it runs (2.1.330), this server perhaps among them: inherited,
 * they would mislead the child. And the extra body, which is ours to set for each request.
 */
const refusedNames = new Set([
  "CLAUDE_CODE_ENTRYPOINT",
  "CLAUDE_CODE_SSE_PORT",
  "CLAUDE_CODE_SESSION_ID",
  "CLAUDE_AGENT_SDK_VERSION",
  "CLAUDE_CODE_CHILD_NOTES_DIR",
  "CLAUDE_CODE_CHILD_SESSION",
  "CLAUDE_CODE_EXECPATH",
  "CLAUDE_CODE_EXTRA_BODY",
  "CLAUDE_CODE_MESSAGING_SOCKET",
  "CLAUDE_CODE_MESSAGING_TOKEN",
  "CLAUDE_CODE_SESSION_ATTENDED",
  "CLAUDE_EFFORT",
  "CLAUDE_PID",
]);

/** Secrets that may be given as files (`NAME_FILE`); Claude Code itself knows only the plain names. */
export const secretNames = ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"] as const;

/** A secret that may be given as a file. */
export type SecretName = (typeof secretNames)[number];

const secretFileNames: ReadonlySet<string> = new Set(secretNames.map((name) => `${name}_FILE`));

/** An environment as node has it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The part of an environment that a Claude process may see. A secret's file name is left out: the server reads the
 * file and hands the value on.
 */
export function childEnvironment(parent: Environment): Record<string, string> {
  const child: Record<string, string> = {};
  for (const [name, value] of Object.entries(parent)) {
    if (value !== undefined && isAllowed(name)) child[name] = name === "PATH" ? withoutNpmFolders(value) : value;
  }
  return child;
}

/** Whether a variable of this name may reach a Claude process. */
export function isAllowed(name: string): boolean {
  if (refusedNames.has(name) || secretFileNames.has(name)) return false;
  return allowedNames.has(name) || allowedPrefixes.some((prefix) => name.startsWith(prefix));
}

/** `npm run` puts each `node_modules/.bin` above it first on the PATH; Claude's tools must not find those programs. */
function withoutNpmFolders(path: string): string {
  return path
    .split(delimiter)
    .filter((folder) => !/[/\\]node_modules[/\\]\.bin[/\\]?$|[/\\]node-gyp-bin[/\\]?$/.test(folder))
    .join(delimiter);
}
