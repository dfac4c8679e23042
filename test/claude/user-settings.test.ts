import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { claudeConfigDir, readCredentialSettings } from "../../src/claude/user-settings.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "ccapi-settings-"));
  await mkdir(join(home, ".claude"));
});
afterEach(() => rm(home, { recursive: true }));

async function read(settings: unknown) {
  const text = typeof settings === "string" ? settings : JSON.stringify(settings);
  await writeFile(join(home, ".claude", "settings.json"), text);
  return readCredentialSettings({ HOME: home });
}

describe("the folder of Claude's configuration", () => {
  it.each([
    { environment: { HOME: "/home/a" }, dir: "/home/a/.claude" },
    { environment: { HOME: "/home/a", CLAUDE_CONFIG_DIR: "/etc/claude" }, dir: "/etc/claude" },
    { environment: { HOME: "/home/a", CLAUDE_CONFIG_DIR: "" }, dir: "/home/a/.claude" },
    // As Claude Code itself falls back on the user's entry.
    { environment: {}, dir: join(homedir(), ".claude") },
  ])("is $dir for $environment (C5)", ({ environment, dir }) => {
    expect(claudeConfigDir(environment)).toBe(dir);
  });
});

describe("what is taken from the operator's user settings", () => {
  it("is what the credential needs, and nothing else (B2)", async () => {
    const helpers = { apiKeyHelper: "h", awsAuthRefresh: "r", awsCredentialExport: "e", gcpAuthRefresh: "g" };
    expect(
      await read({
        ...helpers,
        env: { ANTHROPIC_BASE_URL: "http://127.0.0.1:1" },
        hooks: { SessionStart: [] },
        permissions: { allow: ["Bash"] },
        model: "opus",
        statusLine: {},
      }),
    ).toEqual({ ...helpers, env: { ANTHROPIC_BASE_URL: "http://127.0.0.1:1" } });
  });

  it("leaves out variables that no child may have, or that would move the settings (C2)", async () => {
    const env = {
      CCAPI_API_KEYS: "x",
      LD_PRELOAD: "x",
      CLAUDE_CODE_EXTRA_BODY: "{}",
      HOME: "/",
      CLAUDE_CONFIG_DIR: "/",
    };
    expect(await read({ env })).toEqual({});
    expect(await read({ env: { ...env, AWS_REGION: "eu-1" } })).toEqual({ env: { AWS_REGION: "eu-1" } });
  });

  it("takes numbers and booleans as the texts that a process gets (B2)", async () => {
    expect(await read({ env: { CLAUDE_CODE_USE_BEDROCK: 1, DISABLE_TELEMETRY: true } })).toEqual({
      env: { CLAUDE_CODE_USE_BEDROCK: "1", DISABLE_TELEMETRY: "true" },
    });
  });

  it.each(["", "{", "null", "[]", '"text"', '{"apiKeyHelper": 5}', '{"env": []}'])(
    "is nothing where the file holds %s (C4)",
    async (text) => {
      expect(await read(text)).toEqual({});
    },
  );

  it("is nothing where there is no file, and is read anew each time (B2)", async () => {
    expect(await readCredentialSettings({ HOME: home })).toEqual({});
    expect(await read({ apiKeyHelper: "one" })).toEqual({ apiKeyHelper: "one" });
    expect(await read({ apiKeyHelper: "two" })).toEqual({ apiKeyHelper: "two" });
  });
});
