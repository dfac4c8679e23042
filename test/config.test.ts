import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Setting, settings } from "../src/config/settings.ts";
import { ConfigError, isLoopback, loadConfig } from "../src/config.ts";

const all: [string, Setting<unknown>][] = Object.entries(settings);

describe("the configuration", () => {
  it("needs nothing: every setting has its documented default (C1)", () => {
    const config = loadConfig({ environment: {} });
    expect(config).toMatchObject({
      host: "127.0.0.1",
      port: 3000,
      apiKeys: [],
      maxQueue: 256,
      sessionTtlMs: 86_400_000,
      authCooldownMs: 30_000,
      authMaxFailures: 3,
      authTimeoutMs: 300_000,
      logLevel: "info",
      skipPermissions: false,
      warnings: [],
    });
  });

  it("takes a flag before a variable, a variable before the file (C1)", () => {
    const dir = mkdtempSync(join(tmpdir(), "ccapi-config-"));
    try {
      const envFile = join(dir, "env");
      writeFileSync(envFile, "CCAPI_PORT=1\nCCAPI_HOST=localhost\nANTHROPIC_API_KEY=from-file\n");
      expect(loadConfig({ environment: {}, envFile })).toMatchObject({ port: 1, host: "localhost" });
      expect(loadConfig({ environment: { CCAPI_PORT: "2" }, envFile }).port).toBe(2);
      expect(loadConfig({ flags: { port: "3" }, environment: { CCAPI_PORT: "2" }, envFile }).port).toBe(3);
      expect(loadConfig({ environment: {}, envFile }).environment["ANTHROPIC_API_KEY"]).toBe("from-file");
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it("names the setting, the value and the range of a bad value (C1)", () => {
    expect(() => loadConfig({ environment: { CCAPI_PORT: "99999" } })).toThrow(
      new ConfigError('CCAPI_PORT "99999": it is out of range. Allowed: an integer from 0 to 65535.'),
    );
    expect(() => loadConfig({ flags: { "log-level": "loud" }, environment: {} })).toThrow(
      /^--log-level "loud": .*one of trace, debug/,
    );
    expect(() => loadConfig({ environment: {}, envFile: "/nowhere/at/all" })).toThrow(
      '--env-file "/nowhere/at/all": can\'t be read (ENOENT).',
    );
  });

  it.each(all.filter(([, { kind }]) => kind.isSecret !== true && kind.range !== "a path"))(
    "%s refuses what makes no sense, and shows it (C1)",
    (_name, setting) => {
      const bad = setting.kind.range === "a text" ? undefined : "\u0001=,'";
      if (bad === undefined || setting.isFlagOnly === true) return;
      expect(() => loadConfig({ environment: { [setting.variable]: bad } })).toThrow(setting.variable);
    },
  );

  it("never shows a key in an error (C2)", () => {
    for (const bad of ["a=MARKED1,a=MARKED2", "a=MARKED1,b=MARKED1", "MARKED1 blank", "MARKED1\u00e9"]) {
      let message = "";
      try {
        loadConfig({ environment: { CCAPI_API_KEYS: bad } });
      } catch (error) {
        message = String(error);
      }
      expect(message).toContain("CCAPI_API_KEYS");
      expect(message).not.toContain("MARKED");
    }
  });

  it("reads keys with names and bare ones, also those that end as base64 does (C1)", () => {
    const { apiKeys } = loadConfig({ environment: { CCAPI_API_KEYS: "alice=k1, sk-abc==, bob=k=2=" } });
    expect(apiKeys).toEqual([
      { name: "alice", key: "k1" },
      { name: "key-2", key: "sk-abc==" },
      { name: "bob", key: "k=2=" },
    ]);
  });

  it.each(["..=x", "a/b=x", ".hidden=x"])("takes no key name that could not be a folder's: %s (C3)", (entry) => {
    // Read as a bare key then, which has a name of its own.
    expect(loadConfig({ environment: { CCAPI_API_KEYS: entry } }).apiKeys[0]?.name).toBe("key-1");
  });

  it("refuses an address that others reach without a key of the operator's (C1)", () => {
    expect(() => loadConfig({ environment: { CCAPI_HOST: "0.0.0.0" } })).toThrow(/no key protects it/);
    expect(loadConfig({ environment: { CCAPI_HOST: "0.0.0.0", CCAPI_API_KEYS: "k1" } }).host).toBe("0.0.0.0");
    expect(["127.0.0.1", "127.8.8.8", "::1", "localhost"].every(isLoopback)).toBe(true);
    expect(["0.0.0.0", "::", "10.0.0.1", "example.com", "127.0.0.1.evil.com"].some(isLoopback)).toBe(false);
  });

  it("warns of a variable that looks like ours and is none (C1)", () => {
    expect(loadConfig({ environment: { CCAPI_PROT: "1" } }).warnings).toEqual([
      "CCAPI_PROT is no setting of this version and has no effect.",
    ]);
  });

  it("warns of a key that can be guessed, where others than this machine may try (C4)", () => {
    const keys = { CCAPI_API_KEYS: "app=short,other=long-enough-to-stay-a-secret", CCAPI_ADMIN_KEYS: "admin=tiny" };
    const warned = loadConfig({ environment: { ...keys, CCAPI_HOST: "0.0.0.0" } }).warnings;
    expect(warned.map((warning) => /"(.+?)"/.exec(warning)?.[1])).toEqual(["app", "admin"]);
    expect(warned.join()).not.toMatch(/short,|tiny/);
    expect(loadConfig({ environment: keys }).warnings).toEqual([]);
  });

  it("turns permissions off by a flag alone, never by a forgotten variable (C3)", () => {
    expect(() => loadConfig({ environment: { CCAPI_DANGEROUSLY_SKIP_PERMISSIONS: "1" } })).toThrow(/use the flag/);
    expect(loadConfig({ flags: { "dangerously-skip-permissions": true }, environment: {} }).skipPermissions).toBe(true);
  });

  it("reads a command in words or as JSON, and no shell's tricks (A4)", () => {
    const command = (text: string) =>
      loadConfig({ environment: { CCAPI_AUTH_REFRESH_COMMAND: text } }).authRefreshCommand;
    expect(command("/opt/renew --now 'two words' \"x y\"z")).toEqual(["/opt/renew", "--now", "two words", "x yz"]);
    expect(command('["/opt/my renew", "$HOME;ls"]')).toEqual(["/opt/my renew", "$HOME;ls"]);
    expect(command("a;b $(c)")).toEqual(["a;b", "$(c)"]);
    for (const bad of ["'open", '["a", 1]', "[]"]) expect(() => command(bad)).toThrow("CCAPI_AUTH_REFRESH_COMMAND");
  });
});
