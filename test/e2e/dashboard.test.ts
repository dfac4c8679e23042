// The dashboard in a real browser, on a real server with the real Claude CLI: what an operator sees and does.
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import axe from "axe-core";
import type { Browser, BrowserContext, Page, Route } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { countCalls } from "../helpers/auth.ts";
import { hasBrowser, launchBrowser } from "../helpers/browser.ts";
import { adminKey, chat, clientKey, makeHome, startServer, type TestServer, until } from "../helpers/server.ts";

const good = "sk-ant-test-good-0001";
const next = "sk-ant-test-next-0002";
const patience = { timeout: 60_000 };

describe.skipIf(!hasBrowser)("the dashboard in a browser", { timeout: 240_000 }, () => {
  let browser: Browser;
  let simulator: Simulator;
  let server: TestServer;
  let context: BrowserContext;
  let page: Page;
  let elsewhere: string[];
  let faults: string[];
  let home: string;
  beforeAll(async () => {
    browser = await launchBrowser();
  }, 90_000);
  afterAll(() => browser.close());
  beforeEach(async () => {
    simulator = await startSimulator({
      credentials: [
        { value: good, name: "good" },
        { value: next, name: "next" },
      ],
    });
    home = await makeHome({ key: good });
    server = await startServer({
      upstream: simulator.url,
      home,
      environment: {
        ANTHROPIC_API_KEY: undefined,
        ANTHROPIC_API_KEY_FILE: join(home, "key"),
        CCAPI_POOL_IDLE_MS: "120000",
        // A page that watches holds up no end: one that waited for it would outlast every test.
        CCAPI_SHUTDOWN_TIMEOUT_MS: "3600000",
      },
    });
    await open();
  }, 90_000);
  afterEach(async () => {
    await context.close();
    await server.stop();
    await simulator.close();
    await rm(home, { recursive: true, force: true, maxRetries: 3 });
  });

  async function open(options: Parameters<Browser["newContext"]>[0] = {}): Promise<void> {
    elsewhere = [];
    faults = [];
    context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce", ...options });
    context.setDefaultTimeout(60_000);
    context.on("request", (request) => {
      if (!request.url().startsWith(`${server.url}/`) && !request.url().startsWith("data:"))
        elsewhere.push(request.url());
    });
    page = await context.newPage();
    page.on("pageerror", (error) => faults.push(error.message));
    // Chromium itself tells of answers of 401 and the like; what the page's policy refuses is of our making.
    page.on("console", (message) => message.text().includes("Content Security Policy") && faults.push(message.text()));
    await page.goto(server.url);
  }

  async function enter(): Promise<void> {
    await page.getByLabel("Admin key").fill(adminKey);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("live", { exact: true }).waitFor();
  }
  const heading = (name: string) => page.getByRole("heading", { name, exact: true }).waitFor(patience);
  const ask = (text: string, headers: Record<string, string> = {}) =>
    server.post("/v1/chat/completions", chat(text), { headers });

  it("opens to an admin key alone, and keeps it nowhere (B8, C1, C2)", async () => {
    await page.getByLabel("Admin key").fill(clientKey);
    await page.getByLabel("Admin key").press("Enter");
    await page.getByText("This is a client's key.").waitFor();
    await page.getByLabel("Admin key").fill("wrong");
    await page.getByLabel("Admin key").press("Enter");
    await page.getByText("This key is not one of this server's.").waitFor();
    await enter();
    await heading("Not known yet");
    const kept = await page.evaluate<string>(
      "JSON.stringify([location.href, document.cookie, { ...localStorage }, { ...sessionStorage }, document.documentElement.outerHTML])",
    );
    expect(kept).not.toContain(adminKey);
    const [cookie, ...others] = await context.cookies(`${server.url}/dashboard`);
    expect(others).toEqual([]);
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict", path: "/dashboard" });
    expect(await page.locator("#key").inputValue()).toBe("");
    await page.reload();
    await heading("Not known yet");
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByLabel("Admin key").waitFor();
    expect(await context.cookies()).toEqual([]);
    expect([elsewhere, faults]).toEqual([[], []]);
  });

  it("shows an expiry and the recovery while they happen, and the events of both (B5, B8)", async () => {
    await enter();
    expect((await ask("Hello")).status).toBe(200);
    await heading("Working");
    simulator.credentials.expire(good, "expired");
    const waiting = ask("Hello again");
    await page.locator("#state-section[data-tone=busy], #state-section[data-tone=warn]").waitFor(patience);
    await page.getByText("Authentication error detected").first().waitFor();
    await until("a second rejection", () => countCalls(simulator).rejected > 1, 60_000);
    await writeFile(join(home, "key"), next);
    expect((await waiting).status).toBe(200);
    await heading("Working");
    await page.locator("#log-rows").getByText("Authentication refresh successful").first().waitFor();
    expect(await page.locator("#timeline .part").count()).toBeGreaterThan(2);
    await page.getByLabel("Level").selectOption("error");
    await page.getByText(/^\d+ shown, /).waitFor();
    await page.getByLabel("Level").selectOption("debug");
    await page.getByLabel("Type").selectOption("state-change");
    await page.locator("#log-rows li").filter({ hasText: "-> authenticated" }).first().waitFor();
    await expect
      .poll(() => page.locator("#log-rows li .type").allTextContents(), patience)
      .toSatisfy((types: string[]) => types.length > 1 && types.every((type) => type === "state-change"));
    await page.getByLabel("Text", { exact: true }).fill("no such text");
    await page.getByText(/^0 shown, /).waitFor();
    expect([elsewhere, faults]).toEqual([[], []]);
  });

  it("says that a person must act, and what to do (B5)", async () => {
    await enter();
    simulator.credentials.expire(good, "revoked");
    await (await ask("Hello")).text();
    await page.locator("#state-section[data-tone=bad], #state-section[data-tone=warn]").waitFor(patience);
    await page.getByText("What to do:").waitFor();
    expect(await page.locator("#state-action").textContent()).toMatch(/^What to do: \w.{10,}\.$/);
  });

  it("refreshes by a button that says what came of it (B6)", async () => {
    await enter();
    await page.getByRole("button", { name: "Refresh now" }).click();
    await page.getByText(/^Done: /).waitFor(patience);
    await heading("Working");
    const answer = async (status: number, json: object) => {
      await page.unroute("**/dashboard/refresh");
      await page.route("**/dashboard/refresh", (route) => route.fulfill({ status, json }));
      await page.getByRole("button", { name: "Refresh now" }).click();
    };
    // As the server says it when the time of the next is not come, and when nothing could be renewed.
    await answer(429, { status: "limited", error: { message: "Too soon." } });
    await page.getByText("Not now: Too soon.").waitFor();
    await answer(502, { status: "failed", result: { success: false, message: "Rejected.", shouldRetry: false } });
    await page.getByText("It failed: Rejected. Trying again can't help before somebody acts.").waitFor();
    expect([elsewhere, faults]).toEqual([[], []]);
  });

  it("shows the sessions of every client, and ends one after asking (B3, B8)", async () => {
    await (await ask("Remember this.", { "x-session-id": "to-be-ended" })).text();
    await (await ask("Remember that.", { "x-session-id": "to-stay" })).text();
    await enter();
    const row = page.getByRole("row").filter({ hasText: "to-be-ended" });
    await row.getByText("kept ready").waitFor(patience);
    await row.getByRole("button").click();
    await page.getByRole("button", { name: "Keep it" }).click();
    await row.getByRole("button").click();
    await page.getByRole("button", { name: "End it" }).click();
    await page.getByText("The session to-be-ended of client has ended.").waitFor();
    await row.waitFor({ state: "detached" });
    expect(await page.getByRole("row").filter({ hasText: "to-stay" }).count()).toBe(1);
    expect((await server.get("/v1/sessions/to-be-ended")).status).toBe(404);
    expect((await server.get("/v1/sessions/to-stay")).status).toBe(200);
  });

  it("tries a completion, by keyboard alone", async () => {
    await enter();
    await page.locator("#chat-model").selectOption("haiku");
    await page.getByLabel("Message").focus();
    await page.keyboard.type("Say hello");
    await page.keyboard.press("Enter");
    await page.getByText(/^Done after /).waitFor(patience);
    expect((await page.locator("#chat-answer").textContent())?.length).toBeGreaterThan(3);
    await page.locator("#usage-rows").getByText("admin").waitFor(patience);
  });

  it("holds up no end of the server, says that it is gone, and finds the next one", async () => {
    await enter();
    const { port } = new URL(server.url);
    expect(await server.signal("SIGTERM")).toBe(0);
    await page.getByText("connection lost, trying again").waitFor();
    server = await startServer({
      upstream: simulator.url,
      home,
      flags: ["--port", port],
      environment: { ANTHROPIC_API_KEY: undefined, ANTHROPIC_API_KEY_FILE: join(home, "key") },
    });
    await page.getByText("You were logged out. Log in again.").waitFor();
    await enter();
    expect(faults).toEqual([]);
  });

  it("takes nothing that others wrote for markup, whatever they wrote (C2)", async () => {
    const attack = `<img src=x onerror="window.hit=1"><script>window.hit=1</script>"'><svg onload=window.hit=1>`;
    // What a client can send itself: the id of a request, a model's name, a session's.
    await (
      await server.post("/v1/chat/completions", chat("x", { model: attack }), { headers: { "x-request-id": attack } })
    ).text();
    await (await ask("x", { "x-session-id": attack })).text();
    // And as if every string of the answers were a stranger's.
    const spoil = (value: unknown): unknown => {
      if (typeof value === "string") return attack;
      if (Array.isArray(value)) return value.map(spoil);
      if (typeof value !== "object" || value === null) return value;
      return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, spoil(each)]));
    };
    await (await ask("Hello", { "x-session-id": "plain" })).text();
    const spoiled = async (route: Route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: spoil(await response.json()) });
    };
    await page.route("**/dashboard/overview", spoiled);
    await page.route("**/dashboard/sessions*", spoiled);
    await page.route("**/dashboard/refresh", spoiled);
    const entry = { id: 1, atMs: 1, level: "warn", type: attack, text: attack };
    await page.route("**/dashboard/events", (route) =>
      route.fulfill({
        contentType: "text/event-stream",
        body: `event: backlog\ndata: ${JSON.stringify({ isWhole: true, entries: [entry] })}\n\n`,
      }),
    );
    await page.getByLabel("Admin key").fill(adminKey);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.locator("#session-rows").getByText(attack).first().waitFor();
    await page.locator("#log-rows").getByText(attack).first().waitFor();
    await page.locator("#usage-rows").getByText(attack).first().waitFor();
    await page.getByRole("button", { name: "Refresh now" }).click();
    await page.locator("#refresh-result").getByText(attack).waitFor(patience);
    await page
      .getByRole("button", { name: /^End the session/ })
      .first()
      .click();
    await page.locator("#confirm-text").getByText(attack).waitFor();
    expect(await page.evaluate("window.hit")).toBeUndefined();
    expect(await page.locator("body img, body svg, body script").count()).toBe(0);
    expect(faults).toEqual([]);
  });

  it.each([
    { colorScheme: "light", width: 1280 },
    { colorScheme: "dark", width: 1280 },
    { colorScheme: "light", width: 375 },
    { colorScheme: "dark", width: 375 },
  ] as const)(
    "can be used by everybody: axe finds nothing, $colorScheme at $width (B8)",
    async ({ colorScheme, width }) => {
      await context.close();
      await open({ colorScheme, viewport: { width, height: 800 } });
      const violations = async () => {
        await page.evaluate(axe.source);
        const { violations: found } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
          "axe.run()",
        );
        return found.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
      };
      expect(await violations()).toEqual([]);
      await (await ask("Hello", { "x-session-id": "s1" })).text();
      await enter();
      await heading("Working");
      await page.locator("#session-rows").getByText("s1").waitFor(patience);
      expect(await violations()).toEqual([]);
      expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
      // Another tone of every colour, and the dialog.
      simulator.credentials.expire(good, "revoked");
      await (await ask("Hello")).text();
      await page.locator("#state-section[data-tone=bad], #state-section[data-tone=warn]").waitFor(patience);
      await page.getByRole("button", { name: "End the session s1 of client" }).click();
      expect(await violations()).toEqual([]);
      expect([elsewhere, faults]).toEqual([[], []]);
    },
  );
});
