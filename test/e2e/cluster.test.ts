// Three real servers with the real CLI and a real Redis: one refresh for all, whoever dies in the midst of it.
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { authHealth, countCalls, untilState } from "../helpers/auth.ts";
import { hasRedis, startRedis, type TestRedis } from "../helpers/redis.ts";
import { adminKey, chat, clientKey, startServer, type TestServer, until } from "../helpers/server.ts";

const oldKey = "sk-ant-test-old-0001";
const newKey = "sk-ant-test-new-0002";
const clusterSecret = "test-cluster-secret-0001";
const prompt = "Hello, marked prompt 4711";
const answerText = "Hi, marked answer 0815.";

/** Renews the key in the shared file. While the file `hold` is there the first that runs hangs, for two minutes at most. */
const renew = (shared: string) => `#!/bin/sh
echo "$HOME" >> ${shared}/runs
if [ -e ${shared}/hold ] && mkdir ${shared}/first 2>/dev/null; then
  for each in $(seq 1200); do
    [ -e ${shared}/hold ] || break
    sleep 0.1
  done
fi
printf %s ${newKey} > ${shared}/key.draft
mv ${shared}/key.draft ${shared}/key
`;

let simulator: Simulator;
let redis: TestRedis;
let shared: string;
let servers: TestServer[];

// The lease of a holder that is gone lasts for 30 s.
describe.skipIf(!hasRedis())("three instances", { timeout: 300_000 }, () => {
  beforeEach(async () => {
    simulator = await startSimulator({
      credentials: [
        { value: oldKey, name: "old" },
        { value: newKey, name: "new" },
      ],
      rules: [{ when: "Hello", answer: [{ type: "text", text: answerText }] }],
    });
    redis = await startRedis();
    shared = await mkdtemp(join(tmpdir(), "ccapi-cluster-"));
    await writeFile(join(shared, "key"), oldKey);
    await writeFile(join(shared, "renew"), renew(shared));
    await chmod(join(shared, "renew"), 0o700);
    servers = await Promise.all(Array.from({ length: 3 }, start));
  });
  afterEach(async () => {
    await rm(join(shared, "hold"), { force: true });
    for (const server of servers) await server.stop();
    await redis.close();
    await simulator.close();
    await rm(shared, { recursive: true, force: true });
  });

  function start(): Promise<TestServer> {
    return startServer({
      upstream: simulator.url,
      environment: {
        ANTHROPIC_API_KEY: undefined,
        ANTHROPIC_API_KEY_FILE: join(shared, "key"),
        CCAPI_REDIS_URL: redis.url,
        CCAPI_CLUSTER_SECRET: clusterSecret,
        CCAPI_AUTH_REFRESH_COMMAND: join(shared, "renew"),
        CCAPI_MAX_CONCURRENT: "4",
        // Longer than the lease, so that a request outlives whoever held it.
        CCAPI_AUTH_PARK_MS: "110000",
      },
    });
  }

  const ask = async (server: TestServer) => {
    const response = await server.post("/v1/chat/completions", chat(prompt));
    await response.text();
    return response.status;
  };
  /** Who ran the command, in the order in which they began. */
  const runs = async () => {
    const text = await readFile(join(shared, "runs"), "utf8").catch(() => "");
    return text.split("\n").filter(Boolean);
  };
  const holder = async () => {
    const [home] = await runs();
    const found = servers.find((server) => server.home === home);
    if (found === undefined) throw new Error("nobody runs the command");
    return found;
  };
  const coordination = async (server: TestServer) => (await authHealth(server)).coordination;
  const allAre = async (state: string) => {
    for (const server of servers) await untilState(server, state, 60_000);
  };
  async function hold(): Promise<void> {
    await writeFile(join(shared, "hold"), "");
    simulator.credentials.expire(oldKey, "expired");
  }

  it("refresh once for 150 requests at once on an expired credential, and Redis holds no secret (A6, A9, C2)", async () => {
    simulator.credentials.expire(oldKey, "expired");
    const answers = await Promise.all(Array.from({ length: 150 }, (_, index) => ask(servers[index % 3] as TestServer)));
    expect(answers).toEqual(Array.from({ length: 150 }, () => 200));
    expect(await runs()).toHaveLength(1);
    await allAre("authenticated");
    for (const server of servers) {
      expect(await authHealth(server)).toMatchObject({
        refreshCount: 1,
        consecutiveFailures: 0,
        coordination: "shared",
      });
    }
    expect(countCalls(simulator).answered).toBeGreaterThanOrEqual(150);
    const dump = await redis.dump();
    expect(dump).toContain("ccapi:auth:");
    for (const secret of [oldKey, newKey, clusterSecret, clientKey, adminKey, prompt, answerText]) {
      expect(dump).not.toContain(secret);
    }
  });

  it("go on with a refresh whose holder is killed: one of the others ends it (A6, A9)", async () => {
    await hold();
    const answers = servers.map(ask);
    await until("somebody runs the command", async () => (await runs()).length === 1, 60_000);
    const dead = await holder();
    const index = servers.indexOf(dead);
    answers[index]?.catch(() => undefined); // Its client is told by the connection.
    await dead.signal("SIGKILL");
    servers = servers.filter((server) => server !== dead);
    expect(await Promise.all(answers.filter((_, each) => each !== index))).toEqual([200, 200]);
    await allAre("authenticated");
    expect(await runs()).toHaveLength(2);
    for (const server of servers) expect((await authHealth(server)).refreshCount).toBe(2);
    await rm(dead.home, { recursive: true, force: true, maxRetries: 3 });
  });

  it("don't take the late result of a holder that hung: the lease is another's by then (A6, A9)", async () => {
    await hold();
    const answers = servers.map(ask);
    await until("somebody runs the command", async () => (await runs()).length === 1, 60_000);
    const hung = await holder();
    const index = servers.indexOf(hung);
    process.kill(hung.pid, "SIGSTOP");
    try {
      expect(await Promise.all(answers.filter((_, each) => each !== index))).toEqual([200, 200]);
    } finally {
      process.kill(hung.pid, "SIGCONT");
    }
    await rm(join(shared, "hold"));
    expect(await answers[index]).toBe(200);
    await allAre("authenticated");
    for (const server of servers) expect((await authHealth(server)).refreshCount).toBe(2);
    expect(hung.log()).not.toContain("authentication refresh successful");
  });

  it("keep answering while Redis is gone, refresh each for itself, and find together when it is back (A9)", async () => {
    expect(await Promise.all(servers.map(ask))).toEqual([200, 200, 200]);
    await redis.kill();
    await until(
      "all are alone",
      async () => (await Promise.all(servers.map(coordination))).every((each) => each === "local"),
      60_000,
    );
    expect(await Promise.all(servers.map(ask))).toEqual([200, 200, 200]);
    simulator.credentials.expire(oldKey, "expired");
    expect(await Promise.all(servers.map(ask))).toEqual([200, 200, 200]);
    await redis.start();
    await until(
      "all are together",
      async () => (await Promise.all(servers.map(coordination))).every((each) => each === "shared"),
      60_000,
    );
    await allAre("authenticated");
    const counts = await Promise.all(servers.map(async (server) => (await authHealth(server)).refreshCount));
    expect(new Set(counts).size).toBe(1);
  });

  it("end a refresh in whose midst Redis is killed, emptied and started anew (A9)", async () => {
    await hold();
    const answers = servers.map(ask);
    await until("somebody runs the command", async () => (await runs()).length === 1, 60_000);
    await redis.kill();
    await redis.start();
    await redis.flush();
    await rm(join(shared, "hold"));
    expect(await Promise.all(answers)).toEqual([200, 200, 200]);
    await allAre("authenticated");
    await until(
      "all are together",
      async () => (await Promise.all(servers.map(coordination))).every((each) => each === "shared"),
      60_000,
    );
  });
});
