// The ports that instances share, of two instances with folders of their own on a real redis-server; and without it.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createRateCounter } from "../../src/http/rate-counter.ts";
import { transcriptDir, writeTranscript } from "../../src/claude/transcript.ts";
import { openCluster } from "../../src/cluster/open.ts";
import { createKeyedLock } from "../../src/turn/lock.ts";
import { createResponseStore, type StoredResponse } from "../../src/turn/responses.ts";
import { createSessionStore } from "../../src/turn/sessions.ts";
import type { Message } from "../../src/turn/turn.ts";
import { hasRedis, startRedis, type TestRedis } from "../helpers/redis.ts";
import { until } from "../helpers/server.ts";
import { makeSession } from "../helpers/turns.ts";

const timeToLiveMs = 60_000;
const never = new AbortController().signal;
const says = (text: string): Message => ({ role: "user", content: [{ type: "text", text }] });

describe.skipIf(!hasRedis())("two instances with a real Redis", () => {
  let redis: TestRedis;
  let dirs: string[];
  let opened: Awaited<ReturnType<typeof open>>[];
  let nowMs: number;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.close());
  beforeEach(async () => {
    await redis.flush();
    nowMs = 1_000_000;
    dirs = [];
    opened = [];
  });
  afterEach(async () => {
    for (const each of opened) await each.close();
    for (const dir of dirs) await rm(dir, { recursive: true, force: true });
  });

  async function open() {
    const dir = await mkdtemp(join(tmpdir(), "ccapi-shared-"));
    dirs.push(dir);
    const keeping = { timeToLiveMs, now: () => nowMs };
    const cluster = await openCluster({
      redisUrl: redis.url,
      clusterSecret: "a secret of the cluster",
      log: { info: () => undefined, warn: () => undefined },
    });
    if (cluster === undefined) throw new Error("no cluster");
    const own = {
      sessions: createSessionStore({ ...keeping, dir: join(dir, "sessions") }),
      responses: createResponseStore({ ...keeping, dir: join(dir, "responses") }),
      sessionLock: createKeyedLock(),
      rates: createRateCounter(),
    };
    const place = { configDir: join(dir, "claude"), workspace: join(dir, "work") };
    const ended: string[] = [];
    const state = cluster.share(own, {
      ...keeping,
      placeOf: async () => place,
      endSession: async (id) => void ended.push(id),
    });
    return { ...state, own, place, ended, runs: cluster.runs, link: cluster.link, close: () => cluster.close() };
  }

  async function two() {
    const [one, other] = await Promise.all([open(), open()]);
    opened.push(one, other);
    return [one, other] as const;
  }

  /** A session after its first turn, as its instance has it. */
  async function begin(instance: Awaited<ReturnType<typeof open>>, text = "marked prompt 4711") {
    const session = makeSession({ ...instance.place, lastUsedAtMs: nowMs });
    const place = { ...instance.place, sessionId: session.claudeSessionId };
    const record = { ...session, resumeAt: await writeTranscript(place, [says(text)]) };
    await instance.sessions.put(record);
    return record;
  }

  const transcriptOf = ({ place }: Awaited<ReturnType<typeof open>>, id: string) =>
    readFile(join(transcriptDir(place.configDir, place.workspace), `${id}.jsonl`), "utf8");

  it("go on with each other's sessions, in folders of their own (A9, B3)", async () => {
    const [one, other] = await two();
    const record = await begin(one);
    expect(await other.sessions.get("another client", "s1")).toBeUndefined();
    const found = await other.sessions.get("client", "s1");
    expect(found).toEqual({ ...record, ...other.place });
    expect(await other.sessions.list("client")).toEqual([found]);
    await other.sessions.bring(found ?? record);
    const text = await transcriptOf(other, record.claudeSessionId);
    expect(text).toContain("marked prompt 4711");
    expect(JSON.parse(text)).toMatchObject({ uuid: record.resumeAt, cwd: other.place.workspace });
    expect(other.ended).toEqual([record.claudeSessionId]);
    // What was brought here is this instance's to sweep.
    expect(await other.own.sessions.get("client", "s1")).toEqual(found);
    const dump = await redis.dump();
    for (const secret of ["marked prompt", one.place.workspace, "client", "s1"]) expect(dump).not.toContain(secret);
  });

  it("take the record with more turns, and no late one of the same turn (A9, B3)", async () => {
    const [one, other] = await two();
    const record = await begin(one);
    const next = { ...record, turns: 2, model: "opus" };
    await one.sessions.put(next);
    await other.sessions.bring((await other.sessions.get("client", "s1")) ?? record);
    await other.sessions.put({ ...next, ...other.place, model: "haiku" });
    expect(await one.sessions.get("client", "s1")).toMatchObject({ turns: 2, model: "opus" });
    await other.sessions.put({ ...next, ...other.place, turns: 3, model: "haiku" });
    expect(await one.sessions.get("client", "s1")).toMatchObject({ turns: 3, model: "haiku", ...one.place });
  });

  it("know of each other's deletions, and sweep what was deleted elsewhere (A9, B3)", async () => {
    const [one, other] = await two();
    const record = await begin(one);
    await other.sessions.delete("client", "s1");
    expect(await one.sessions.get("client", "s1")).toBeUndefined();
    expect(await one.sessions.has("client", "s1")).toBe(false);
    expect(await one.sessions.list("client")).toEqual([]);
    expect(await one.sessions.expired()).toEqual([record]);
    expect(await one.sessions.getExpired("client", "s1")).toEqual(record);
    await one.sessions.put({ ...record, turns: 2 });
    expect(await other.sessions.get("client", "s1")).toBeUndefined();
  });

  it("forget a session that nobody used for its time (A9, B3)", async () => {
    const [one, other] = await two();
    await begin(one);
    nowMs += timeToLiveMs;
    expect(await other.sessions.get("client", "s1")).toBeUndefined();
    expect(await other.sessions.list("client")).toEqual([]);
  });

  it("run one turn of a session at a time; who gives up waiting harms nobody (A9, B3)", async () => {
    const [one, other] = await two();
    const release = await one.sessionLock.acquire("key", never);
    const giving = new AbortController();
    const given = other.sessionLock.acquire("key", giving.signal);
    giving.abort(new Error("gone"));
    await expect(given).rejects.toThrow("gone");
    let isNext = false;
    const next = other.sessionLock.acquire("key", never).then((free) => {
      isNext = true;
      return free;
    });
    await sleep(500);
    expect(isNext).toBe(false);
    (await one.sessionLock.acquire("another", never))();
    release();
    (await next)();
    (await one.sessionLock.acquire("key", never))();
  });

  it("go on from each other's responses until one is deleted (A9, B7)", async () => {
    const [one, other] = await two();
    const record: StoredResponse = {
      version: 1,
      id: "r",
      clientName: "client",
      input: [],
      response: { say: "marked 0815" },
    };
    await one.responses.put(record);
    expect(await other.responses.get("client", "r")).toEqual(record);
    expect(await other.responses.get("another", "r")).toBeUndefined();
    expect(await redis.dump()).not.toContain("marked 0815");
    expect(await other.responses.delete("client", "r")).toBe(true);
    expect(await one.responses.get("client", "r")).toBeUndefined();
    expect(await other.responses.delete("client", "r")).toBe(false);
  });

  const request = { clientName: "client", key: "k", bodyHash: "b", isRepeatable: false };
  const answer = { status: 200, headers: [["x-a", "b"]], body: "bWFya2Vk" } as const;

  it("run a request with an Idempotency-Key once, and keep its answer for each other (A9, A5)", async () => {
    const [one, other] = await two();
    const claims = await Promise.all([one.runs.claim(request), other.runs.claim(request)]);
    expect(claims.map(({ is }) => is).toSorted()).toEqual(["mine", "running"]);
    expect(await other.runs.claim({ ...request, bodyHash: "c" })).toEqual({ is: "reused" });
    for (const else_ of [{ key: "l" }, { clientName: "another" }]) {
      const own = await one.runs.claim({ ...request, ...else_ });
      if (own.is !== "mine") throw new Error(own.is);
      own.run.forget();
    }
    for (const each of claims) if (each.is === "mine") each.run.keep(answer);
    for (const each of [one, other]) {
      await until("it is kept", async () => (await each.runs.claim(request)).is === "kept");
      expect(await each.runs.claim(request)).toEqual({ is: "kept", answer });
    }
    expect(await redis.dump()).not.toContain(answer.body);
  });

  it("may each run one that failed (A9, A5)", async () => {
    const [one, other] = await two();
    const first = await one.runs.claim(request);
    if (first.is !== "mine") throw new Error(first.is);
    first.run.forget();
    let second = await other.runs.claim(request);
    await until(
      "it is free",
      async () => second.is === "mine" || (second = await other.runs.claim(request)).is === "mine",
    );
    if (second.is === "mine") second.run.forget();
  });

  it("tell that a run's instance is gone, and begin again what harms nobody (A9, A5)", async () => {
    const [one, other] = await two();
    const claimed = await one.runs.claim(request);
    const chat = await one.runs.claim({ ...request, key: "chat" });
    if (claimed.is !== "mine" || chat.is !== "mine") throw new Error("not mine");
    await one.close(); // Its beats go nowhere any more.
    expect(await other.runs.claim(request)).toEqual({ is: "running" });
    await until("the lease is over", async () => (await other.runs.claim(request)).is === "lost", 60_000);
    const again = await other.runs.claim({ ...request, key: "chat", isRepeatable: true });
    expect(again.is).toBe("mine");
    if (again.is === "mine") again.run.forget();
    chat.run.forget();
    claimed.run.forget();
  });

  it("count a key's requests together (A9, B9)", async () => {
    const [one, other] = await two();
    expect(await one.rates.count("client")).toMatchObject({ count: 1 });
    const { count, resetsInMs } = await other.rates.count("client");
    expect(count).toBe(2);
    expect(resetsInMs).toBeGreaterThan(0);
    expect(await other.rates.count("another")).toMatchObject({ count: 1 });
  });

  it("each go on alone without Redis, and together again when it is back (A9)", async () => {
    const [one, other] = await two();
    const record = await begin(one);
    await redis.kill();
    try {
      expect(await one.sessions.get("client", "s1")).toEqual(record);
      expect(await other.sessions.get("client", "s1")).toBeUndefined();
      const next = { ...record, turns: 2 };
      await one.sessions.put(next);
      await one.sessions.bring(next);
      (await one.sessionLock.acquire("key", never))();
      await one.responses.put({ version: 1, id: "r", clientName: "client", input: [], response: {} });
      expect(await one.responses.get("client", "r")).toBeDefined();
      expect(await one.rates.count("client")).toMatchObject({ count: 1 });
    } finally {
      await redis.start();
    }
    await until("both are back", async () => one.link.isUp && other.link.isUp, 30_000);
    await one.sessions.put({ ...record, turns: 3 });
    expect(await other.sessions.get("client", "s1")).toMatchObject({ turns: 3 });
  });

  it("have other names and other values than a cluster of another secret (A9, C2)", async () => {
    const [one] = await two();
    await begin(one);
    const stranger = await openCluster({
      redisUrl: redis.url,
      clusterSecret: "another secret of 16",
      log: { info: () => undefined, warn: () => undefined },
    });
    const seen = stranger?.share(one.own, {
      timeToLiveMs,
      now: () => nowMs,
      placeOf: async () => one.place,
      endSession: async () => undefined,
    });
    await one.own.sessions.delete("client", "s1");
    expect(await seen?.sessions.get("client", "s1")).toBeUndefined();
    expect(await one.sessions.get("client", "s1")).toBeDefined();
    await stranger?.close();
  });
});
