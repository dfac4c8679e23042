// Which of several credentials the real CLI sends: src/claude/credential.ts foretells it from the same configuration.
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CredentialKind, credentialKind } from "../../src/claude/credential.ts";
import { openClaudeHouse } from "../helpers/claude.ts";

let server: Server;
let upstream: string;
let seen: IncomingHttpHeaders[] = [];

/** Turns every call down, and remembers what it came with. The simulator keeps no secrets; this test has to see them. */
beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url?.startsWith("/v1/messages")) seen.push(request.headers);
    request.resume();
    response.writeHead(400, { "content-type": "application/json" });
    response.end('{"type":"error","error":{"type":"invalid_request_error","message":"no"}}');
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  upstream = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

interface Source {
  readonly kind: CredentialKind;
  readonly environment?: Readonly<Record<string, string>>;
  readonly settings?: { readonly apiKeyHelper?: string; readonly env?: Record<string, string> };
  /** How it is sent where it is the one that is used. */
  readonly sent: Readonly<Record<string, string>>;
}

const token: Source = {
  kind: "auth_token",
  environment: { ANTHROPIC_AUTH_TOKEN: "test-token" },
  sent: { authorization: "Bearer test-token" },
};
const key: Source = {
  kind: "api_key",
  environment: { ANTHROPIC_API_KEY: "test-key" },
  sent: { "x-api-key": "test-key" },
};
const settingsKey: Source = {
  kind: "api_key",
  settings: { env: { ANTHROPIC_API_KEY: "test-settings" } },
  sent: { "x-api-key": "test-settings" },
};
const helper: Source = {
  kind: "api_key_helper",
  settings: { apiKeyHelper: "echo test-helper" },
  sent: { "x-api-key": "test-helper" },
};
const oauth: Source = {
  kind: "oauth_token",
  environment: { CLAUDE_CODE_OAUTH_TOKEN: "test-oauth" },
  sent: { authorization: "Bearer test-oauth" },
};

/** In each pair the first is the one that Claude Code uses. */
const pairs: readonly (readonly [Source, Source])[] = [
  [token, key],
  [token, helper],
  [token, oauth],
  [settingsKey, key],
  [key, helper],
  [key, oauth],
  [helper, oauth],
];

describe("of two credentials the CLI uses the one that we foretell", () => {
  it.each(pairs.map(([used, other]) => ({ used, other, names: `${used.kind} before ${other.kind}` })))(
    "$names (B5)",
    async ({ used, other }) => {
      const environment = { ...other.environment, ...used.environment };
      const settings = { ...other.settings, ...used.settings };
      expect(credentialKind(environment, settings)).toBe(used.kind);
      await using claude = await openClaudeHouse(upstream, { ".claude/settings.json": JSON.stringify(settings) });
      for (const profile of ["chat", "agent"] as const) {
        seen = [];
        const conversation = { kind: "none" } as const;
        await expect(claude.run("Hello", { turn: { profile }, environment, conversation })).rejects.toThrow();
        expect(seen[0]).toMatchObject(used.sent);
      }
    },
  );

  it("shows none of them on the command line, where everybody on the host could read it (C2)", async () => {
    const settings = JSON.stringify({ env: { ANTHROPIC_API_KEY: "test-marked-settings" } });
    await using claude = await openClaudeHouse(upstream, { ".claude/settings.json": settings });
    const lines: string[] = [];
    const look = () => {
      for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
        try {
          lines.push(readFileSync(`/proc/${pid}/cmdline`, "utf8"));
        } catch {
          // Gone meanwhile.
        }
      }
    };
    const watching = setInterval(look, 50);
    await expect(claude.run("Hello", { environment: { ANTHROPIC_AUTH_TOKEN: "test-marked-token" } })).rejects.toThrow();
    clearInterval(watching);
    expect(lines.some((line) => line.includes("stream-json"))).toBe(true);
    expect(lines.filter((line) => line.includes("test-marked"))).toEqual([]);
  });
});
