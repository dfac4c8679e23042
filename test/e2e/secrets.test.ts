// Marked secrets and marked prompts, sent through every path, searched for in everything that the server emits or leaves.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { manualRefresh } from "../helpers/auth.ts";
import { adminKey, clientKey, startServer, type TestServer } from "../helpers/server.ts";

const secret = "sk-ant-MARKED-SECRET-0001";
const prompt = "MARKED-PROMPT-0001";

let simulator: Simulator;
let server: TestServer;
beforeAll(async () => {
  simulator = await startSimulator({ credentials: [{ value: secret, name: "marked" }] });
  server = await startServer({
    upstream: simulator.url,
    environment: { ANTHROPIC_API_KEY: secret, CCAPI_LOG_LEVEL: "trace" },
    flags: ["--request-timeout-ms", "5000"],
  });
});
afterAll(async () => {
  await server.stop();
  await simulator.close();
});

it("stand in no log line, no error, no metric and no file that stays (C2)", async () => {
  const said: string[] = [];
  const ask = async (more: Record<string, unknown> = {}, headers: Record<string, string> = {}) => {
    const body = { model: "sonnet", messages: [{ role: "user", content: prompt }], ...more };
    const response = await server.post("/v1/chat/completions", body, { headers });
    const text = await response.text();
    if (response.status !== 200) said.push(text);
  };
  simulator.setRules([{ answer: [{ type: "text", text: "Fine." }] }]);
  await ask();
  await ask({ stream: true });
  await ask({ model: "claude-code" });
  await ask({ model: prompt });
  await ask({ n: 2, user: prompt });
  await ask({ temperature: prompt });
  await ask({ messages: [{ role: "king", content: prompt }] });
  await ask({}, { "content-type": "text/plain" });
  for (const fault of [401, 403, 429, 500, 529, 400]) {
    simulator.fail({ kind: "status", status: fault, message: `upstream repeats ${prompt}` }, 1);
    await ask();
  }
  simulator.clearFaults();
  simulator.setRules([{ fault: { kind: "mid-stream-error", afterDeltas: 2, message: `upstream repeats ${prompt}` } }]);
  await ask({ stream: true });
  simulator.setRules([{ fault: { kind: "drop", afterDeltas: 0 } }]);
  await ask();
  simulator.setRules([]);
  simulator.credentials.expire(secret, "invalid_api_key");
  await ask();
  said.push(await (await manualRefresh(server)).text());
  said.push(await (await server.get("/health/auth")).text());
  said.push(await (await server.get("/metrics")).text());
  said.push(...(await lookAtDashboard()));
  const emitted = `${said.filter((text) => !text.includes('"param":"model"')).join("\n")}\n${server.log()}`;
  expect(emitted).not.toContain(secret);
  expect(emitted).not.toContain(prompt);
  expect(server.log()).not.toContain(clientKey);
  expect(server.log()).not.toContain(adminKey);
  expect(await filesThatHold(server.stateDir, [secret, prompt, clientKey, adminKey])).toEqual([]);
  expect(await filesThatHold(join(server.home, ".claude", "projects"), [secret, prompt])).toEqual([]);
});

/** All that the dashboard's page is told, the first frame of its events among it. */
async function lookAtDashboard(): Promise<string[]> {
  const headers = { "content-type": "application/json", "x-ccapi-dashboard": "1" };
  const login = { method: "POST", headers, body: JSON.stringify({ key: adminKey }) };
  const cookie = (await fetch(`${server.url}/dashboard/login`, login)).headers.get("set-cookie")?.split(";")[0] ?? "";
  const look = (path: string, signal?: AbortSignal) =>
    fetch(`${server.url}/dashboard/${path}`, { headers: { cookie }, ...(signal === undefined ? {} : { signal }) });
  const overview = await (await look("overview")).text();
  const sessions = await (await look("sessions")).text();
  const leaving = new AbortController();
  const events = await look("events", leaving.signal);
  const first = await events.body?.pipeThrough(new TextDecoderStream()).getReader().read();
  leaving.abort();
  expect(overview).toContain('"authFailures"');
  expect(first?.value).toContain("failure-report");
  return [overview, sessions, first?.value ?? ""];
}

async function filesThatHold(dir: string, needles: readonly string[]): Promise<string[]> {
  const names = await readdir(dir, { recursive: true }).catch(() => []);
  const found: string[] = [];
  for (const name of names) {
    const text = await readFile(join(dir, name), "utf8").catch(() => ""); // A folder.
    if (needles.some((needle) => text.includes(needle))) found.push(name);
  }
  return found;
}
