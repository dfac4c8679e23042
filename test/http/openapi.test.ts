// The OpenAPI document: valid, complete, true to the answers, and shown by a page on which nothing can run.
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { answerSchemas } from "../../src/http/answer-schemas.ts";
import type { ApiDocument } from "../../src/http/openapi.ts";
import { adminKey, makeApp, status } from "../helpers/app.ts";
import { makeSession } from "../helpers/turns.ts";

const stranger = { headers: { authorization: "" } };
const session = makeSession({ id: "s1" });
const app = makeApp({
  sessions: { list: async () => [session], get: async () => session, delete: async () => undefined },
});
const load = async () => (await (await app.request("/openapi.json", stranger)).json()) as ApiDocument; // Held against OpenAPI below.

describe("/openapi.json", () => {
  it("is a valid OpenAPI 3.1 document, open to whoever reaches the server (B8)", async () => {
    const document = await load();
    expect(document.openapi).toBe("3.1.0");
    expect(await new Validator().validate({ ...document })).toEqual({ valid: true });
    const broken = { ...document, paths: { "/x": { get: { responses: { 200: {} } } } } };
    expect(await new Validator().validate(broken)).toMatchObject({ valid: false });
  });

  it("names every operation with its key, its answers in JSON and its errors (B8)", async () => {
    const { paths } = await load();
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, operation })),
    );
    const names = operations.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["post /v1/chat/completions", "get /health", "get /openapi.json"]));
    expect(Object.keys(answerSchemas).filter((name) => !names.includes(name))).toEqual([]);
    const open = operations.filter(({ operation }) => JSON.stringify(operation.security?.[0]) === "{}");
    expect(open.map(({ name }) => name).toSorted()).toEqual([
      "get /docs",
      "get /health",
      "get /health/live",
      "get /health/ready",
      "get /openapi.json",
    ]);
    for (const { name, operation } of operations) {
      expect(operation.summary, name).toBeTruthy();
      expect(operation.responses["default"]?.content, name).toHaveProperty("application/json");
    }
    const headers = paths["/v1/chat/completions"]?.["post"]?.parameters?.map(({ name }) => name);
    expect(headers).toEqual(["X-Session-Id", "Idempotency-Key"]);
  });

  it.each([
    ["get", "/openapi.json", {}, 200],
    ["get", "/health", {}, 200],
    ["get", "/health", stranger, 200],
    ["get", "/health/live", {}, 200],
    ["get", "/health/ready", {}, 200],
    ["get", "/health/auth", {}, 200],
    ["post", "/health/auth/refresh", { headers: { authorization: `Bearer ${adminKey}` } }, 200],
    ["get", "/v1/models", {}, 200],
    ["get", "/v1/models/{id}", {}, 200],
    ["get", "/v1/sessions", {}, 200],
    ["get", "/v1/sessions/{id}", {}, 200],
    ["delete", "/v1/sessions/{id}", {}, 200],
    ["post", "/v1/chat/completions", {}, 200],
    ["post", "/v1/responses", {}, 200],
    ["post", "/v1/messages", {}, 200],
    ["post", "/v1/messages/count_tokens", {}, 200],
    ["get", "/v1/models", stranger, "default"],
    ["post", "/v1/messages", stranger, "default"],
  ] as const)("is true to the answer of %s %s, case %$ (B8)", async (method, path, init, answer) => {
    const operation = (await load()).paths[path]?.[method];
    const example = operation?.requestBody?.content["application/json"]?.example;
    const response = await app.request(path.replace("{id}", path.includes("models") ? "sonnet" : "s1"), {
      ...init,
      method: method.toUpperCase(),
      ...(example === undefined ? {} : { body: JSON.stringify(example) }),
      headers: { "content-type": "application/json", ...("headers" in init ? init.headers : {}) },
    });
    if (answer === 200) expect(response.status).toBe(200);
    else expect(response.status).toBeGreaterThanOrEqual(400);
    const schema = operation?.responses[answer]?.content?.["application/json"]?.schema;
    expect(schema).toBeTypeOf("object");
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema as object); // So it is, by the line above.
    const body: unknown = await response.json();
    expect(validate(body), JSON.stringify([validate.errors, body])).toBe(true);
  });

  it("has no schema that anything fits (B8)", async () => {
    const schema = (await load()).paths["/health"]?.["get"]?.responses["200"]?.content?.["application/json"]?.schema;
    const validate = new Ajv2020({ strict: false }).compile(schema as object); // The one of the table.
    expect(validate({ status: "healthy" })).toBe(false);
    expect(status.isAuthenticated).toBe(true);
  });
});

describe("/docs", () => {
  it("shows every operation, runs nothing and loads nothing (B8)", async () => {
    const response = await app.request("/docs", stranger);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const policy = response.headers.get("content-security-policy");
    expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/=]+';/);
    const page = await response.text();
    expect(page).not.toMatch(/<script|<link|<img|@import|url\(|https?:|\son\w+=|\sstyle=/i);
    for (const path of Object.keys((await load()).paths)) expect(page).toContain(`${path}</code>`);
    expect(page).toContain("color-scheme:light dark");
  });
});
