import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { prepareChild } from "../../src/claude/child-setup.ts";
import type { Environment } from "../../src/claude/environment.ts";
import { createWatchedCredential } from "../../src/claude/watched-credential.ts";
import { until } from "../helpers/server.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "ccapi-credential-"));
  await mkdir(join(home, ".claude"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

function credential(environment: Environment = {}, hasRefreshCommand = false) {
  const own = { HOME: home, PATH: process.env["PATH"], ...environment };
  return createWatchedCredential({
    prepareChild: () =>
      prepareChild({ environment: own, allowTelemetry: false, clientApp: "test", privateConfigDir: undefined }),
    environment: own,
    hasRefreshCommand,
  });
}
const signal = new AbortController().signal;
const settings = (content: unknown) => writeFile(join(home, ".claude", "settings.json"), JSON.stringify(content));
const login = (content: string) => writeFile(join(home, ".claude", ".credentials.json"), content);
const oauth = (accessToken: string, expiresAt = 1_900_000_000_000) =>
  JSON.stringify({ claudeAiOauth: { accessToken, refreshToken: "r", expiresAt, scopes: [] } });

describe("a credential in the environment", () => {
  it("can't change while the server lives: fixed, not renewable (A2)", async () => {
    expect(await credential({ ANTHROPIC_API_KEY: "made-up-key-1" }).read(signal)).toMatchObject({
      kind: "api_key",
      present: true,
      renewable: false,
      watchMode: "fixed",
      action: expect.stringContaining("rotate ANTHROPIC_API_KEY"),
    });
  });

  it("is renewable where a refresh command is given (A2)", async () => {
    expect((await credential({ ANTHROPIC_API_KEY: "made-up-key-1" }, true).read(signal)).renewable).toBe(true);
  });

  it("says when a token ends that says so itself (A8)", async () => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const token = `${part({ alg: "none" })}.${part({ exp: 1_900_000_000 })}.sig`;
    expect(await credential({ ANTHROPIC_AUTH_TOKEN: token }).read(signal)).toMatchObject({
      kind: "auth_token",
      expiresAtMs: 1_900_000_000_000,
    });
    expect(await credential({ ANTHROPIC_AUTH_TOKEN: "a.b.c" }).read(signal)).not.toHaveProperty("expiresAtMs");
  });
});

describe("a fingerprint", () => {
  it("differs where the secret does, and from one process to the next (C2, B5)", async () => {
    const one = credential({ ANTHROPIC_API_KEY: "made-up-key-1" });
    const first = await one.read(signal);
    expect((await one.read(signal)).fingerprint).toBe(first.fingerprint);
    expect((await credential({ ANTHROPIC_API_KEY: "made-up-key-1" }).read(signal)).fingerprint).not.toBe(
      first.fingerprint,
    );
    expect(JSON.stringify(first)).not.toContain("made-up-key-1");
  });
});

describe("a secret in a file", () => {
  it("is read anew at each look: a rotated one has another fingerprint (A7)", async () => {
    const file = join(home, "key");
    await writeFile(file, "k1\n");
    const port = credential({ ANTHROPIC_API_KEY_FILE: file });
    const before = await port.read(signal);
    expect(before).toMatchObject({ kind: "api_key", present: true, renewable: true, watchMode: "cheap" });
    await writeFile(file, "k2\n");
    expect((await port.read(signal)).fingerprint).not.toBe(before.fingerprint);
  });

  it("that is gone or empty is a missing credential, and says what to do (A2)", async () => {
    const file = join(home, "key");
    const port = credential({ ANTHROPIC_API_KEY_FILE: file });
    expect(await port.read(signal)).toMatchObject({
      present: false,
      renewable: true,
      watchMode: "cheap",
      action: "put a valid secret into the file named by ANTHROPIC_API_KEY_FILE",
    });
    await writeFile(file, "\n");
    expect((await port.read(signal)).present).toBe(false);
  });

  it("tells of its change, also when it is swapped for another file (A7)", async () => {
    const file = join(home, "key");
    await writeFile(file, "made-up-key-1");
    const port = credential({ ANTHROPIC_API_KEY_FILE: file });
    await port.read(signal);
    let changes = 0;
    const stop = port.watch?.(() => (changes += 1));
    await writeFile(`${file}.new`, "made-up-key-2");
    await rename(`${file}.new`, file);
    await until("a change is told", () => changes > 0, 2_000);
    stop?.();
  });
});

describe("a stored login", () => {
  it("is renewable, Claude renews it, and its expiry is known (A2, A8)", async () => {
    await login(oauth("t1"));
    expect(await credential().read(signal)).toMatchObject({
      kind: "stored_login",
      present: true,
      renewable: true,
      claudeRenews: true,
      watchMode: "cheap",
      expiresAtMs: 1_900_000_000_000,
    });
  });

  it("that was never made is missing; one that is made is seen (A7)", async () => {
    const port = credential();
    const before = await port.read(signal);
    expect(before).toMatchObject({ present: false, action: "run `claude` and log in on this host" });
    await login(oauth("t1"));
    const after = await port.read(signal);
    expect(after.present).toBe(true);
    expect(after.fingerprint).not.toBe(before.fingerprint);
  });

  it("whose file was blanked is missing (A2)", async () => {
    await login("");
    expect((await credential().read(signal)).present).toBe(false);
  });

  it("whose file is being written is read again, and never taken for gone (A2)", async () => {
    await login(oauth("t1").slice(0, 30));
    const reading = credential().read(signal);
    setTimeout(() => void login(oauth("t1")), 80);
    expect((await reading).present).toBe(true);
    await login(oauth("t1").slice(0, 30));
    await expect(credential().read(signal)).rejects.toThrow("half-written");
  });
});

describe("an apiKeyHelper", () => {
  it("is run to see its key; its output never stands in an error (A2, C2)", async () => {
    const helper = join(home, "helper.sh");
    await writeFile(helper, "#!/bin/sh\necho k$(cat $HOME/n)\n");
    await chmod(helper, 0o755);
    await writeFile(join(home, "n"), "1");
    await settings({ apiKeyHelper: helper });
    const port = credential();
    const before = await port.read(signal);
    expect(before).toMatchObject({ kind: "api_key_helper", watchMode: "costly", renewable: true, claudeRenews: true });
    await writeFile(join(home, "n"), "2");
    expect((await port.read(signal)).fingerprint).not.toBe(before.fingerprint);
  });

  it.each(["echo MARKED; exit 3", "true", "no-such-program"])(
    "that gives no key is a missing credential, and says what to do: %s (A2)",
    async (apiKeyHelper) => {
      await settings({ apiKeyHelper });
      const reading = await credential().read(signal);
      expect(reading).toMatchObject({
        present: false,
        renewable: true,
        action: expect.stringContaining("apiKeyHelper"),
      });
      expect(JSON.stringify(reading)).not.toContain("MARKED");
    },
  );

  it("that hangs ends with the look that ran it, and its children too (A3)", async () => {
    await settings({ apiKeyHelper: "sleep 61 & wait" });
    const abort = new AbortController();
    const reading = credential().read(abort.signal);
    setTimeout(() => abort.abort(), 200);
    await expect(reading).rejects.toThrow("no longer wanted");
  });
});

describe("a secret's file that is being rewritten", () => {
  it("is not taken for an empty one (A2)", async () => {
    const file = join(home, "key");
    await writeFile(file, "");
    const reading = credential({ ANTHROPIC_API_KEY_FILE: file }).read(signal);
    setTimeout(() => void writeFile(file, "made-up-key-2"), 60);
    expect((await reading).present).toBe(true);
  });
});
