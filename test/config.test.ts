import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Setting, settings } from "../src/config/settings.ts";
import { ConfigError, isLoopback, loadConfig } from "../src/config.ts";

const all: [string, Setting<unknown>][] = Object.entries(settings);

describe("the configuration", () => {
  // Pinned: a default that changes here changes what runs at an operator's who never set it.
  it("needs nothing: every setting has its documented default (C1)", () => {
    expect(loadConfig({ environment: {} })).toStrictEqual({
      host: "127.0.0.1",
      port: 3000,
      fetchImages: false,
      stateDir: undefined,
      clusterSecret: undefined,
      corsOrigins: [],
      metricsAllow: [],
      shutdownTimeoutMs: 30_000,
      apiKeys: [],
      adminKeys: [],
      modelAliases: new Map(),
      maxConcurrent: undefined,
      maxQueue: 256,
      poolMaxIdle: undefined,
      poolMaxSpares: undefined,
      poolMaxIdleMb: 1_024,
      poolIdleMs: 300_000,
      maxConcurrentPerKey: undefined,
      requestsPerMinutePerKey: undefined,
      redisUrl: undefined,
      requestTimeoutMs: 1_800_000,
      maxTurns: undefined,
      maxBudgetUsd: undefined,
      maxBodyBytes: 33_554_432,
      maxConnections: 4_096,
      maxSessionsPerKey: 1_000,
      sessionTtlMs: 86_400_000,
      authCooldownMs: 30_000,
      authMaxFailures: 3,
      authTimeoutMs: 300_000,
      authParkMs: 45_000,
      authStepTimeoutMs: 60_000,
      authTestTimeoutMs: 30_000,
      authTestModel: "haiku",
      authMaxTestQueriesPerHour: 24,
      authRefreshCommand: undefined,
      allowStoredLogin: false,
      allowTelemetry: false,
      skipPermissions: false,
      alertWebhookUrl: undefined,
      alertWebhookSecret: undefined,
      alertFormat: "json",
      alertCommand: undefined,
      alertFailures: 2,
      alertRefreshesPerHour: 12,
      alertExpiryMs: 86_400_000,
      logLevel: "info",
      logFormat: undefined,
      environment: {},
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

  it("takes an empty variable for none, also where the file has one (C1)", () => {
    const dir = mkdtempSync(join(tmpdir(), "ccapi-config-"));
    try {
      const envFile = join(dir, "env");
      writeFileSync(envFile, "CCAPI_PORT=1\nANTHROPIC_API_KEY=from-file\n");
      const config = loadConfig({ environment: { CCAPI_PORT: " ", ANTHROPIC_API_KEY: "" }, envFile });
      expect(config.port).toBe(1);
      expect(config.environment["ANTHROPIC_API_KEY"]).toBe("from-file");
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it("listens on [::1] as on ::1, which is this machine alone (C1)", () => {
    expect(loadConfig({ environment: { CCAPI_HOST: "[::1]" } }).host).toBe("::1");
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

  it.each(all.filter(([, { kind }]) => !["a text", "a path", "a host name or an IP address"].includes(kind.range)))(
    "%s refuses what makes no sense, and names itself (C1)",
    (_name, setting) => {
      expect(() => loadConfig({ environment: { [setting.variable]: "\u0001=,'" } })).toThrow(setting.variable);
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

  it("never shows a command in an error, for a token may be among its arguments (C2)", () => {
    for (const bad of ["/opt/renew --token 'MARKED", '["/opt/renew", "MARKED", 1]']) {
      const load = () => loadConfig({ environment: { CCAPI_AUTH_REFRESH_COMMAND: bad } });
      expect(load).toThrow(/^CCAPI_AUTH_REFRESH_COMMAND: /);
      expect(load).not.toThrow("MARKED");
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

  it("takes an address of Redis only with the secret that all instances share, and shows neither (A9, C2)", () => {
    const secret = "a-secret-of-the-cluster";
    const load = (redis: string, shared?: string) =>
      loadConfig({ environment: { CCAPI_REDIS_URL: redis, CCAPI_CLUSTER_SECRET: shared } });
    expect(load("rediss://user:pass@host:6380/2", secret)).toMatchObject({ clusterSecret: secret });
    expect(() => load("redis://:pass@host")).toThrow(/CCAPI_CLUSTER_SECRET is not set/);
    expect(() => load("redis://:pass@host", "short")).toThrow(/at least 16 characters/);
    for (const bad of ["host:6379", "http://:hidden@host", "redis://:hidden@host/name", "redis:///0"]) {
      expect(() => load(bad, secret)).toThrow("CCAPI_REDIS_URL");
      expect(() => load(bad, secret)).not.toThrow(/hidden/);
    }
  });
});
