import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CcapiError } from "../../src/auth/errors.ts";
import { loadConfig } from "../../src/config.ts";
import { examineCredential } from "../../src/doctor/credential.ts";
import { examineSettings } from "../../src/doctor/settings.ts";
import { examineUpstream } from "../../src/doctor/upstream.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ccapi-test-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const signal = new AbortController().signal;
const keys = { CCAPI_API_KEYS: "a=0123456789abcdef", CCAPI_ADMIN_KEYS: "b=0123456789abcdeg" };

describe("the settings", () => {
  const examine = (environment: Record<string, string>) =>
    examineSettings(loadConfig({ environment: { CCAPI_STATE_DIR: folder, ...environment } }));
  const verdicts = async (environment: Record<string, string>) =>
    Object.fromEntries((await examine(environment)).map(({ about, verdict }) => [about, verdict]));

  it("of a server with its own keys on loopback have nothing to mend (C1)", async () => {
    expect(await verdicts(keys)).toEqual({ keys: "ok", address: "ok", "state folder": "ok" });
  });

  it("that are no settings, or open the server to others, are said with what to do (C1)", async () => {
    const found = await examine({ ...keys, CCAPI_HOST: "0.0.0.0", CCAPI_PROT: "1" });
    expect(found.map(({ about, verdict }) => [about, verdict])).toEqual([
      ["setting", "warning"],
      ["keys", "ok"],
      ["address", "warning"],
      ["state folder", "ok"],
    ]);
    for (const { verdict, fix } of found) expect(fix === undefined).toBe(verdict === "ok");
    expect(JSON.stringify(found)).not.toContain("0123456789abcdef");
  });

  it("whose state folder can't be used are a problem (C3)", async () => {
    writeFileSync(join(folder, "file"), "");
    expect(await verdicts({ ...keys, CCAPI_STATE_DIR: join(folder, "file") })).toMatchObject({
      "state folder": "problem",
    });
  });
});

describe("the credential", () => {
  const expired = 1_600_000_000;
  const token = (exp: number) => `a.${Buffer.from(JSON.stringify({ exp })).toString("base64url")}.c`;
  const examine = async (secret: Record<string, string>, more: { mayUseStoredLogin?: boolean } = {}) => {
    const environment = { PATH: "", HOME: folder, ...secret };
    const kind = "ANTHROPIC_AUTH_TOKEN" in secret ? ("auth_token" as const) : ("stored_login" as const);
    const child = { environment, credentialSettings: {}, kind, configDir: join(folder, ".claude") };
    const ports = { environment, hasRefreshCommand: false, mayUseStoredLogin: true, now: Date.now };
    return examineCredential({ ...ports, ...more, prepareChild: async () => child }, signal);
  };

  it("is named with the reason why it is the one, and its expiry (B5)", async () => {
    const { findings } = await examine({ ANTHROPIC_AUTH_TOKEN: token(4_000_000_000) });
    expect(findings.slice(0, 2)).toMatchObject([
      { verdict: "ok", seen: expect.stringContaining("auth_token: ANTHROPIC_AUTH_TOKEN") },
      { verdict: "ok", seen: "expires at 2096-10-02T07:06:40Z" },
    ]);
  });

  it("that has expired, is missing or may not be used is a problem with its fix (A2, C5)", async () => {
    const [, expiry] = (await examine({ ANTHROPIC_AUTH_TOKEN: token(expired) })).findings;
    expect(expiry).toMatchObject({ about: "expiry", verdict: "problem", fix: expect.stringContaining("rotate") });
    const [missing] = (await examine({})).findings;
    expect(missing).toMatchObject({ verdict: "problem", seen: "stored_login: there is none" });
    const [refused] = (await examine({}, { mayUseStoredLogin: false })).findings;
    expect(refused).toMatchObject({ verdict: "problem", seen: expect.stringContaining("loopback alone") });
  });

  it("whose file can't be read is a problem, and nothing more is tried (A1)", async () => {
    const error = new CcapiError("upstream_auth_unavailable", "The file can't be read.", { action: "write it" });
    const ports = { environment: {}, hasRefreshCommand: false, mayUseStoredLogin: true, now: Date.now };
    const found = await examineCredential({ ...ports, prepareChild: () => Promise.reject(error) }, signal);
    expect(found).toEqual({
      findings: [{ about: "credential", verdict: "problem", seen: "The file can't be read.", fix: "write it" }],
      child: undefined,
    });
  });
});

describe("the model API", () => {
  const nowMs = Date.UTC(2026, 0, 1, 12);
  const examine = (date: number) =>
    examineUpstream(
      "https://api.example.com/path?token=marked",
      { now: () => nowMs, fetch: async () => new Response(null, { headers: { date: new Date(date).toUTCString() } }) },
      signal,
    );

  it("that answers tells whether this host's clock is right (D2)", async () => {
    expect((await examine(nowMs)).map(({ verdict }) => verdict)).toEqual(["ok", "ok"]);
    expect((await examine(nowMs - 600_000))[1]).toMatchObject({
      verdict: "problem",
      seen: expect.stringContaining("600 s ahead of"),
    });
    expect((await examine(nowMs + 600_000))[1]).toMatchObject({
      verdict: "problem",
      seen: expect.stringContaining("600 s behind"),
    });
  });

  it("that is not reached is a problem, told without what its address may hold (C2)", async () => {
    const gone = () =>
      Promise.reject(new TypeError("x", { cause: Object.assign(new Error("y"), { code: "ENOTFOUND" }) }));
    const found = await examineUpstream(
      "https://api.example.com/?token=marked",
      { now: () => nowMs, fetch: gone },
      signal,
    );
    expect(found).toMatchObject([{ verdict: "problem", seen: "https://api.example.com is not reached (ENOTFOUND)" }]);
  });
});
