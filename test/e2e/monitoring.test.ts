// What Prometheus and Grafana are given with the product: rules that fire when they have to, and no metric that does not exist.
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { root } from "../helpers/tracked-files.ts";

const rules = readFileSync(join(root, "deploy/prometheus/rules.yml"), "utf8");
const dashboard = readFileSync(join(root, "deploy/grafana/ccapi.json"), "utf8");
const hasPromtool = spawnSync("promtool", ["--version"]).status === 0;
const promtool = (...args: string[]) =>
  execFileSync("promtool", args, { cwd: join(root, "deploy/prometheus"), encoding: "utf8" });

describe("the alerting rules", () => {
  it.skipIf(!hasPromtool)("are rules, and fire when they have to and only then (D2)", () => {
    expect(promtool("check", "rules", "rules.yml")).toContain("SUCCESS");
    expect(promtool("test", "rules", "rules.test.yml")).toContain("SUCCESS");
  });

  it("are each tested, and lead to a place of the runbook that exists (D2)", () => {
    const tests = readFileSync(join(root, "deploy/prometheus/rules.test.yml"), "utf8");
    const runbook = readFileSync(join(root, "docs/operations.md"), "utf8");
    const anchors = [...runbook.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w\s-]/g, "")
        .replaceAll(/\s/g, "-"),
    );
    const names = [...rules.matchAll(/alert: (\w+)/g)].map(([, name]) => name);
    expect(names.length).toBeGreaterThanOrEqual(7);
    for (const name of names) expect(tests).toContain(`alertname: ${name}\n`);
    const places = [...rules.matchAll(/runbook: docs\/operations\.md#(\S+)/g)].map(([, place]) => place);
    expect(places).toHaveLength(names.length);
    for (const place of places) expect(anchors).toContain(place);
  });
});

describe("the metrics that rules and dashboard use", () => {
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

  it("all exist (B8, D2)", async () => {
    const metrics = await (await server.get("/metrics")).text();
    const known = [...metrics.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name = "", type]) =>
      type === "histogram" ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name],
    );
    const used = new Set([...(rules + dashboard).matchAll(/\bccapi_[a-z0-9_]+/g)].map(([name]) => name));
    expect(used.size).toBeGreaterThan(12);
    expect([...used].filter((name) => !known.includes(name))).toEqual([]);
  });
});
