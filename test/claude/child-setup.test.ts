import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { canScrub, type ChildPolicy, prepareChild } from "../../src/claude/child-setup.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "ccapi-child-"));
  await mkdir(join(home, ".claude"));
});
afterEach(() => rm(home, { recursive: true }));

const prepare = (environment: Record<string, string> = {}, policy: Partial<ChildPolicy> = {}) =>
  prepareChild({
    environment: { HOME: home, PATH: "", ...environment },
    allowTelemetry: false,
    clientApp: "ccapi/1.2.3",
    privateConfigDir: undefined,
    ...policy,
  });

const userSettings = (settings: unknown) => writeFile(join(home, ".claude", "settings.json"), JSON.stringify(settings));

describe("what a child is started with", () => {
  it("has no telemetry, no error reports, no updates, unless the operator allows it (C6)", async () => {
    const off = {
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      DISABLE_TELEMETRY: "1",
      DISABLE_ERROR_REPORTING: "1",
      DISABLE_AUTOUPDATER: "1",
    };
    expect((await prepare({ DISABLE_TELEMETRY: "0" })).environment).toMatchObject(off);
    const allowed = await prepare({}, { allowTelemetry: true });
    expect(allowed.environment).toEqual({ HOME: home, PATH: "", CLAUDE_AGENT_SDK_CLIENT_APP: "ccapi/1.2.3" });
  });

  it("has the secret of the file as it is now, and not the file's name (C5)", async () => {
    const path = join(home, "key");
    await writeFile(path, "one\n");
    const environment = { ANTHROPIC_API_KEY_FILE: path, ANTHROPIC_API_KEY: "stale" };
    const before = await prepare(environment);
    expect(before.environment["ANTHROPIC_API_KEY"]).toBe("one");
    expect(before.environment).not.toHaveProperty("ANTHROPIC_API_KEY_FILE");
    expect(before.kind).toBe("api_key");
    await writeFile(path, "two\n");
    expect((await prepare(environment)).environment["ANTHROPIC_API_KEY"]).toBe("two");
  });

  it("does not start where a secret's file is missing (C5)", async () => {
    await expect(prepare({ ANTHROPIC_API_KEY_FILE: join(home, "missing") })).rejects.toMatchObject({
      code: "upstream_auth_unavailable",
    });
  });

  it("has the settings' variables in its environment, over the server's own, as Claude Code applies them (B2)", async () => {
    await userSettings({ apiKeyHelper: "helper", env: { ANTHROPIC_BASE_URL: "http://settings", CCAPI_API_KEYS: "x" } });
    const child = await prepare({ ANTHROPIC_BASE_URL: "http://environment" });
    expect(child.environment["ANTHROPIC_BASE_URL"]).toBe("http://settings");
    expect(child.environment).not.toHaveProperty("CCAPI_API_KEYS");
    expect(child).toMatchObject({ kind: "api_key_helper", credentialSettings: { apiKeyHelper: "helper" } });
  });

  it("never has a variable of ccapi's own (C2)", async () => {
    const child = await prepare({ CCAPI_API_KEYS: "secret", CCAPI_ADMIN_KEYS: "secret" });
    expect(JSON.stringify(child)).not.toContain("secret");
  });
});

describe("a stored login", () => {
  it("is left out of reach where it may not be used: the child has a folder of its own (C5)", async () => {
    const policy = { privateConfigDir: "/var/lib/ccapi/claude-config" };
    const child = await prepare({}, policy);
    expect(child).toMatchObject({ kind: "stored_login", configDir: policy.privateConfigDir });
    expect(child.environment["CLAUDE_CONFIG_DIR"]).toBe(policy.privateConfigDir);
  });

  it("leaves the operator's folder to a child that has another credential (C5)", async () => {
    const child = await prepare({ ANTHROPIC_API_KEY: "k" }, { privateConfigDir: "/var/lib/ccapi/claude-config" });
    expect(child.configDir).toBe(join(home, ".claude"));
    expect(child.environment).not.toHaveProperty("CLAUDE_CONFIG_DIR");
  });

  it("is found where the operator's relative path means: from the server's folder, not the child's (C5)", async () => {
    const child = await prepare({ CLAUDE_CONFIG_DIR: "some/where" });
    expect(child.configDir).toBe(resolve("some/where"));
    expect(child.environment["CLAUDE_CONFIG_DIR"]).toBe(resolve("some/where"));
  });
});

describe("scrubbing the environment of an agent's commands", () => {
  it("is on where bubblewrap is on the PATH, and off where it is not, or can't be run (C2)", async () => {
    const dir = join(home, "bin");
    await mkdir(dir);
    const environment = { PATH: `/nowhere::${dir}` };
    expect(await canScrub(environment)).toBe(false);
    await writeFile(join(dir, "bwrap"), "");
    await chmod(join(dir, "bwrap"), 0o600);
    expect(await canScrub(environment)).toBe(false);
    expect((await prepare(environment)).environment).not.toHaveProperty("CLAUDE_CODE_SUBPROCESS_ENV_SCRUB");
    await chmod(join(dir, "bwrap"), 0o700);
    expect(await canScrub(environment)).toBe(true);
    expect((await prepare(environment)).environment["CLAUDE_CODE_SUBPROCESS_ENV_SCRUB"]).toBe("1");
  });
});
