// Two real servers with the real CLI and a real Redis: one conversation, on whichever of them its next turn is.
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, describe, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { authHealth } from "../helpers/auth.ts";
import { hasRedis, startRedis, type TestRedis } from "../helpers/redis.ts";
import { adminKey, chat, clientKey, makeHome, startServer, type TestServer, until } from "../helpers/server.ts";
import { lastConversation } from "../helpers/upstream.ts";

const secret = "test-cluster-secret-0001";
const marked = "marked words 4711";

describe.skipIf(!hasRedis())("a conversation on two instances", { timeout: 180_000 }, () => {
  let simulator: Simulator;
  let redis: TestRedis;
  let one: TestServer;
  let other: TestServer;
  let homes: string[];

  const start = (home: string) =>
    startServer({
      upstream: simulator.url,
      home,
      environment: {
        CCAPI_REDIS_URL: redis.url,
        CCAPI_CLUSTER_SECRET: secret,
        CCAPI_MAX_CONCURRENT: "4",
        CCAPI_POOL_IDLE_MS: "60000",
      },
    });
  beforeAll(async () => {
    simulator = await startSimulator({ rules: [{ when: /say/, answer: [{ type: "text", text: "Said." }] }] });
    redis = await startRedis();
    const settings = JSON.stringify({ permissions: { allow: ["Bash(mkdir made)"] } });
    homes = [
      await makeHome({ ".claude/settings.json": settings }),
      await makeHome({ ".claude/settings.json": settings }),
    ];
    [one, other] = (await Promise.all(homes.map(start))) as [TestServer, TestServer];
  });
  afterAll(async () => {
    for (const server of [one, other]) await server.stop();
    await redis.close();
    await simulator.close();
    for (const home of homes) await rm(home, { recursive: true, force: true, maxRetries: 3 });
  });

  async function say(to: TestServer, session: string, text: string, model = "sonnet"): Promise<number> {
    const headers = { "x-session-id": session };
    const response = await to.post("/v1/chat/completions", chat(text, { model }), { headers });
    await response.text();
    return response.status;
  }

  it.each(["sonnet", "claude-code"])(
    "goes on with %s from one to the other and back, also where the first kept its process (A9, B3)",
    async (model) => {
      const turns = ["say one", "say two", "say three", "say four"].map((text) => `${text} ${marked}`);
      const said = turns.slice(0, 3).flatMap((text) => [`user: ${text}`, "assistant: Said."]);
      for (const [index, to] of [one, other, one, other].entries()) {
        expect(await say(to, model, turns[index] ?? "", model)).toBe(200);
      }
      expect(lastConversation(simulator)).toEqual([...said, `user: ${turns[3]}`]);
      const dump = await redis.dump();
      for (const each of [marked, "Said.", clientKey, adminKey, secret]) expect(dump).not.toContain(each);
    },
  );

  it("is one conversation, though turns come to both at once (A9, B3)", async () => {
    expect(await say(one, "both", "say 0")).toBe(200);
    const servers = [one, other, one, other];
    const statuses = await Promise.all(servers.map((to, index) => say(to, "both", `say ${index + 1}`)));
    expect(statuses).toEqual([200, 200, 200, 200]);
    expect(await say(one, "both", "say 5")).toBe(200);
    const asked = lastConversation(simulator).filter((line) => line.startsWith("user: "));
    expect(asked.toSorted()).toEqual([0, 1, 2, 3, 4, 5].map((each) => `user: say ${each}`));
  });

  it("goes on from a response that the other gave (A9, B7)", async () => {
    const first = await one.post("/v1/responses", { model: "sonnet", input: "say a" });
    const { id } = (await first.json()) as { id: string };
    const second = await other.post("/v1/responses", { model: "sonnet", input: "say b", previous_response_id: id });
    expect(second.status).toBe(200);
    await second.text();
    expect(lastConversation(simulator)).toEqual(["user: say a", "assistant: Said.", "user: say b"]);
  });

  it("is not there any more on one when it was deleted on the other (A9, B3)", async () => {
    expect(await say(one, "deleted", "say one")).toBe(200);
    const gone = await other.get("/v1/sessions/deleted", { method: "DELETE" });
    expect(gone.status).toBeLessThan(300);
    expect((await one.get("/v1/sessions/deleted")).status).toBe(404);
    expect(await say(one, "deleted", "say anew")).toBe(200);
    expect(lastConversation(simulator)).toEqual(["user: say anew"]);
  });

  it("goes on without Redis on the instance that has it, and on both when it is back (A9, B3)", async () => {
    expect(await say(one, "cut", "say one")).toBe(200);
    await redis.kill();
    expect(await say(one, "cut", "say two")).toBe(200);
    await redis.start();
    for (const server of [one, other]) {
      await until("it is shared again", async () => (await authHealth(server)).coordination === "shared", 60_000);
    }
    expect(await say(one, "cut", "say three")).toBe(200);
    expect(await say(other, "cut", "say four")).toBe(200);
    expect(lastConversation(simulator)).toHaveLength(7);
  });

  it("is answered once for one Idempotency-Key, on whichever it is asked (A9, A5)", async () => {
    simulator.clearRequests();
    const headers = { "idempotency-key": "once" };
    const asked = [one, other, one, other].map((to) => to.post("/v1/chat/completions", chat("say once"), { headers }));
    const texts = await Promise.all((await Promise.all(asked)).map((response) => response.text()));
    expect(new Set(texts).size).toBe(1);
    expect(texts[0]).toContain("Said.");
    expect(simulator.requests.filter(({ path }) => path.startsWith("/v1/messages"))).toHaveLength(1);
    expect(await redis.dump()).not.toContain(Buffer.from("Said.").toString("base64").slice(0, 6));
  });

  it("loses no request while its instances are restarted one after the other (A9, C4)", async () => {
    const statuses: number[] = [];
    const rolling = { isOver: false };
    const dead = new Set<TestServer>();
    /** As a load balancer does: to one that is ready; again elsewhere where the connection was refused, or it goes down. */
    async function client(index: number): Promise<void> {
      for (let turn = index; !rolling.isOver; turn += 1) {
        const ready = [one, other].filter((server) => !dead.has(server));
        const to = ready[turn % ready.length];
        if (to === undefined) throw new Error("none is ready");
        const headers = { "x-session-id": `rolling-${index}` };
        statuses.push((await to.post("/v1/chat/completions", chat(`say ${turn}`), { headers })).status);
      }
    }
    const clients = [0, 1].map(client);
    for (const [index, old] of [one, other].entries()) {
      const before = statuses.length;
      await until("it is under load", async () => statuses.length >= before + 2, 60_000);
      dead.add(old);
      await old.stop();
      const fresh = await start(homes[index] ?? "");
      if (index === 0) one = fresh;
      else other = fresh;
    }
    rolling.isOver = true;
    await Promise.all(clients);
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    expect(await say(one, "rolling-0", "say last")).toBe(200);
    const asked = lastConversation(simulator).filter((line) => line.startsWith("user: "));
    expect(new Set(asked).size).toBe(asked.length);
    expect(asked.length).toBeGreaterThan(2);
  });

  it("whose agent's instance is killed at work runs no tool again, and its sessions go on (A9, A5)", async () => {
    const workspace = join(one.stateDir, "workspaces", "client");
    simulator.setRules([
      {
        when: ({ lastUserText, toolResults }) => toolResults.length === 0 && lastUserText.includes("work"),
        answer: [{ type: "tool_use", name: "Bash", input: { command: "mkdir made", description: "make" } }],
      },
      {
        when: ({ toolResults }) => toolResults.length > 0,
        firstTokenDelayMs: 600_000,
        answer: [{ type: "text", text: "Done." }],
      },
      { when: /say/, answer: [{ type: "text", text: "Said." }] },
    ]);
    const work = (to: TestServer) =>
      to.post("/v1/chat/completions", chat("work", { model: "claude-code" }), {
        headers: { "idempotency-key": "work" },
      });
    work(one).catch(() => undefined); // Told by its connection.
    await until("the tool has run", async () => (await readdir(workspace)).includes("made"), 60_000);
    expect(await say(one, "death", "say one")).toBe(200);
    await one.signal("SIGKILL");
    simulator.clearRequests();
    const again = await work(other);
    expect(again.status).toBe(503);
    expect(again.headers.get("x-should-retry")).toBe("false");
    expect(await again.json()).toMatchObject({ error: { code: "idempotent_run_lost" } });
    expect(simulator.requests).toEqual([]);
    expect(await say(other, "death", "say two")).toBe(200);
    expect(lastConversation(simulator)).toEqual(["user: say one", "assistant: Said.", "user: say two"]);
  });
});
