// `ccapi status` and `ccapi refresh` on answers of every kind, its own and others'.
import { describe, expect, it } from "vitest";
import { type Remote, type Reply } from "../../src/cli/remote.ts";
import { refresh, status } from "../../src/cli/status.ts";

const authentication = {
  lastRefresh: null,
  refreshCount: 1,
  consecutiveFailures: 1,
  state: "cooling_down",
  since: "2026-01-02T03:04:05Z",
  evidence: null,
  credential: { kind: "api_key", expiresAt: null },
  nextAttemptAt: null,
  action: null,
};

/** A server that gives this answer to everything. */
function remoteOf(code: number, text: string, isComplete = true): Remote {
  const json: unknown = text.startsWith("{") && isComplete ? JSON.parse(text) : undefined;
  const answer = async (): Promise<Reply> => ({ status: code, text, isComplete, json, durationMs: 1 });
  return { url: "http://server.example", get: answer, post: answer };
}

function screen() {
  const out: string[] = [];
  const errors: string[] = [];
  return { out, errors, line: (text: string) => void out.push(text), error: (text: string) => void errors.push(text) };
}

describe.each([
  ["status", status],
  ["refresh", refresh],
])("ccapi %s", (_name, command) => {
  it.each([
    ["a page", "<html>It works!</html>"],
    ["JSON of another program", '{"status":"ok"}'],
  ])("says in one line that %s is not this server's answer (E3)", async (_what, text) => {
    const shown = screen();
    expect(await command(remoteOf(200, text), { json: true }, shown)).toBe(1);
    expect([shown.out, shown.errors]).toEqual([[], ["HTTP 200: the answer is not this server's"]]);
  });

  it("says that an answer was cut off (E3)", async () => {
    const shown = screen();
    expect(await command(remoteOf(200, '{"status":', false), { json: true }, shown)).toBe(1);
    expect(shown.errors).toEqual(["HTTP 200: the answer was cut off"]);
  });

  it("says why it was refused, and where a key goes (E3, C1)", async () => {
    const shown = screen();
    expect(await command(remoteOf(401, '{"error":{"message":"No API key."}}'), { json: true }, shown)).toBe(1);
    expect(shown.errors).toEqual(["HTTP 401: No API key. Give it with --key, or in CCAPI_KEY."]);
  });
});

describe("ccapi refresh", () => {
  it("says why a refresh was not tried (B6, E3)", async () => {
    const shown = screen();
    const error = { message: "The last refresh failed 3 s ago.", code: "auth_refresh_limited" };
    const body = JSON.stringify({ status: "limited", error, authentication });
    expect(await refresh(remoteOf(429, body), { json: false }, shown)).toBe(1);
    expect(shown.out).toContain("result        The last refresh failed 3 s ago.");
    expect(shown.out).toContain("status        limited");
  });
});
