// The control endpoint: the handle's powers over HTTP, for programs on this machine and for nobody else.
import { request } from "node:http";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { ask, createClient, textOf } from "./clients.ts";

let simulator: Simulator;
let now = 1_000_000;
beforeAll(async () => void (simulator = await startSimulator({ clock: () => now })));
afterAll(() => simulator.close());
beforeEach(() => {
  simulator.setRules([]);
  simulator.clearFaults();
  simulator.clearRequests();
});

const control = async (name: string, body?: unknown) => {
  const response = await fetch(`${simulator.url}/_simulator/${name}`, {
    method: body === undefined ? "GET" : "POST",
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

const status = async (value: string) =>
  (await fetch(`${simulator.url}/v1/models`, { headers: { "x-api-key": value } })).status;

it("expires, restores, revokes and rotates a credential at once (E1)", async () => {
  await control("expire", { value: "c-1", rejection: "invalid_api_key" });
  expect(await status("c-1")).toBe(401);
  await control("restore", { value: "c-1" });
  expect(await status("c-1")).toBe(200);
  await control("revoke", { value: "c-1" });
  expect(await status("c-1")).toBe(403);
  await control("rotate", { value: "c-1", newValue: "c-2" });
  expect([await status("c-1"), await status("c-2")]).toEqual([401, 200]);
});

it("adds a credential, named and with a window (E1)", async () => {
  await using closed = await startSimulator({ credentials: [{ value: "first" }], clock: () => 5000 });
  const add = (body: object) =>
    fetch(`${closed.url}/_simulator/add`, { method: "POST", body: JSON.stringify(body) }).then((reply) => reply.json());
  await add({ value: "second", name: "bob" });
  await add({ value: "third", validUntilMs: 4000, rejection: "oauth_expired" });
  expect(closed.credentials.list()).toMatchObject([
    { name: "key-1", state: "valid" },
    { name: "bob", state: "valid" },
    { name: "key-3", state: "expired", rejection: "oauth_expired" },
  ]);
});

it("lets a change happen in so many milliseconds, or at a time after the start (E1)", async () => {
  await control("expire", { value: "t-1", inMs: 500 });
  expect(await status("t-1")).toBe(200);
  now += 500;
  expect(await status("t-1")).toBe(401);
  await control("restore", { value: "t-1", atMs: 10_000 });
  expect(await status("t-1")).toBe(401);
  now = 1_010_000;
  expect(await status("t-1")).toBe(200);
});

it("takes faults and rules as JSON, regular expressions too (E1)", async () => {
  const client = createClient(simulator, "r-1");
  await control("fail", { kind: "status", status: 529, times: 1 });
  await expect(client.messages.create(ask("x"))).rejects.toMatchObject({ status: 529 });
  await control("rules", {
    rules: [{ when: { regexp: "^h.llo", flags: "i" }, answer: [{ type: "text", text: "scripted" }] }],
  });
  expect(textOf(await client.messages.create(ask("HALLO you")))).toBe("scripted");
  await control("fail", { fault: { kind: "drop" } });
  await expect(client.messages.create(ask("x"))).rejects.toThrow();
  expect((await control("clear-faults", {})).body.faults).toEqual([]);
  expect(textOf(await client.messages.create(ask("hello")))).toBe("scripted");
});

it("shows state and requests, without control calls among them (E1)", async () => {
  await createClient(simulator, "s-1").messages.create(ask("marked prompt"));
  const { requests } = (await control("requests?limit=5")).body;
  expect(requests).toMatchObject([{ path: "/v1/messages", status: 200, outcome: "answered" }]);
  expect((await control("state")).body.requests).toEqual({ count: 1, outcomes: { answered: 1 } });
  await control("clear-requests", {});
  expect(simulator.requests).toEqual([]);
});

it.each<[name: string, body: unknown, status: number, error: string]>([
  ["expire", {}, 400, "value must be"],
  ["expire", { value: "a", rejection: "tired" }, 400, "rejection must be one of"],
  ["expire", { value: "a", inMs: "soon" }, 400, "inMs must be a number"],
  ["rotate", { value: "a" }, 400, "newValue must be"],
  ["fail", { kind: "status", status: 200 }, 400, "status must be a number from 400"],
  ["fail", { kind: "fire" }, 400, "kind must be"],
  ["fail", { kind: "stall", times: 0 }, 400, "times must be"],
  ["fail", { kind: "status", status: 500, headers: { "a b": "x" } }, 400, "headers must be"],
  ["rules", { rules: {} }, 400, "rules must be an array"],
  ["rules", { rules: [{ when: { regexp: "(" } }] }, 400, "rule 0: when:"],
  ["rules", { rules: [{ answer: [{ type: "image" }] }] }, 400, "answer block 0"],
  ["rules", { rules: [{ times: 0 }] }, 400, "times must be a whole number from 1 on"],
  ["rules", { rules: [{ usage: { input_tokens: "many" } }] }, 400, "usage must be an object of whole numbers"],
  ["rules", { rules: [{ tokens: 1.5 }] }, 400, "tokens must be a whole number"],
  ["explode", {}, 404, "POST knows"],
  ["expire", "text", 400, "no JSON object"],
])("refuses %s %j with %i and says why (E1)", async (name, body, code, error) => {
  const answer = await control(name, body);
  expect([answer.status, answer.body.error]).toEqual([code, expect.stringContaining(error)]);
});

it.each([{ origin: "http://evil.example" }, { host: "evil.example" }, { "sec-fetch-site": "cross-site" }])(
  "refuses a browser, which shows by %j (E1)",
  async (headers) => {
    const code = await new Promise((resolve, reject) => {
      request(`${simulator.url}/_simulator/state`, { headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on("error", reject)
        .end();
    });
    expect(code).toBe(403);
  },
);

it("is not there where it was switched off (E1)", async () => {
  await using closed = await startSimulator({ allowControl: false });
  expect((await fetch(`${closed.url}/_simulator/state`)).status).toBe(404);
});
