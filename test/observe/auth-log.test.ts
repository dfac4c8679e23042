// The log messages of the refresh system: those that are API, word for word, and each transition once.
import { describe, expect, it } from "vitest";
import { authLogger } from "../../src/observe/auth-log.ts";
import { settle } from "../auth/fake-clock.ts";
import { request } from "../auth/request.ts";
import { createWorld, type World } from "../auth/world.ts";

function loggingWorld(): { readonly world: World; readonly lines: string[]; readonly records: string[] } {
  const lines: string[] = [];
  const records: string[] = [];
  const at = (level: string) => (fields: object, message: string) => {
    lines.push(`${level} ${message}`);
    records.push(JSON.stringify({ ...fields, message }));
  };
  const log = { debug: at("DEBUG"), info: at("INFO"), warn: at("WARN"), error: at("ERROR") };
  return { world: createWorld({ onEvent: authLogger(log), policy: { cooldownJitter: 0 } }), lines, records };
}

const loud = (lines: readonly string[]) => lines.filter((line) => !line.startsWith("DEBUG"));

describe("the log of a recovery", () => {
  it("is these lines, word for word (D)", async () => {
    const { world, lines } = loggingWorld();
    await settle();
    world.accepted.clear();
    const answer = request(world, { name: "processRequest for session abc123", retries: true });
    await world.clock.advance(750);
    world.accepted.add(world.material);
    await world.clock.advance(5_000);
    await answer;
    expect(loud(lines)).toEqual([
      "WARN Authentication failure in processRequest for session abc123 (source: api_retry, verdict: auth_refreshable, rule: sdk-authentication-failed)",
      "INFO Authentication state: unknown -> checking",
      "WARN Authentication failure in processRequest for session abc123 (source: api_retry, verdict: auth_refreshable, rule: sdk-authentication-failed)",
      "INFO Authentication state: checking -> refreshing",
      "INFO Authentication error detected in processRequest for session abc123, attempting refresh",
      "WARN Retry decision for processRequest for session abc123: wait",
      "INFO Authentication refresh started (trigger: request)",
      "INFO Authentication refreshed, retrying processRequest for session abc123",
      "INFO Authentication state: refreshing -> authenticated",
      "INFO Authentication recovered after 700 ms",
      "INFO Claude Code authentication refresh successful (refreshCount: 1, timeTaken: 100ms)",
    ]);
    await world.close();
  });
});

describe("the log of a single failure", () => {
  it("claims no refresh where the request is only tried once more (D)", async () => {
    const { world, lines } = loggingWorld();
    await settle();
    world.accepted.clear();
    const answer = request(world);
    await settle();
    world.clock.setTimer(() => world.accepted.add(world.material), 150);
    await world.clock.advance(1_000);
    await answer;
    expect(lines).toContain("INFO Trying processRequest for request req_1 once more: one sign is no proof");
    expect(lines.filter((line) => /(?<!auth_)refresh/.test(line))).toEqual([]);
    await world.close();
  });
});

describe("the log of a death", () => {
  it("tells of each failed refresh and of the lock-out once, whatever the number of requests (D)", async () => {
    const { world, lines } = loggingWorld();
    await settle();
    world.accepted.clear();
    const answers = Array.from({ length: 20 }, () => request(world).catch(() => undefined));
    await world.clock.advance(100_000);
    await Promise.all(answers);
    for (let tries = 0; tries < 20; tries += 1) await world.manager.admit({ operation: "x" }).catch(() => undefined);
    const count = (pattern: RegExp) => lines.filter((line) => pattern.test(line)).length;
    expect(
      count(/^WARN Too many consecutive auth failures, not retrying \(consecutiveFailures: 3, maxAllowed: 3\)$/),
    ).toBe(1);
    expect(
      count(/^ERROR Authentication locked out, requests fail at once until it is mended: rotate ANTHROPIC_AUTH_TOKEN$/),
    ).toBe(1);
    expect(
      count(/^ERROR Authentication refresh failed \(refreshCount: \d, timeTaken: \d+ms\): It was rejected\.$/),
    ).toBe(3);
    expect(count(/^INFO Authentication error detected in .*, attempting refresh$/)).toBe(1);
    expect(count(/^DEBUG Next refresh held back for 30000 ms$/)).toBe(2);
    expect(count(/^DEBUG Test query: rejected$/)).toBeGreaterThan(0);
    await world.close();
  });

  it("holds no material of the credential (C2, D)", async () => {
    const { world, records } = loggingWorld();
    await settle();
    world.material = "sk-ant-marked-0123456789";
    world.touch();
    await settle();
    world.accepted.clear();
    const answer = request(world).catch(() => undefined);
    await world.clock.advance(100_000);
    await answer;
    expect(records.length).toBeGreaterThan(10);
    expect(records.join("\n")).not.toContain("marked");
    await world.close();
  });
});
