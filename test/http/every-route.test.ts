// What holds for every route of the document: keys in both places, a request's id, and the headers that clients retry by.
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { CcapiError, errorKinds, type ErrorCode } from "../../src/auth/errors.ts";
import type { ApiDocument } from "../../src/http/openapi.ts";
import { adminKey, hello, makeApp, scripted } from "../helpers/app.ts";

const app = makeApp();
const document = (await (await app.request("/openapi.json")).json()) as ApiDocument; // Ours; openapi.test.ts holds it against OpenAPI.
const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    method: method.toUpperCase(),
    path: path.replace("{id}", "x"),
    needsKey: JSON.stringify(operation.security?.[0]) !== "{}",
  })),
);

describe("every route", () => {
  it.each(routes)(
    "$method $path takes its key in either header, and answers with the request's id (B1, C1)",
    async (route) => {
      const ask = (headers: Record<string, string>) =>
        app.request(route.path, { method: route.method, headers: { authorization: "", ...headers } });
      const answers = [
        await ask({ authorization: `Bearer ${adminKey}` }),
        await ask({ "x-api-key": adminKey }),
        await ask({}),
        await ask({ "x-api-key": "wrong" }),
      ];
      for (const { headers } of answers) expect(headers.get("x-request-id")).toMatch(/^req_[0-9a-f]{32}$/);
      const [bearer, xApiKey, none, wrong] = answers.map(({ status }) => status);
      expect(xApiKey).toBe(bearer);
      expect(bearer).not.toBe(401);
      expect([none, wrong]).toEqual(route.needsKey ? [401, 401] : [bearer, bearer]);
    },
  );

  it.each(["/nowhere", "/v1/nowhere", "/health/nowhere", "/v1/models/no-such-model"])(
    "and none at all: %s answers with the request's id (B1)",
    async (path) => {
      for (const method of ["GET", "POST", "HEAD", "OPTIONS", "DELETE"]) {
        const { status, headers } = await app.request(path, { method });
        expect(status, method).toBeGreaterThanOrEqual(400);
        expect(headers.get("x-request-id"), method).toMatch(/^req_/);
      }
    },
  );
});

/** Asks with a client that would try once more; resolves to the times it asked and the headers that it goes by. */
async function asked(
  code: ErrorCode,
  details: { retryAfterMs?: number; shouldRetry?: boolean },
  api: "chat" | "messages",
) {
  const { request } = makeApp({ runTurn: scripted(hello.slice(0, 2), new CcapiError(code, "Made up.", details)) });
  let times = 0;
  const options = {
    apiKey: "client-key",
    maxRetries: 1,
    async fetch(url: string | URL | Request, init?: RequestInit) {
      times += 1;
      return request(new URL(url instanceof Request ? url.url : url).pathname, {
        method: "POST",
        ...(typeof init?.body === "string" ? { body: init.body } : {}),
        headers: { "content-type": "application/json" },
      });
    },
  };
  const messages = [{ role: "user" as const, content: "Hi" }];
  const failing =
    api === "chat"
      ? new OpenAI({ ...options, baseURL: "http://localhost/v1" }).chat.completions.create({
          model: "sonnet",
          messages,
        })
      : new Anthropic({ ...options, baseURL: "http://localhost" }).messages.create({
          model: "sonnet",
          messages,
          max_tokens: 9,
        });
  const error: unknown = await failing.catch((thrown: unknown) => thrown);
  if (!(error instanceof OpenAI.APIError || error instanceof Anthropic.APIError)) throw error;
  const told = (name: string) => error.headers?.get(name) ?? null;
  return { times, after: told("retry-after"), afterMs: told("retry-after-ms"), should: told("x-should-retry") };
}

describe.each(["chat", "messages"] as const)("a client of %s", (api) => {
  it.each([
    "upstream_rate_limited",
    "upstream_overloaded",
    "shutting_down",
    "queue_full",
    "rate_limit_exceeded",
  ] as const)("tries %s again after the time that it is told (B1, B9)", async (code) => {
    const expected = { times: 2, after: "1", afterMs: "5", should: null };
    expect(await asked(code, { retryAfterMs: 5 }, api)).toEqual(expected);
  });

  it("tries nothing again that only a person can mend (B1)", async () => {
    const expected = { times: 1, after: "1", afterMs: "5", should: "false" };
    expect(await asked("upstream_auth_unavailable", { retryAfterMs: 5, shouldRetry: false }, api)).toEqual(expected);
  });

  const notAgain = (Object.keys(errorKinds) as ErrorCode[]).filter((code) => {
    const { status } = errorKinds[code];
    return status >= 400 && status < 500 && ![408, 409, 429].includes(status);
  });
  it.each(notAgain)("does not try %s again (B1)", async (code) => {
    expect(await asked(code, {}, api)).toMatchObject({ times: 1, after: null });
  });
});
