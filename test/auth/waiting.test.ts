// What the manager promises to requests that wait for the credential.
import { describe, expect, it } from "vitest";
import { CcapiError } from "../../src/auth/errors.ts";
import { settle } from "./fake-clock.ts";
import { request, sleep } from "./request.ts";
import { apiRetry, createWorld, finalFailure, type World } from "./world.ts";

async function ready(options: Parameters<typeof createWorld>[0] = {}): Promise<World> {
  const world = createWorld(options);
  await settle();
  return world;
}

describe("requests that wait", () => {
  it.each([true, false])(
    "are carried on when the credential is renewed, and their clients see nothing (A5) %s",
    async (retries) => {
      const world = await ready();
      world.accepted.clear();
      const answer = request(world, { retries });
      await world.clock.advance(12_000);
      world.material = "second";
      world.accepted.add("second");
      await world.clock.advance(5_000 + 500);
      await expect(answer).resolves.toMatchObject({ answer: "second" });
      expect(world.manager.status()).toMatchObject({ state: "authenticated", consecutiveFailures: 0 });
      await world.close();
    },
  );

  it("are one refresh for 100 of them, and no error (A6, G3)", async () => {
    const world: World = await ready({
      strategies: [
        {
          name: "renew",
          async run() {
            world.material = "second";
            world.accepted.add("second");
            return { outcome: "changed" };
          },
        },
      ],
    });
    world.accepted.clear();
    const answers = Array.from({ length: 100 }, (_, index) => request(world, { retries: index % 2 === 0 }));
    await world.clock.advance(10_000);
    expect((await Promise.all(answers)).every(({ answer }) => answer === "second")).toBe(true);
    expect(world.manager.status().refreshCount).toBe(1);
    expect(world.proofs).toEqual([]);
    await world.close();
  });

  it("give the proof, one of them, so that no test query is spent (A4)", async () => {
    const world = await ready();
    world.accepted.clear();
    const answer = request(world, { retries: true });
    await world.clock.advance(750);
    world.accepted.add(world.material);
    await world.clock.advance(60_000);
    await answer;
    expect(world.eventsOf("wait-end").map(({ outcome }) => outcome)).toContain("canary");
    expect(world.proofs).toEqual([]);
    await world.close();
  });

  it("end the refresh as failed where the one that gives the proof is rejected (A4)", async () => {
    const world = await ready();
    world.accepted.clear();
    const answer = request(world, { retries: true }).catch(() => undefined);
    await world.clock.advance(850);
    expect(world.eventsOf("refresh-end")).toMatchObject([{ outcome: "rejected", consecutiveFailures: 1 }]);
    expect(world.proofs).toEqual([]);
    expect(world.manager.status().state).toBe("cooling_down");
    await world.clock.advance(60_000);
    await answer;
    await world.close();
  });

  it("are let pass by a proof that learns nothing: the next one gives it, then a test query (A4)", async () => {
    const world = await ready();
    world.accepted.clear();
    world.manager.tryAdmit("a")?.report(apiRetry(1));
    world.manager.tryAdmit("b")?.report(apiRetry(1));
    const waiting = [0, 1, 2, 3].map((index) => world.manager.admit({ operation: `request ${index}` }));
    for (const each of waiting.slice(0, 3)) {
      await settle();
      const canary = await each;
      expect(canary.isCanary).toBe(true);
      canary.report(finalFailure("rate_limit"));
      canary.release();
    }
    world.accepted.add(world.material);
    await world.clock.advance(100);
    expect((await waiting[3])?.isCanary).toBe(false);
    expect(world.proofs).toHaveLength(1);
    await world.close();
  });

  it("cost little where 20 clients hammer a dead credential: 3 refreshes, then a fast error (A7, G4)", async () => {
    const world = await ready({ policy: { cooldownMs: 5_000 } });
    world.accepted.clear();
    let isOver = false;
    const client = async () => {
      while (!isOver) {
        await request(world).catch(() => undefined);
        await sleep(world.clock, 50);
      }
    };
    const clients = Array.from({ length: 20 }, client);
    await world.clock.advance(60_000);
    expect(world.manager.status()).toMatchObject({ state: "locked_out", refreshCount: 3 });
    const admittedAtOnce = 20;
    expect(world.calls.length + world.proofs.length).toBeLessThanOrEqual(2 * admittedAtOnce + 3);
    isOver = true;
    await world.clock.advance(1_000);
    await Promise.all(clients);
    await world.close();
  });

  it("give a proof that Claude's own second attempt may still bring, whatever is seen meanwhile (A4, A5)", async () => {
    const world = await ready({ reading: { claudeRenews: true } });
    world.accepted.clear();
    world.manager.tryAdmit("a")?.report(apiRetry(2));
    world.manager.tryAdmit("b")?.report(apiRetry(2));
    const waiting = world.manager.admit({ operation: "c" });
    await settle();
    const canary = await waiting;
    expect(canary.isCanary).toBe(true);
    const told: string[] = [];
    canary.onDecision(({ action }) => told.push(action));
    expect(canary.report(apiRetry(1)).action).toBe("continue");
    world.material = "second"; // Claude has renewed it.
    world.accepted.add("second");
    world.touch();
    await world.clock.advance(500);
    expect(told).toEqual([]);
    canary.succeeded("answer");
    await settle();
    expect(world.manager.status().state).toBe("authenticated");
    await world.close();
  });

  it("are let go, and not turned away, where their time ends while they stand in the line of those who go (A6)", async () => {
    const policy = { parkMs: 1_000, releaseBatch: 1, releaseIntervalMs: 400 };
    const world = await ready({ policy });
    world.accepted.clear();
    world.manager.tryAdmit("a")?.report(apiRetry(1));
    world.manager.tryAdmit("b")?.report(apiRetry(1));
    const all = [0, 1, 2, 3].map((index) => world.manager.admit({ operation: `request ${index}` }));
    const canary = await all[0];
    await world.clock.advance(900);
    canary?.succeeded("answer");
    await world.clock.advance(2_000);
    const ends = await Promise.allSettled(all);
    expect(ends.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "fulfilled", "fulfilled"]);
    await world.close();
  });

  it("are bounded in number: the next is told to come again", async () => {
    const world = await ready({ policy: { maxWaiting: 2 } });
    world.accepted.clear();
    world.manager.tryAdmit("a")?.report(apiRetry(1));
    world.manager.tryAdmit("b")?.report(apiRetry(1));
    world.proof = () => new Promise(() => undefined);
    await settle();
    const waiting = [0, 1].map(() => world.manager.admit({ operation: "x" }).catch((error: unknown) => error));
    await expect(world.manager.admit({ operation: "y" })).rejects.toMatchObject({ code: "queue_full" });
    await world.close();
    for (const each of waiting) expect(await each).toBeInstanceOf(CcapiError);
  });

  it("are bounded in time, over all their waits (A5)", async () => {
    const world = await ready();
    world.accepted.clear();
    const answer = request(world, { retries: true }).catch((error: unknown) => error);
    await world.clock.advance(44_000);
    expect(world.manager.status().waiting).toBe(1);
    await world.clock.advance(10_000);
    expect(await answer).toMatchObject({ code: "upstream_auth_unavailable", retryAfterMs: expect.any(Number) });
    await world.close();
  });
});
