// Makes the pictures of the dashboard in docs/images: the real page in a real browser, over a made-up day.
// `npm run screenshots`; needs chromium. No Claude, no account, no network.
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import type { PublicState } from "../src/auth/contract.ts";
import { listen } from "../src/http/listener.ts";
import { adminKey, makeApp } from "../test/helpers/app.ts";
import { launchBrowser } from "../test/helpers/browser.ts";
import { endOfDayMs, someSessions, statusOf, tellDay } from "../test/helpers/made-up-day.ts";
import { root } from "./process.ts";

const folder = join(root, "docs", "images");
const maxBytes = 150_000;

interface Picture {
  readonly name: string;
  readonly state: PublicState;
  readonly scheme: "light" | "dark";
  readonly width: number;
  readonly height: number;
}

const pictures: readonly Picture[] = [
  { name: "dashboard", state: "authenticated", scheme: "light", width: 1280, height: 960 },
  { name: "dashboard-dark", state: "authenticated", scheme: "dark", width: 1280, height: 960 },
  { name: "dashboard-refreshing", state: "refreshing", scheme: "light", width: 1280, height: 560 },
  { name: "dashboard-locked-out", state: "locked_out", scheme: "light", width: 1280, height: 560 },
  { name: "dashboard-needs-login", state: "needs_login", scheme: "dark", width: 1280, height: 560 },
  { name: "dashboard-phone", state: "authenticated", scheme: "light", width: 390, height: 844 },
  { name: "dashboard-phone-dark", state: "locked_out", scheme: "dark", width: 390, height: 844 },
];

async function take(browser: Browser, { name, state, scheme, width, height }: Picture): Promise<void> {
  const history = await tellDay(state);
  const { app } = makeApp({
    auth: {
      status: () => statusOf(state),
      refresh: async () => ({ success: true, message: "Refreshed.", shouldRetry: true }),
    },
    history,
    allSessions: { overview: async () => [...someSessions], delete: async () => undefined },
    now: () => endOfDayMs,
  });
  const server = await listen((request, bindings) => app.request(request, {}, bindings), {
    host: "127.0.0.1",
    port: 0,
    maxConnections: 100,
  });
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
    reducedMotion: "reduce",
    timezoneId: "UTC",
  });
  try {
    const page = await context.newPage();
    await page.clock.setFixedTime(endOfDayMs);
    await page.goto(server.url);
    await page.getByLabel("Admin key").fill(adminKey);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("live", { exact: true }).waitFor();
    await page.locator("#plots canvas").first().waitFor();
    await page.getByText("6 h", { exact: true }).click();
    await page.locator("#log-rows li").first().waitFor();
    await page.evaluate("document.activeElement?.blur(); scrollTo(0, 0)");
    const path = join(folder, `${name}.png`);
    await page.screenshot({ path, animations: "disabled" });
    if (process.argv[2] === "--whole")
      await page.screenshot({ path: join(process.argv[3] ?? folder, `${name}-whole.png`), fullPage: true });
    const { size } = statSync(path);
    console.log(`${name}.png: ${size} bytes`);
    if (size > maxBytes) throw new Error(`${name}.png has ${size} bytes, more than ${maxBytes}.`);
  } finally {
    await context.close();
    history.close();
    server.destroy();
    await server.drain();
  }
}

mkdirSync(folder, { recursive: true });
const browser = await launchBrowser();
try {
  for (const picture of pictures) await take(browser, picture);
} finally {
  await browser.close();
}
