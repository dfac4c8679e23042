// Whatever comes in, what goes out is an answer or a 4xx in the envelope: never a 500, never a crash.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeApp } from "../helpers/app.ts";

const valid = { model: "sonnet", messages: [{ role: "user", content: "Hi" }] };
const anything = fc.anything({ withNullPrototype: false, maxDepth: 4 });
const almostValid = fc
  .record(
    {
      model: fc.oneof(fc.constantFrom("sonnet", "claude-code", "gpt-4o"), anything),
      messages: fc.oneof(
        fc.array(
          fc.record(
            {
              role: fc.oneof(fc.constantFrom("user", "system", "developer", "assistant", "tool"), anything),
              content: fc.oneof(fc.string(), anything),
            },
            { requiredKeys: [] },
          ),
        ),
        anything,
      ),
      stream: fc.oneof(fc.boolean(), anything),
      stop: anything,
      temperature: fc.oneof(fc.double(), anything),
      max_tokens: anything,
      reasoning_effort: anything,
      session_id: fc.oneof(fc.string(), anything),
      tools: anything,
      response_format: anything,
      n: anything,
      stream_options: anything,
    },
    { requiredKeys: [] },
  )
  .map(
    (body) => JSON.stringify(body, (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value)) ?? "",
  );

const bodies = fc.oneof(
  almostValid,
  fc.string({ unit: "binary" }),
  fc.json(),
  fc.integer({ min: 1, max: 3_000 }).map((depth) => `${"[".repeat(depth)}${"]".repeat(depth)}`),
  fc.integer({ min: 1, max: 60 }).map((cut) => JSON.stringify(valid).slice(0, cut)),
  fc.dictionary(fc.string(), anything).map((extra) => {
    try {
      return JSON.stringify({ ...valid, ...extra });
    } catch {
      return "";
    }
  }),
);
const headerValue = fc.string({
  unit: fc.constantFrom(...Array.from(" !#$%&'*+-.^_`|~:;,/?@()<>[]{}=\"\\abcXYZ019")),
  maxLength: 200,
});
const headers = fc.record(
  {
    "x-session-id": headerValue,
    "x-request-id": headerValue,
    "content-type": fc.oneof(fc.constant("application/json"), headerValue),
    "content-length": fc.nat().map(String),
    "x-openwebui-user-id": headerValue,
    accept: headerValue,
  },
  { requiredKeys: [] },
);

describe("10,000 malformed requests", () => {
  it("get an answer or an error of theirs, never a 500 (B1, C4)", async () => {
    const app = makeApp();
    await fc.assert(
      fc.asyncProperty(bodies, headers, async (body, extra) => {
        const response = await app.post(body, { headers: extra });
        const text = await response.text();
        expect(response.status, text).toBeLessThan(500);
        if (response.status >= 400) {
          const { error } = JSON.parse(text) as { error: { message: string; code: string; type: string } };
          expect(error.message.length).toBeGreaterThan(0);
          expect(error.code).toMatch(/^[a-z_]+$/);
        }
      }),
      { numRuns: 10_000 },
    );
    expect(app.logLines().join("")).not.toContain("Unforeseen");
  }, 120_000);

  it("at any path and with any method get no 500 either (C4)", async () => {
    const app = makeApp();
    const method = fc.constantFrom("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD");
    const path = fc.oneof(
      fc.webPath(),
      fc.string().map((text) => `/v1/models/${encodeURIComponent(text)}`),
      fc.string().map((text) => `/v1/sessions/${encodeURIComponent(text)}`),
      fc.string({ unit: fc.constantFrom("%", "2", "F", ".", "/", "\\", "a") }).map((text) => `/v1/models/${text}`),
    );
    await fc.assert(
      fc.asyncProperty(method, path, async (name, where) => {
        const response = await app.request(where, { method: name });
        expect(response.status).toBeLessThan(500);
      }),
      { numRuns: 500 },
    );
  });
});
