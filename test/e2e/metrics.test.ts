// The metrics of a real server, checked by Prometheus' own tool.
import { execFileSync, spawnSync } from "node:child_process";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { chat, startServer, type TestServer } from "../helpers/server.ts";

let simulator: Simulator;
let server: TestServer;
beforeAll(async () => {
  simulator = await startSimulator();
  server = await startServer({ upstream: simulator.url });
});
afterAll(async () => {
  await server.stop();
  await simulator.close();
});

const hasPromtool = spawnSync("promtool", ["--version"]).status === 0;

it.skipIf(!hasPromtool)("are in the form that Prometheus wants: promtool finds nothing (A9, B8)", async () => {
  await (await server.post("/v1/chat/completions", chat("Hello"))).text();
  simulator.fail({ kind: "status", status: 401, type: "authentication_error", message: "invalid x-api-key" });
  await (await server.post("/v1/chat/completions", chat("Hello"))).text();
  const text = await (await server.get("/metrics")).text();
  const output = execFileSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" });
  expect(output).toBe("");
  for (const name of [
    "auth_state",
    "auth_failures_total",
    "auth_refresh_attempts_total",
    "auth_refresh_duration_seconds",
    "auth_consecutive_failures",
    "auth_last_success_timestamp_seconds",
    "auth_credential_expiry_timestamp_seconds",
    "auth_credential_generation",
    "auth_test_queries_total",
    "auth_requests_waiting",
    "auth_wait_duration_seconds",
    "auth_request_retries_total",
    "auth_recovery_duration_seconds",
  ]) {
    expect(text).toContain(`# TYPE ccapi_${name} `);
  }
});
