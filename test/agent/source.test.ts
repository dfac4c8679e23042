// Which credential a query uses, and what its processes are given.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Options } from "@anthropic-ai/claude-agent-sdk";
import { describe, expect, it } from "vitest";
import { identify, prepareSource, toSource } from "../../src/agent/source.ts";

const secret = "sk-ant-marked-0001";
const own = { HOME: "/home/none", ANTHROPIC_API_KEY: secret };
const id = (options: Options, environment: Record<string, string | undefined> = own) =>
  identify(toSource(options, environment));

describe("a query's credential", () => {
  it("is the same for the same variables, in whatever order, whatever else the environment holds (F)", () => {
    expect(id({}, { ANTHROPIC_API_KEY: secret, HOME: "/home/none", EDITOR: "ed", ANTHROPIC_MODEL: "m" })).toBe(id({}));
    expect(id({ env: own, model: "opus" }, {})).toBe(id({}));
  });

  it.each([
    ["another key", { env: { ...own, ANTHROPIC_API_KEY: "sk-ant-2" } }],
    ["another upstream", { env: { ...own, ANTHROPIC_BASE_URL: "http://127.0.0.1:1" } }],
    ["another home", { env: { ...own, HOME: "/home/other" } }],
    ["a helper in the options", { settings: { apiKeyHelper: "cat key" } }],
    ["no user settings", { settingSources: [] }],
  ] satisfies [string, Options][])("is another one with %s (F)", (_what, options) => {
    expect(id(options)).not.toBe(id({}));
  });

  it("is known by a digest alone (C2)", () => {
    expect(id({})).not.toContain(secret);
  });
});

describe("a query's process", () => {
  it("is given all of the caller's environment and the secrets in files, read anew each time (F)", async () => {
    const folder = await mkdtemp(join(tmpdir(), "ccapi-source-"));
    try {
      const file = join(folder, "key");
      await writeFile(file, "one\n");
      const environment = { HOME: folder, EDITOR: "ed", GONE: undefined, ANTHROPIC_API_KEY_FILE: file };
      const source = toSource({}, environment);
      expect(await prepareSource(source)).toMatchObject({
        kind: "api_key",
        processEnvironment: { ...environment, ANTHROPIC_API_KEY: "one" },
      });
      await writeFile(file, "two\n");
      expect((await prepareSource(source)).processEnvironment["ANTHROPIC_API_KEY"]).toBe("two");
      await rm(file);
      await expect(prepareSource(source)).rejects.toMatchObject({ code: "upstream_auth_unavailable" });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("has a helper's key where its settings say so, inline, as text or in a file (F)", async () => {
    const folder = await mkdtemp(join(tmpdir(), "ccapi-source-"));
    try {
      const settings = { apiKeyHelper: "cat key" };
      const file = join(folder, "settings.json");
      await writeFile(file, JSON.stringify(settings));
      for (const given of [settings, JSON.stringify(settings), file]) {
        const { kind } = await prepareSource(toSource({ settings: given, settingSources: [] }, { HOME: folder }));
        expect(kind).toBe("api_key_helper");
      }
      const { kind } = await prepareSource(toSource({ settings: join(folder, "none") }, { HOME: folder }));
      expect(kind).toBe("stored_login");
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
