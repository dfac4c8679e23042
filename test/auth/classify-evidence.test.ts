import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { classify } from "../../src/auth/classify.ts";
import { gather, maxTextLength, normalise } from "../../src/auth/evidence.ts";
import type { Signal } from "../../src/auth/signal.ts";

const verdictOf = (signal: Signal) => classify(signal).verdict;
const body = { type: "error", error: { type: "authentication_error", message: "OAuth token has expired" } };

describe("evidence in an error", () => {
  it.each<[string, unknown]>([
    ["the SDK's own error", Object.assign(new Error("request failed"), { status: 401, error: body })],
    [
      "a cause of a cause",
      new Error("outer", {
        cause: new Error("middle", { cause: Object.assign(new Error("inner"), { statusCode: 401 }) }),
      }),
    ],
    [
      "one of several errors",
      new AggregateError([
        new Error("first"),
        Object.assign(new Error("second"), { response: { status: 401, data: body } }),
      ]),
    ],
    [
      "JSON quoted twice in a message",
      { error: { message: `Error from provider: ${JSON.stringify(JSON.stringify(body))}` } },
    ],
    [
      "AWS's metadata",
      Object.assign(new Error("UnrecognizedClientException: The security token included in the request is invalid."), {
        $metadata: { httpStatusCode: 403 },
      }),
    ],
    [
      "bytes that a process wrote",
      Object.assign(new Error("exit 1"), { stderr: Buffer.from("API Error: 401 token expired") }),
    ],
    ["a bare string", "Not logged in · Please run /login"],
    ["a status in a string field", { statusCode: "401", message: "no" }],
    ["a gateway's nested metadata", { error: { code: 500, metadata: { raw: JSON.stringify(body) } } }],
  ])("is found in %s (A1)", (_where, error) => {
    expect(verdictOf({ source: "exception", error })).not.toBe("not_auth");
  });

  it.each<[string, unknown]>([
    [
      "a file that may not be opened",
      Object.assign(new Error("EACCES: permission denied, open 'x'"), { code: "EACCES" }),
    ],
    ["a connection that broke", Object.assign(new TypeError("fetch failed"), { cause: { code: "ECONNRESET" } })],
    ["nothing", undefined],
    ["an overload", { status: 529, error: { type: "error", error: { type: "overloaded_error" } } }],
  ])("is none in %s (A1)", (_what, error) => {
    expect(verdictOf({ source: "exception", error })).toBe("not_auth");
  });

  it("of the outermost error is not crowded out by what it wraps (A1)", () => {
    const message = `${"x".repeat(4_500)} OAuth token revoked ${"x".repeat(2_000)}`;
    expect(verdictOf({ source: "exception", error: { message, data: { body: "y".repeat(50_000) } } })).toBe(
      "auth_permanent",
    );
  });
});

describe("an error made to harm", () => {
  const thrower = () => {
    throw new Error("no");
  };
  const loop: { cause?: unknown } = {};
  loop.cause = loop;
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();

  it.each<[string, unknown]>([
    [
      "a proxy that refuses everything",
      new Proxy({}, { get: thrower, has: thrower, getPrototypeOf: thrower, ownKeys: thrower }),
    ],
    ["a revoked proxy", revoked.proxy],
    ["an object without a prototype", Object.create(null)],
    ["a getter that throws", Object.defineProperty({}, "message", { get: thrower })],
    ["a circle", loop],
  ])("does none: %s (A1)", (_what, error) => {
    expect(verdictOf({ source: "exception", error })).toBe("not_auth");
    expect(gather(error).text).toBe("");
  });

  it("never makes it throw, whatever it is (A1)", () => {
    fc.assert(
      fc.property(fc.anything(), fc.string({ unit: "binary" }), fc.integer(), (error, words, status) => {
        expect(verdictOf({ source: "exception", error })).toMatch(/auth/);
        expect(verdictOf({ source: "text", text: words, status })).toMatch(/auth/);
        expect(verdictOf({ source: "http", status, body: words })).toMatch(/auth/);
        expect(verdictOf({ source: "stderr", text: words })).toMatch(/auth/);
        expect(verdictOf(error as Signal)).toMatch(/auth/); // Misuse.
      }),
    );
  });

  it("costs a bounded number of looks, however deep, wide or endless it is (A1)", () => {
    let looks = 0;
    const endless = (): object =>
      new Proxy(
        {},
        {
          get: () => {
            looks += 1;
            return looks % 3 === 0 ? Array.from({ length: 1_000 }, endless) : endless();
          },
        },
      );
    verdictOf({ source: "exception", error: endless() });
    expect(looks).toBeLessThan(20_000);
  });

  it("is looked at once, however often it is met (A1)", () => {
    let looks = 0;
    const shared: object = new Proxy(
      {},
      {
        get: () => {
          looks += 1;
          return shared;
        },
      },
    );
    verdictOf({ source: "exception", error: { cause: shared, error: shared, errors: [shared, shared] } });
    expect(looks).toBeLessThan(100);
  });

  it("is looked at over a bounded length, at its beginning and at its end (A1)", () => {
    const long = "token key credential session refresh invalid organization ".repeat(100_000);
    expect(normalise(long).length).toBeLessThanOrEqual(maxTextLength + 3);
    expect(gather({ message: long, data: { body: long, stderr: long } }).text.length).toBeLessThanOrEqual(
      maxTextLength + 3,
    );
    const filling = "x ".repeat(100_000);
    expect(verdictOf({ source: "text", status: 401, text: `${filling} OAuth token revoked` })).toBe("auth_permanent");
    expect(verdictOf({ source: "text", status: 401, text: `OAuth token revoked ${filling}` })).toBe("auth_permanent");
  });
});
