// The store in Redis against a real redis-server: the contract of stores, losses, and every order of two instances' scripts.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { resolvePolicy } from "../../src/auth/policy.ts";
import { systemClock } from "../../src/auth/ports.ts";
import { type StateEvent, transition } from "../../src/auth/state.ts";
import type { AuthStore } from "../../src/auth/store/port.ts";
import { createRedisLink, type RedisLink } from "../../src/auth/store/redis-link.ts";
import { createRedisStore } from "../../src/auth/store/redis.ts";
import { storeContract } from "../auth/store-contract.ts";
import { hasRedis, startProxy, startRedis, type TestRedis } from "../helpers/redis.ts";
import { until } from "../helpers/server.ts";

const policy = resolvePolicy();
const apply = (event: StateEvent) => (facts: Parameters<Parameters<AuthStore["update"]>[0]>[0], nowMs: number) =>
  transition(facts, event, nowMs, policy);
const peek = apply({ type: "lease-renew", lease: "nobody's" });

function looked(fingerprint: string): StateEvent {
  const about = { kind: "api_key", present: true, renewable: true, watchMode: "cheap", action: "rotate it" } as const;
  return { type: "looked", reading: { ...about, fingerprint }, isSteady: true, wallMs: 0, chance: 0.5 };
}

function sign(generation: number): StateEvent {
  const about = { isFinal: true, isPermanent: false, needsPerson: false, reason: "", source: "test", chance: 0.5 };
  return { type: "sign", generation, ...about };
}

const begin = (lease: string): StateEvent => ({ type: "refresh-start", lease, trigger: "request" });
const finish = (lease: string): StateEvent => ({
  type: "refresh-end",
  lease,
  outcome: "proved",
  needsPerson: false,
  reason: "",
  source: "refresh",
  chance: 0.5,
});

describe.skipIf(!hasRedis())("with a real Redis", () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.close());
  beforeEach(() => redis.flush());

  async function openStore(options: { url?: string; clock?: typeof systemClock; link?: RedisLink } = {}) {
    const link = options.link ?? (await createRedisLink({ url: options.url ?? redis.url }));
    const store = await createRedisStore({ link, clock: options.clock });
    return {
      store,
      send: (event: StateEvent) => store.update(apply(event)),
      isGranted: async (event: StateEvent) => (await store.update(apply(event))).effects.includes("granted"),
      close: async () => {
        await store.close();
        await link.close();
      },
    };
  }

  storeContract("in Redis", async () => {
    await redis.flush();
    const [one, two] = [await openStore(), await openStore()];
    return {
      stores: [one.store, two.store],
      pass: (ms) => sleep(Math.min(ms, 1_200)),
      async close() {
        await one.close();
        await two.close();
      },
    };
  });

  async function withTwo(
    work: (one: Awaited<ReturnType<typeof openStore>>, two: Awaited<ReturnType<typeof openStore>>) => Promise<void>,
  ): Promise<void> {
    const [one, two] = [await openStore(), await openStore()];
    try {
      await one.send(looked("a"));
      await two.send(looked("a"));
      await work(one, two);
    } finally {
      await one.close();
      await two.close();
    }
  }

  describe("rooms", () => {
    it("keep instances apart whose credentials differ (A9)", () =>
      withTwo(async (one, two) => {
        await one.send(looked("b"));
        await one.send(sign(2));
        await one.send(sign(2));
        expect(one.store.current().facts.credential.is).toBe("expired");
        expect((await two.store.update(peek)).facts.credential.is).toBe("unknown");
      }));

    it("bring instances together again, with a lease that began before the change (A6, A9)", () =>
      withTwo(async (one, two) => {
        await one.send(sign(1));
        await one.send(sign(1));
        expect(await one.isGranted(begin("one"))).toBe(true);
        await two.store.update(peek);
        // The one that doesn't hold the lease sees the new credential first.
        await two.send(looked("b"));
        expect(await two.isGranted(begin("two"))).toBe(false);
        await one.send(looked("b"));
        expect(await one.isGranted(finish("one"))).toBe(true);
        const { facts } = await two.store.update(peek);
        expect(facts).toMatchObject({ credential: { is: "valid" }, refreshCount: 1, refresher: { is: "idle" } });
        expect(one.store.current().facts).toEqual(two.store.current().facts);
      }));

    it("give a credential that comes back a new chance, where nobody else uses it (A7, A9)", () =>
      withTwo(async (one, two) => {
        const before = one.store.current().facts.generation;
        await one.send(looked("b"));
        await one.send(looked("a"));
        expect(one.store.current().facts.generation).toBeGreaterThan(before + 1);
        // The other one still is in the old room: its view is the one that counts there.
        await two.send(sign(two.store.current().facts.generation));
        expect((await one.store.update(peek)).facts.credential.is).toBe("suspect");
      }));

    it("take a restarted instance's state from what is kept (A9)", async () => {
      const one = await openStore();
      await one.send(looked("a"));
      await one.send(sign(1));
      await one.send(sign(1));
      await one.close();
      const again = await openStore();
      await again.send(looked("a"));
      expect(again.store.current().facts.credential.is).toBe("expired");
      await again.close();
    });
  });

  describe("losses", () => {
    it("of all data are made good from what instances know, and nothing goes back (A9)", () =>
      withTwo(async (one, two) => {
        await one.send(sign(1));
        await one.send(sign(1));
        await one.send(begin("one"));
        await one.send(finish("one"));
        await until("both know", () => two.store.current().facts.refreshCount === 1);
        const known = one.store.current().facts;
        await redis.flush();
        expect((await two.store.update(peek)).facts).toEqual(known);
        expect((await one.store.update(peek)).facts).toEqual(known);
        expect(await one.isGranted(finish("one"))).toBe(false);
      }));

    it("of the newest writes alone are made good, too: a replica that lagged has taken over (A9)", () =>
      withTwo(async (one, two) => {
        await one.send(sign(1));
        const before = await redis.save();
        await one.send(sign(1));
        expect(await one.isGranted(begin("one"))).toBe(true);
        await redis.restore(before);
        // The other instance may not have heard of anything: it must not get a second lease.
        await one.store.update(peek);
        expect(await two.isGranted(begin("two"))).toBe(false);
        expect(await one.isGranted(finish("one"))).toBe(true);
      }));

    it("of the way leave each for itself, and bring it back by itself (A9)", () =>
      withTwo(async (one, two) => {
        await redis.kill();
        const startedAt = performance.now();
        await one.send(sign(1));
        await one.send(sign(1));
        expect(performance.now() - startedAt).toBeLessThan(4_000);
        expect(one.store.coordination).toBe("local");
        expect(one.store.current().facts.credential.is).toBe("expired");
        await redis.start();
        await until("both are back", () => one.store.coordination === "shared" && two.store.coordination === "shared");
        // What one has found out alone counts, unless others went on meanwhile.
        const [{ facts: mine }, { facts: theirs }] = [await one.store.update(peek), await two.store.update(peek)];
        expect(mine.credential).toEqual(theirs.credential);
      }));

    it("of the way for one instance alone do not take back what the others did meanwhile (A9)", async () => {
      const proxy = await startProxy(redis.port);
      const one = await openStore({ url: redis.url.replace(String(redis.port), String(proxy.port)) });
      const two = await openStore();
      await one.send(looked("a"));
      await two.send(looked("a"));
      proxy.setCut(true);
      await one.send(sign(1)); // Nobody answers: alone from here on.
      expect(one.store.coordination).toBe("local");
      await two.send(sign(1));
      await two.send(sign(1));
      await two.send(begin("two"));
      await two.send(finish("two"));
      proxy.setCut(false);
      await until("it is back", () => one.store.coordination === "shared");
      expect((await one.store.update(peek)).facts).toEqual(two.store.current().facts);
      await one.close();
      await two.close();
      await proxy.close();
    });

    it("never hold up a step for longer than a command may take (A9)", () =>
      withTwo(async (one) => {
        redis.signal("SIGSTOP");
        try {
          const startedAt = performance.now();
          await one.send(sign(1));
          expect(performance.now() - startedAt).toBeLessThan(4_000);
          expect(one.store.coordination).toBe("local");
        } finally {
          redis.signal("SIGCONT");
        }
        await until("it is back", () => one.store.coordination === "shared");
      }));
  });

  it("has one time, whatever the hosts' clocks say (A9)", async () => {
    const off = (ms: number) => ({ ...systemClock, wallMs: () => Date.now() + ms });
    const [one, two] = [await openStore({ clock: off(600_000) }), await openStore({ clock: off(-600_000) })];
    expect(Math.abs(one.store.nowMs() - two.store.nowMs())).toBeLessThan(500);
    await one.send(looked("a"));
    await two.send(looked("a"));
    await one.send(sign(1));
    await one.send(sign(1));
    expect(await one.isGranted(begin("one"))).toBe(true);
    expect(await two.isGranted(begin("two"))).toBe(false);
    await one.close();
    await two.close();
  });

  describe("every order of two instances' scripts", () => {
    /** Lets two ways run their scripts in an order that is given, one by one. */
    function gated(links: readonly RedisLink[]) {
      const waiting: (undefined | (() => void))[] = links.map(() => undefined);
      const gates = links.map((link, index): RedisLink => ({
        get isUp() {
          return link.isUp;
        },
        hear: () => () => undefined,
        onChange: () => () => undefined,
        close: () => link.close(),
        async run(script, keys, args) {
          await new Promise<void>((resolve) => {
            waiting[index] = resolve;
          });
          return link.run(script, keys, args);
        },
      }));
      return { waiting, gates };
    }

    it.each([
      ["a lease is granted once", [begin("one")], [begin("two")], [1]],
      [
        "a lease is granted once, and its end is published once",
        [begin("one"), finish("one")],
        [begin("two"), finish("two")],
        [2],
      ],
      // The second instance's lease has no end of its own: where it is granted nothing more is.
      ["a late end changes nothing", [begin("one"), finish("one")], [begin("two"), finish("one")], [1, 2]],
    ] as const)("%s (A6, A9)", async (_promise, first, second, granted) => {
      const links = [await createRedisLink({ url: redis.url }), await createRedisLink({ url: redis.url })] as const;
      /** Follows one order as far as it goes; beyond it the first that waits goes. Returns the choices that were there. */
      async function follow(order: readonly number[]): Promise<number[][]> {
        await redis.flush();
        const { waiting, gates } = gated(links);
        let isGated = false;
        const open = gates.map((gate, index): RedisLink => ({
          ...gate,
          isUp: true,
          run: (...args) => (isGated ? gate.run(...args) : (links[index] as RedisLink).run(...args)),
        }));
        const stores = await Promise.all(
          open.map((link) => createRedisStore({ link, clock: { ...systemClock, setTimer: () => () => undefined } })),
        );
        for (const event of [looked("a"), sign(1), sign(1)])
          for (const store of stores) await store.update(apply(event));
        for (const store of stores) await store.update(peek);
        isGated = true;
        let count = 0;
        let running = 2;
        const programs = [first, second].map(async (events, index) => {
          for (const event of events) {
            const { effects } = await (stores[index] as AuthStore).update(apply(event));
            if (effects.includes("granted")) count += 1;
          }
          running -= 1;
        });
        const choices: number[][] = [];
        for (let step = 0; running > 0; step += 1) {
          await until(
            "somebody waits",
            () => waiting.filter((each) => each !== undefined).length === running || running === 0,
          );
          const ready = [0, 1].filter((index) => waiting[index] !== undefined);
          if (ready.length === 0) break;
          const chosen = ready.includes(order[step] ?? -1) ? (order[step] as number) : (ready[0] as number);
          choices.push(ready.filter((index) => index !== chosen));
          const go = waiting[chosen];
          waiting[chosen] = undefined;
          const others = running;
          go?.();
          await until("it goes on", () => waiting[chosen] !== undefined || running < others);
          taken[step] = chosen;
        }
        await Promise.all(programs);
        isGated = false;
        const views = await Promise.all(stores.map((store) => store.update(peek)));
        expect(granted, `order ${order.join("")}`).toContain(count);
        expect(views[0]?.facts).toEqual(views[1]?.facts);
        expect(views[0]?.facts.refreshCount).toBe(1);
        for (const store of stores) await store.close();
        return choices;
      }
      let taken: number[] = [];
      const seen = new Set<string>();
      const open: number[][] = [[]];
      while (open.length > 0) {
        const order = open.pop() ?? [];
        taken = [];
        const choices = await follow(order);
        const way = taken.join("");
        if (seen.has(way)) continue;
        seen.add(way);
        for (let step = order.length; step < choices.length; step += 1) {
          for (const other of choices[step] ?? []) open.push([...taken.slice(0, step), other]);
        }
      }
      expect(seen.size).toBeGreaterThan(1);
      for (const link of links) await link.close();
    });
  });
});
