import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CcapiError } from "../../src/auth/errors.ts";
import { readSecretFiles } from "../../src/claude/secret-files.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "ccapi-secrets-"));
});
afterEach(() => rm(dir, { recursive: true }));

const failure = (environment: Record<string, string>) =>
  readSecretFiles(environment).then(
    () => undefined,
    (error: unknown) => error,
  );

describe("secrets given as files", () => {
  it("reads each of the three, and nothing where none is named (C5)", async () => {
    await writeFile(join(dir, "key"), "key-1");
    await writeFile(join(dir, "token"), "token-1");
    await writeFile(join(dir, "oauth"), "oauth-1");
    const environment = {
      ANTHROPIC_API_KEY_FILE: join(dir, "key"),
      ANTHROPIC_AUTH_TOKEN_FILE: join(dir, "token"),
      CLAUDE_CODE_OAUTH_TOKEN_FILE: join(dir, "oauth"),
    };
    expect(await readSecretFiles(environment)).toEqual({
      ANTHROPIC_API_KEY: "key-1",
      ANTHROPIC_AUTH_TOKEN: "token-1",
      CLAUDE_CODE_OAUTH_TOKEN: "oauth-1",
    });
    expect(await readSecretFiles({ ANTHROPIC_API_KEY: "plain", ANTHROPIC_API_KEY_FILE: "" })).toEqual({});
  });

  it("sees a rotated secret at the next reading (C5)", async () => {
    const path = join(dir, "key");
    await writeFile(path, "before");
    expect(await readSecretFiles({ ANTHROPIC_API_KEY_FILE: path })).toEqual({ ANTHROPIC_API_KEY: "before" });
    await writeFile(path, "after");
    expect(await readSecretFiles({ ANTHROPIC_API_KEY_FILE: path })).toEqual({ ANTHROPIC_API_KEY: "after" });
  });

  it.each(["key-1\n", "key-1\r\n", "  key-1 \n\n", "\uFEFFkey-1"])(
    "takes %j for the secret alone (C5)",
    async (text) => {
      await writeFile(join(dir, "key"), text);
      expect(await readSecretFiles({ ANTHROPIC_API_KEY_FILE: join(dir, "key") })).toEqual({
        ANTHROPIC_API_KEY: "key-1",
      });
    },
  );

  it.each([
    { what: "is empty", text: "" },
    { what: "is empty", text: " \n" },
    { what: "holds more than one line", text: "marked-1\nmarked-2" },
    { what: "holds more than one line", text: "marked-1\0marked-2" },
    { what: "is too large for a secret", text: "marked-1".repeat(10_000) },
  ])("refuses a file that $what, without a word of it (C2)", async ({ what, text }) => {
    await writeFile(join(dir, "key"), text);
    const error = await failure({ ANTHROPIC_API_KEY_FILE: join(dir, "key") });
    expect(error).toBeInstanceOf(CcapiError);
    expect(error).toMatchObject({
      code: "upstream_auth_unavailable",
      message: `The file named by ANTHROPIC_API_KEY_FILE ${what}.`,
      action: "put a valid secret into the file named by ANTHROPIC_API_KEY_FILE",
      shouldRetry: false,
    });
    expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain("marked");
  });

  it("refuses what is not there, or no file, and names the variable, not the path (C2)", async () => {
    for (const [path, what] of [
      [join(dir, "missing"), "can't be read"],
      [dir, "is no regular file"],
      ["/dev/zero", "is no regular file"],
    ] as const) {
      const error = await failure({ CLAUDE_CODE_OAUTH_TOKEN_FILE: path });
      expect(error).toMatchObject({ message: `The file named by CLAUDE_CODE_OAUTH_TOKEN_FILE ${what}.` });
      expect(JSON.stringify([error, (error as Error).cause])).not.toContain(dir);
    }
  });
});
