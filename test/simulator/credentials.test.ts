// Credentials: let in, turned down in the API's words, changed while running; and never to be seen in what is kept.
import { expect, it } from "vitest";
import { type Rejection, startSimulator } from "../../src/simulator/index.ts";
import { createCredentialBook } from "../../src/simulator/credentials.ts";
import { ask, createClient, post, startPair } from "./clients.ts";

const key = (value: string) => ({ value, scheme: "api_key" as const });

it.each<[rejection: Rejection, status: number, type: string, message: string]>([
  [
    "expired",
    401,
    "authentication_error",
    "OAuth token has expired. Please obtain a new token or refresh your existing token.",
  ],
  ["oauth_expired", 401, "authentication_error", "OAuth access token has expired. Re-authenticate to continue."],
  ["invalid_api_key", 401, "authentication_error", "invalid x-api-key"],
  ["invalid_bearer", 401, "authentication_error", "Invalid bearer token"],
  ["revoked", 403, "permission_error", "OAuth token has been revoked. Please obtain a new token."],
  ["organization_disabled", 400, "invalid_request_error", "This organization has been disabled."],
  [
    "oauth_not_allowed",
    403,
    "permission_error",
    "OAuth authentication is currently not allowed for this organization.",
  ],
  ["not_found_credential", 401, "authentication_error", "Invalid authentication credentials"],
])("turns a credential down as %s with status %i (E1)", async (rejection, status, type, message) => {
  await using pair = await startPair();
  await pair.client.messages.create(ask("x"));
  pair.simulator.credentials.expire("made-up-key-0001", rejection);
  await expect(pair.client.messages.create(ask("x"))).rejects.toMatchObject({
    status,
    error: { type: "error", error: { type, message } },
  });
  pair.simulator.credentials.restore("made-up-key-0001");
  await pair.client.messages.create(ask("x"));
  expect(pair.simulator.requests.map(({ outcome }) => outcome)).toEqual(["answered", "rejected", "answered"]);
});

it("asks for a credential where there is none, and takes a bearer token as well as a key (E1)", async () => {
  await using simulator = await startSimulator();
  const send = async (headers: Record<string, string>) => {
    const response = await fetch(`${simulator.url}/v1/models`, { headers });
    return [response.status, JSON.stringify(await response.json())] as const;
  };
  for (const headers of [{}, { "x-api-key": " " }, { authorization: "Bearer " }, { authorization: "Basic abc" }]) {
    expect(await send(headers)).toEqual([401, expect.stringContaining("x-api-key header is required")]);
  }
  expect((await send({ authorization: "Bearer token-a" }))[0]).toBe(200);
  expect((await send({ "x-api-key": "key-a" }))[0]).toBe(200);
});

it("names the header in the wording for an unknown credential (E1)", async () => {
  await using simulator = await startSimulator({ credentials: [{ value: "good", name: "alice" }] });
  const error = async (headers: Record<string, string>) =>
    (await (await fetch(`${simulator.url}/v1/models`, { headers })).text()).match(/"message":"([^"]*)"/)?.[1];
  expect(await error({ "x-api-key": "bad" })).toBe("invalid x-api-key");
  expect(await error({ authorization: "Bearer bad" })).toBe("Invalid bearer token");
  expect(await error({ authorization: "Bearer good" })).toBeUndefined();
  expect(simulator.requests.map(({ credential }) => credential)).toEqual(["key-2", "key-2", "alice"]);
});

it("keeps to the window of a credential by the clock it is given (E1)", () => {
  let now = 1000;
  const book = createCredentialBook([{ value: "a", name: "a", validFromMs: 2000, validUntilMs: 3000 }], () => now);
  const good = () => book.admit(key("a")).error === null;
  expect(good()).toBe(false);
  expect(book.list()[0]?.state).toBe("not_yet_valid");
  now = 2000;
  expect(good()).toBe(true);
  now = 3000;
  expect(good()).toBe(false);
  expect(book.admit(key("a")).error?.message).toMatch(/has expired/);
  expect(book.list()[0]).toEqual({
    name: "a",
    state: "expired",
    rejection: null,
    validFromMs: 2000,
    validUntilMs: 3000,
    accepted: 1,
    rejected: 3,
  });
});

it("lets planned changes happen in their order, at their time (E1)", async () => {
  let now = 50_000;
  await using simulator = await startSimulator({
    clock: () => now,
    credentials: [{ value: "key-a" }],
    script: [
      { atMs: 2000, rotate: ["key-a", "key-b"] },
      { atMs: 1000, expire: "key-a", rejection: "oauth_expired" },
      { atMs: 3000, revoke: "key-b" },
      { atMs: 3000, restore: "key-b" },
    ],
  });
  const status = async (value: string) =>
    (await fetch(`${simulator.url}/v1/models`, { headers: { "x-api-key": value } })).status;
  expect([await status("key-a"), await status("key-b")]).toEqual([200, 401]);
  now += 1000;
  expect([await status("key-a"), await status("key-b")]).toEqual([401, 401]);
  now += 5000;
  expect([await status("key-a"), await status("key-b")]).toEqual([401, 200]);
});

it.each([
  [{}],
  [[{ atMs: 1 }]],
  [[{ atMs: -1, expire: "a" }]],
  [[{ expire: "a", revoke: "a" }]],
  [[{ rotate: "a" }]],
  [["x"]],
])("refuses the script %j with a TypeError (E1)", async (script) => {
  await expect(startSimulator({ script: script as never })).rejects.toThrow(TypeError);
});

it("keeps the order of changes that became due together (E1)", async () => {
  let now = 0;
  await using simulator = await startSimulator({
    clock: () => now,
    script: [
      { atMs: 2000, restore: "key-a" },
      { atMs: 1000, expire: "key-a" },
    ],
  });
  now = 9000;
  expect(simulator.credentials.list()).toMatchObject([{ name: "key-1", state: "valid" }]);
});

it("redacts every header that may hold a credential, short ones too (E1)", async () => {
  await using simulator = await startSimulator();
  await fetch(`${simulator.url}/v1/models`, {
    headers: { "x-api-key": "k1", authorization: "Bearer other", cookie: "c=3", "user-agent": "test" },
  });
  expect(simulator.requests[0]?.headers).toMatchObject({
    "x-api-key": "[redacted]",
    authorization: "[redacted]",
    cookie: "[redacted]",
    "user-agent": "test",
  });
});

it("accepts any credential until one is added, and only known ones from then on (E1)", () => {
  const book = createCredentialBook([], () => 0);
  const good = (value: string) => book.admit(key(value)).error === null;
  expect([good("x"), good("y")]).toEqual([true, true]);
  book.expire("x");
  expect([good("x"), good("y")]).toEqual([false, true]);
  book.add("z");
  expect([good("x"), good("y"), good("z")]).toEqual([false, false, true]);
});

it("gives the new value of a rotated credential its name (E1)", () => {
  const book = createCredentialBook([{ value: "old-value", name: "prod" }], () => 0);
  book.rotate("old-value", "new-value");
  expect(book.admit(key("new-value"))).toEqual({ name: "prod", error: null });
  expect(book.admit(key("old-value")).error?.message).toBe("invalid x-api-key");
  expect(JSON.stringify(book.list())).not.toContain("value-");
});

it("lists nothing against a value that a rotation made good, though it was revoked before (E1)", () => {
  const book = createCredentialBook([{ value: "old-value", name: "prod" }], () => 0);
  book.revoke("new-value");
  book.rotate("old-value", "new-value");
  expect(book.list().find(({ name }) => name === "prod")).toMatchObject({ state: "valid", rejection: null });
});

it("keeps no credential in records, lists or control answers, wherever it stood (E1)", async () => {
  const secret = "sk-ant-MARKED-SECRET-0001";
  await using simulator = await startSimulator();
  const client = createClient(simulator, secret);
  await client.messages.create(ask(`my key is ${secret}`));
  await fetch(`${simulator.url}/v1/models?key=${secret}`, {
    headers: { authorization: `Bearer ${secret}`, cookie: secret },
  });
  await post(simulator, `{"broken ${secret}`, { "x-api-key": secret, "x-other": `a ${secret} b` });
  simulator.credentials.expire(secret);
  await client.messages.create(ask(`again ${secret}`)).catch(() => {});
  await client.messages.create(ask(`no model ${secret}`)).catch(() => {});
  const kept = [
    JSON.stringify(simulator.requests),
    JSON.stringify(simulator.credentials.list()),
    await (await fetch(`${simulator.url}/_simulator/requests`)).text(),
    await (await fetch(`${simulator.url}/_simulator/state`)).text(),
  ].join();
  expect(simulator.requests).toHaveLength(5);
  expect(kept).toContain("[redacted]");
  expect(kept).not.toContain("MARKED-SECRET");
});
