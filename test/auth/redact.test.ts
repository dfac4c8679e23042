// What the mask hides, and what it leaves readable. No secret here is a real one.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { redact } from "../../src/auth/redact.ts";

const long = "Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2RlZmdoaWo";

describe("the mask", () => {
  it.each([
    "sk-ant-api03-abcdefghijklmnop",
    "sk-ant-oat01-abcdefghijklmnop",
    "ghp_abcdefghijklmnopqrst",
    "AKIAIOSFODNN7EXAMPLE",
    "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.c2lnbmF0dXJl",
    long,
  ])("hides %s, wherever it stands (C2)", (secret) => {
    for (const text of [
      secret,
      `x ${secret} y`,
      `{"key":"${secret}"}`,
      `key=${secret}&a=b`,
      `Authorization: Bearer ${secret}`,
    ]) {
      expect(redact(text)).not.toContain(secret);
      expect(redact(text)).toContain("[redacted]");
    }
  });

  it.each([
    ["password=hunter2!", "password=[redacted]"],
    ['{"apiKey": "short1"}', '{"apiKey": "[redacted]"}'],
    ["X-Api-Key: abcd1234", "X-Api-Key: [redacted]"],
    ["https://me:secret@example.com/x", "https://[redacted]@example.com/x"],
    ["Bearer abcdef", "Bearer [redacted]"],
    // Put together here, for no file of this repository may look as if it held one.
    [["-----BEGIN ", "KEY-----\nabc\n-----END ", "KEY-----"].join("PRIVATE "), "[redacted]"],
  ])("turns %j into %j (C2)", (text, masked) => {
    expect(redact(text)).toBe(masked);
  });

  it.each([
    "not found: there is no such program",
    "exit code 127",
    "HTTP 503 of https://vault.example.com/v1/secret/data/claude",
    "request 3f2b8c1e-9d4a-4b7e-8f60-1a2b3c4d5e6f took 1200 ms",
    "/var/lib/ccapi/workspaces/alice/projects/2025-08-24T03-53-28Z",
    "upstream_auth_unavailable",
  ])("leaves %j as it is", (text) => {
    expect(redact(text)).toBe(text);
  });

  it("is quick on any text, and changes nothing when done twice", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 400 }), (text) => {
        const once = redact(text);
        expect(redact(once)).toBe(once);
      }),
    );
    const beganAt = performance.now();
    redact("a1".repeat(50_000));
    redact("token ".repeat(20_000));
    expect(performance.now() - beganAt).toBeLessThan(1_000);
  });
});
