// The dashboard's door and its paths, without a browser: who gets in, what a page from elsewhere can't do, how streams end.
import { describe, expect, it, vi } from "vitest";
import { CcapiError } from "../../src/auth/errors.ts";
import type { AppPorts } from "../../src/http/app.ts";
import { createHistory } from "../../src/observe/history.ts";
import { adminKey, clientKey, makeApp, status } from "../helpers/app.ts";
import { makeSession } from "../helpers/turns.ts";

const own = { host: "ccapi.example", origin: "http://ccapi.example", "x-ccapi-dashboard": "1" };
const json = { "content-type": "application/json" };
const connection = (remoteAddress: string) => ({ incoming: { socket: { remoteAddress } } });

function setUp(overrides: Partial<AppPorts> = {}) {
  const { app, logLines } = makeApp(overrides);
  const ask = async (method: string, path: string, headers: Record<string, string> = own, body?: unknown) =>
    app.request(
      path,
      {
        method,
        headers: { ...(body === undefined ? {} : json), ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      },
      connection("192.0.2.1"),
    );
  const logIn = (key: string, headers: Record<string, string> = own, address = "192.0.2.1") =>
    Promise.resolve(
      app.request(
        "/dashboard/login",
        { method: "POST", headers: { ...json, ...headers }, body: JSON.stringify({ key }) },
        connection(address),
      ),
    );
  const enter = async () => {
    const cookie = (await logIn(adminKey)).headers.get("set-cookie")?.split(";")[0] ?? "";
    return { ...own, cookie };
  };
  return { app, ask, logIn, enter, logLines };
}

const codeOf = async (response: Response) => ((await response.json()) as { error: { code: string } }).error.code;

describe("the page", () => {
  it("is open, lets nothing run but its own, and names no other server (B8, C1)", async () => {
    const { ask } = setUp();
    const page = await ask("GET", "/", {});
    expect(page.status).toBe(200);
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(page.headers.get("content-security-policy")).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    );
    const html = await page.text();
    expect(html).not.toMatch(/<script(?![^>]* src="dashboard\/files\/)|<style|\son[a-z]+=|\sstyle=/);
    expect(html.replace("http://www.w3.org/2000/svg", "").replace("http://www.w3.org/2000/svg", "")).not.toMatch(
      /https?:\/\//,
    );
    for (const [, path] of html.matchAll(/(?:src|href)="(dashboard\/[^"]+)"/g)) {
      expect((await ask("GET", `/${path}`, {})).status, path).toBe(200);
    }
  });

  it("answers HEAD without a key, for Claude Code", async () => {
    const { ask } = setUp();
    const { status: code } = await ask("HEAD", "/", {});
    expect(code).toBe(200);
  });

  it("is not sent again to who has it, and has no file that it does not name", async () => {
    const { ask } = setUp();
    const etag = (await ask("GET", "/dashboard/files/app.js", {})).headers.get("etag") ?? "";
    expect((await ask("GET", "/dashboard/files/app.js", { "if-none-match": etag })).status).toBe(304);
    for (const name of ["assets.ts", "..%2Fassets.ts", "%2e%2e%2fassets.ts", "constructor"]) {
      expect((await ask("GET", `/dashboard/files/${name}`, {})).status, name).toBe(404);
    }
  });
});

describe("the log-in", () => {
  it("takes an admin key for a cookie that no script and no other site can use (C1)", async () => {
    const { logIn } = setUp();
    const response = await logIn(adminKey);
    expect(response.status).toBe(204);
    const cookie = response.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/^ccapi_dashboard=[\w-]{43}; Path=\/dashboard; HttpOnly; SameSite=Strict$/);
    expect(cookie).not.toContain(adminKey);
    const byTls = await logIn(adminKey, { ...own, origin: "https://ccapi.example" });
    expect(byTls.headers.get("set-cookie")).toMatch(/; Secure/);
  });

  it("says to a client's key that it is none, and to a wrong one that it is wrong (C1)", async () => {
    const { logIn } = setUp();
    const client = await logIn(clientKey);
    expect([client.status, await codeOf(client)]).toEqual([403, "admin_key_required"]);
    expect(client.headers.get("set-cookie")).toBeNull();
    const wrong = await logIn("wrong");
    expect([wrong.status, await codeOf(wrong)]).toEqual([401, "invalid_api_key"]);
    expect((await logIn("")).status).toBe(400);
  });

  it("hears ten wrong keys of an address, then none; a client's key begins no new count (C4)", async () => {
    const { logIn } = setUp();
    for (let guess = 0; guess < 9; guess += 1) expect((await logIn(`guess-${guess}`)).status).toBe(401);
    expect((await logIn(clientKey)).status).toBe(403);
    const refused = await logIn(adminKey);
    expect([refused.status, await codeOf(refused)]).toEqual([429, "rate_limit_exceeded"]);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(60);
    expect((await logIn(adminKey, own, "192.0.2.2")).status).toBe(204);
  });

  it("takes a small body of JSON alone", async () => {
    const { ask } = setUp();
    expect(
      (await ask("POST", "/dashboard/login", { ...own, "content-type": "text/plain" }, { key: adminKey })).status,
    ).toBe(415);
    expect((await ask("POST", "/dashboard/login", own, { key: "x".repeat(5_000) })).status).toBe(413);
  });

  it.each(["/dashboard/login", "/dashboard/chat"])("calls what is no JSON by its name: %s", async (path) => {
    const { app, enter } = setUp();
    const response = await app.request(
      path,
      { method: "POST", headers: { ...json, ...(await enter()) }, body: "{" },
      connection("192.0.2.1"),
    );
    expect([response.status, await codeOf(response)]).toEqual([400, "invalid_json"]);
  });

  it("ends with a log-out, after 8 h without use, and after 24 h", async () => {
    let nowMs = 0;
    const { ask, enter } = setUp({ now: () => nowMs });
    const hour = 3_600_000;
    const first = await enter();
    expect((await ask("GET", "/dashboard/overview", first)).status).toBe(200);
    const out = await ask("POST", "/dashboard/logout", first);
    expect(out.headers.get("set-cookie")).toMatch(/^ccapi_dashboard=; Max-Age=0; Path=\/dashboard/);
    expect((await ask("GET", "/dashboard/overview", first)).status).toBe(401);
    const idle = await enter();
    nowMs += 8 * hour + 1;
    expect((await ask("GET", "/dashboard/overview", idle)).status).toBe(401);
    const busy = await enter();
    for (let count = 0; count < 3; count += 1) {
      nowMs += 7.9 * hour;
      expect((await ask("GET", "/dashboard/overview", busy)).status).toBe(200);
    }
    nowMs += hour;
    expect((await ask("GET", "/dashboard/overview", busy)).status).toBe(401);
  });
});

describe("who has not logged in", () => {
  it.each(["overview", "sessions", "events"])("sees nothing of %s, with an API key neither (C1)", async (path) => {
    const { ask } = setUp();
    for (const headers of [
      own,
      { ...own, authorization: `Bearer ${adminKey}` },
      { ...own, cookie: "ccapi_dashboard=x" },
    ]) {
      expect((await ask("GET", `/dashboard/${path}`, headers)).status).toBe(401);
    }
  });

  it.each([
    ["POST", "/dashboard/refresh"],
    ["POST", "/dashboard/chat"],
    ["DELETE", "/dashboard/sessions?client=client&id=s1"],
  ])("can't %s %s", async (method, path) => {
    const { ask } = setUp();
    expect((await ask(method, path)).status).toBe(401);
  });
});

describe("a page from elsewhere", () => {
  it.each([
    ["without the page's own header", { "x-ccapi-dashboard": undefined }],
    ["from another origin", { origin: "http://evil.example" }],
    ["from another port", { origin: "http://ccapi.example:81" }],
    ["from nowhere", { origin: "null" }],
    ["from another site, as the browser says", { "sec-fetch-site": "cross-site" }],
    ["from a neighbour of the site", { "sec-fetch-site": "same-site" }],
  ])("has nothing done: %s", async (_what, changed) => {
    const { ask, enter, logIn } = setUp();
    const all = { ...(await enter()), ...changed };
    const headers = Object.fromEntries(
      Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
    for (const [method, path] of [
      ["POST", "/dashboard/refresh"],
      ["POST", "/dashboard/logout"],
      ["POST", "/dashboard/chat"],
      ["DELETE", "/dashboard/sessions?client=client&id=s1"],
    ] as const) {
      const response = await ask(method, path, headers);
      expect([response.status, await codeOf(response)]).toEqual([403, "cross_origin_refused"]);
    }
    expect((await logIn(adminKey, headers)).status).toBe(403);
  });

  it("may not read either, where CORS is on for the API", async () => {
    const { ask, enter } = setUp({ corsOrigins: ["http://app.example"] });
    const seen = await ask("GET", "/dashboard/overview", { ...(await enter()), origin: "http://app.example" });
    expect(seen.headers.get("access-control-allow-credentials")).toBeNull();
  });
});

describe("the one who is logged in", () => {
  it("sees the state, the day, and no key or secret (B5, C2)", async () => {
    const { ask, enter } = setUp();
    const response = await ask("GET", "/dashboard/overview", await enter());
    expect(response.headers.get("cache-control")).toBe("no-store");
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({
      user: "admin",
      authentication: { state: "authenticated", isAuthenticated: true, credential: { kind: "api_key" } },
      models: expect.arrayContaining(["claude-code", "sonnet", "gpt-4o"]),
      states: [],
      minutes: { atMs: expect.any(Array) },
    });
    expect(text).not.toContain(adminKey);
  });

  it("has the credential renewed, and hears what happened as the API says it (B6)", async () => {
    const good = setUp();
    const done = await good.ask("POST", "/dashboard/refresh", await good.enter());
    expect(await done.json()).toMatchObject({ status: "refreshed", result: { message: "Refreshed." } });
    const limited = setUp({
      auth: {
        status: () => status,
        refresh: () => Promise.reject(new CcapiError("auth_refresh_limited", "Too soon.", { retryAfterMs: 5_000 })),
      },
    });
    const refused = await limited.ask("POST", "/dashboard/refresh", await limited.enter());
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "5"]);
  });

  it("sees every client's sessions, and ends one of whatever name", async () => {
    const ended: unknown[] = [];
    const { ask, enter } = setUp({
      allSessions: {
        overview: async () => [{ record: makeSession({ id: "..", clientName: "alice" }), process: "kept" }],
        delete: async ({ name }, id) => void ended.push([name, id]),
      },
    });
    const headers = await enter();
    const { sessions } = (await (await ask("GET", "/dashboard/sessions", headers)).json()) as { sessions: object[] };
    expect(sessions).toEqual([
      {
        client: "alice",
        id: "..",
        profile: "chat",
        model: "sonnet",
        turns: 1,
        costUsd: 0.5,
        createdAtMs: 1_000,
        lastUsedAtMs: 1_000,
        process: "kept",
      },
    ]);
    const query = new URLSearchParams({ client: "alice", id: ".." });
    expect((await ask("DELETE", `/dashboard/sessions?${query.toString()}`, headers)).status).toBe(204);
    expect(ended).toEqual([["alice", ".."]]);
  });

  it("tries a completion under the admin key's name", async () => {
    const { ask, enter, logLines } = setUp();
    const body = { model: "haiku", messages: [{ role: "user", content: "Hi" }], stream: true };
    const response = await ask("POST", "/dashboard/chat", await enter(), body);
    expect(await response.text()).toContain('"content":"Hel"');
    expect(logLines().at(-1)).toContain('"client":"admin"');
    expect((await ask("POST", "/dashboard/chat", await enter(), { model: "haiku" })).status).toBe(400);
  });
});

describe("the stream of events", () => {
  const makeHistory = () =>
    createHistory({
      gauges: { running: () => 0, queued: () => 0, processes: () => 0 },
      status: () => status,
      memory: async () => ({ serverBytes: 0, claudeBytes: 0 }),
      now: () => 5,
    });
  const change = (to: "authenticated" | "needs_login") =>
    ({ type: "state-change", from: "unknown", to, generation: 1, action: null }) as const;

  async function read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
    const { value } = await reader.read();
    return new TextDecoder().decode(value);
  }
  const readerOf = (response: Response) => {
    if (response.body === null) throw new Error("no body");
    return response.body.getReader();
  };

  it("begins with what was, goes on with what comes, and ends with the server", async () => {
    const history = makeHistory();
    const { ask, enter } = setUp({ history });
    history.onAuthEvent(change("needs_login"));
    const response = await ask("GET", "/dashboard/events", await enter());
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const reader = readerOf(response);
    expect(await read(reader)).toMatch(
      /^id: 5-1\nevent: backlog\ndata: {"isWhole":true,"entries":\[{"id":1,.*needs_login/,
    );
    history.onAuthEvent(change("authenticated"));
    expect(await read(reader)).toMatch(
      /^id: 5-2\nevent: entry\ndata: {"id":2,"atMs":5,"level":"info","type":"state-change"/,
    );
    history.close();
    expect((await reader.read()).done).toBe(true);
    const late = readerOf(await ask("GET", "/dashboard/events", await enter()));
    await read(late);
    expect((await late.read()).done).toBe(true);
  });

  it("goes on after the last one that a viewer got, unless the server was started anew", async () => {
    const history = makeHistory();
    const { ask, enter } = setUp({ history });
    history.onAuthEvent(change("needs_login"));
    history.onAuthEvent(change("authenticated"));
    const headers = await enter();
    const going = await ask("GET", "/dashboard/events", { ...headers, "last-event-id": "5-1" });
    expect(await read(readerOf(going))).toMatch(/{"isWhole":false,"entries":\[{"id":2/);
    const upToDate = await ask("GET", "/dashboard/events", { ...headers, "last-event-id": "5-2" });
    expect(await read(readerOf(upToDate))).toMatch(/^id: 5-2\nevent: backlog\ndata: {"isWhole":false,"entries":\[\]}/);
    for (const id of ["4-1", "5-x", "x", ""]) {
      const anew = await ask("GET", "/dashboard/events", { ...headers, "last-event-id": id });
      expect(await read(readerOf(anew))).toMatch(/{"isWhole":true,"entries":\[{"id":1/);
    }
  });

  it("ends with the log-out", async () => {
    const history = makeHistory();
    const { ask, enter } = setUp({ history });
    const headers = await enter();
    const reader = readerOf(await ask("GET", "/dashboard/events", headers));
    await read(reader);
    await ask("POST", "/dashboard/logout", headers);
    expect((await reader.read()).done).toBe(true);
  });

  it("ends with the seat, 24 h after the log-in, although it is watched", async () => {
    vi.useFakeTimers();
    try {
      let nowMs = 0;
      const { ask, enter } = setUp({ history: makeHistory(), now: () => nowMs });
      const reader = readerOf(await ask("GET", "/dashboard/events", await enter()));
      await read(reader);
      for (let hours = 7; hours <= 21; hours += 7) {
        nowMs = hours * 3_600_000;
        await vi.advanceTimersByTimeAsync(15_000);
        expect(await read(reader)).toBe(": keep-alive\n\n");
      }
      nowMs = 24 * 3_600_000 + 1;
      await vi.advanceTimersByTimeAsync(15_000);
      expect((await reader.read()).done).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });

  it("lets go of a viewer who does not read, and of nobody else", async () => {
    const history = makeHistory();
    const { ask, enter } = setUp({ history });
    const headers = await enter();
    const slow = readerOf(await ask("GET", "/dashboard/events", headers));
    const brisk = readerOf(await ask("GET", "/dashboard/events", headers));
    await read(brisk);
    for (let count = 0; count < 1_000; count += 1) {
      history.onAuthEvent(change("authenticated"));
      await read(brisk);
    }
    let frames = 0;
    while (!(await slow.read()).done) frames += 1;
    expect(frames).toBe(500);
  });

  it("has twenty viewers, not more, and a place again when one has gone", async () => {
    const { ask, enter } = setUp({ history: makeHistory() });
    const headers = await enter();
    const viewers = [];
    for (let count = 0; count < 20; count += 1) viewers.push(await ask("GET", "/dashboard/events", headers));
    expect((await ask("GET", "/dashboard/events", headers)).status).toBe(429);
    await viewers[0]?.body?.cancel();
    expect((await ask("GET", "/dashboard/events", headers)).status).toBe(200);
  });
});
