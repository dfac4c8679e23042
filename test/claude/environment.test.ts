import { describe, expect, it } from "vitest";
import { childEnvironment, isAllowed, secretNames } from "../../src/claude/environment.ts";

const words = (text: string) => text.trim().split(/\s+/);

const passes = words(`
  ANTHROPIC_API_KEY ANTHROPIC_AUTH_TOKEN ANTHROPIC_BASE_URL ANTHROPIC_MODEL ANTHROPIC_FOUNDRY_API_KEY
  CLAUDE_CODE_OAUTH_TOKEN CLAUDE_CODE_USE_BEDROCK CLAUDE_CONFIG_DIR CLAUDE_CODE_MAX_RETRIES
  AWS_PROFILE AWS_BEARER_TOKEN_BEDROCK GOOGLE_APPLICATION_CREDENTIALS VERTEX_REGION_CLAUDE_HAIKU_4_5
  CLOUD_ML_REGION GCLOUD_PROJECT AZURE_CLIENT_ID DISABLE_TELEMETRY IS_SANDBOX API_TIMEOUT_MS
  HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY http_proxy https_proxy no_proxy all_proxy
  NODE_EXTRA_CA_CERTS SSL_CERT_FILE SSL_CERT_DIR HOME PATH SHELL USER LOGNAME TZ
  LANG LC_ALL LC_CTYPE TMPDIR XDG_CONFIG_HOME XDG_RUNTIME_DIR MAX_THINKING_TOKENS`);

const stopped = [
  ...words(`
    CCAPI_API_KEYS CCAPI_ADMIN_KEYS CCAPI_PORT ccapi_api_keys
    npm_config_registry npm_lifecycle_event npm_package_name INIT_CWD NODE_OPTIONS NODE_ENV
    DATABASE_URL OPENAI_API_KEY GITHUB_TOKEN SSH_AUTH_SOCK LD_PRELOAD API_TIMEOUT_MS_OF_MINE`),
  // Set by a Claude Code that this server itself runs under.
  ...words(`
    CLAUDECODE CLAUDE_CODE_ENTRYPOINT CLAUDE_CODE_SSE_PORT CLAUDE_CODE_SESSION_ID CLAUDE_CODE_CHILD_SESSION CLAUDE_PID
    CLAUDE_CODE_MESSAGING_SOCKET CLAUDE_CODE_MESSAGING_TOKEN CLAUDE_CODE_SESSION_ATTENDED CLAUDE_CODE_EXECPATH
    CLAUDE_CODE_CHILD_NOTES_DIR CLAUDE_AGENT_SDK_VERSION CLAUDE_EFFORT`),
  // Ours to set, for each request.
  "CLAUDE_CODE_EXTRA_BODY",
  // Read by us; Claude Code knows only the plain names.
  ...secretNames.map((name) => `${name}_FILE`),
];

describe("what a Claude process gets of the environment", () => {
  it.each(passes)("passes %s on as it is (C6)", (name) => {
    expect(childEnvironment({ [name]: "value" })).toEqual({ [name]: "value" });
    expect(isAllowed(name)).toBe(true);
  });

  it.each(stopped)("keeps %s back (C2)", (name) => {
    expect(childEnvironment({ [name]: "value" })).toEqual({});
    expect(isAllowed(name)).toBe(false);
  });

  it("knows the three secrets that may be given as files (C5)", () => {
    expect(secretNames).toEqual(["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"]);
  });

  it("keeps an empty value, and leaves out a variable that is not set (C2)", () => {
    expect(childEnvironment({ HOME: "", LANG: undefined })).toEqual({ HOME: "" });
  });

  it("takes npm's folders off the PATH and keeps the others in their order (C2)", () => {
    const path = [
      "/srv/ccapi/node_modules/.bin",
      "/srv/node_modules/.bin/",
      "/usr/local/bin",
      "/usr/lib/node_modules/npm/node_modules/@npmcli/run-script/lib/node-gyp-bin",
      "/opt/node_modules/.bin-of-mine",
      "/usr/bin",
    ].join(":");
    expect(childEnvironment({ PATH: path })["PATH"]).toBe("/usr/local/bin:/opt/node_modules/.bin-of-mine:/usr/bin");
  });
});
