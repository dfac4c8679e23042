import { describe, expect, it } from "vitest";
import { createAuthMetrics } from "../../src/observe/auth-metrics.ts";
import { createMetrics } from "../../src/observe/metrics.ts";
import { adminKey, makeApp, status } from "../helpers/app.ts";

const chat = { model: "sonnet", messages: [{ role: "user", content: "Hi" }] };

describe("metrics", () => {
  it("need a key, unless an address is allowed (B8)", async () => {
    const { request } = makeApp();
    expect((await request("/metrics", { headers: { authorization: "" } })).status).toBe(401);
    const response = await request("/metrics");
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=/);
  });

  it.each([
    ["10.0.0.7", 200],
    ["::ffff:10.0.0.7", 200],
    ["10.0.0.8", 401],
    [undefined, 401],
  ])("need no key from an allowed address, and from no other: %s (B8, C1)", async (remoteAddress, expected) => {
    const { app } = makeApp({ metricsAllow: ["10.0.0.7"] });
    const incoming = { socket: { remoteAddress } };
    expect((await app.request("/metrics", {}, { incoming })).status).toBe(expected);
    // What a client says of itself changes nothing.
    const forwarded = { headers: { "x-forwarded-for": "10.0.0.7" } };
    expect((await app.request("/metrics", forwarded, { incoming })).status).toBe(expected);
    expect((await app.request("/v1/models", {}, { incoming })).status).toBe(401);
  });

  it("count requests by the pattern of their path, never by what strangers make up (B8, C4)", async () => {
    const { post, request } = makeApp();
    await (await post(chat)).text();
    await request("/v1/models/made-up-1");
    await request("/made/up/2");
    const text = await (await request("/metrics", { headers: { authorization: `Bearer ${adminKey}` } })).text();
    expect(text).toContain('ccapi_http_requests_total{method="POST",route="/v1/chat/completions",status="200"} 1');
    expect(text).toContain('route="/v1/models/:id",status="404"');
    expect(text).not.toContain("made");
    expect(text).toContain("ccapi_claude_processes 2");
  });

  it("tell the state of the credential, and nothing where nothing is known (A9)", async () => {
    const { registry } = createMetrics({
      running: () => 0,
      queued: () => 0,
      queueLimit: () => 256,
      processes: () => 0,
    });
    let now = status;
    const listen = createAuthMetrics(registry, () => now);
    expect(await registry.metrics()).toContain('ccapi_auth_state{state="authenticated"} 1');
    expect(await registry.metrics()).not.toMatch(/^ccapi_auth_credential_expiry_timestamp_seconds \d/m);
    now = { ...status, state: "locked_out", isAuthenticated: false, consecutiveFailures: 3 };
    listen({ type: "recovery-end", durationMs: 1_500 });
    const text = await registry.metrics();
    expect(text).toContain('ccapi_auth_state{state="authenticated"} 0');
    expect(text).toContain('ccapi_auth_state{state="locked_out"} 1');
    expect(text).toContain("ccapi_auth_consecutive_failures 3");
    expect(text).toContain("ccapi_auth_recovery_duration_seconds_sum 1.5");
  });
});
