// Ways into trouble, shared by the tests: a confirmed failure, a lock-out, a refresh that takes its time.
import { expect } from "vitest";
import type { Strategy } from "../../src/auth/strategies/strategy.ts";
import { settle } from "./fake-clock.ts";
import { sleep } from "./request.ts";
import { apiRetry, type World } from "./world.ts";

/** A world whose credential is rejected, with the failure confirmed and the refresh begun. */
export async function expire(world: World): Promise<void> {
  world.accepted.clear();
  const admission = world.manager.tryAdmit("request 0");
  admission?.report(apiRetry(1));
  admission?.report(apiRetry(2));
  admission?.release();
  await settle();
}

/** Brings a world into the lock-out. */
export async function lockOut(world: World): Promise<void> {
  await expire(world);
  for (let waits = 0; waits < 10 && world.manager.status().state !== "locked_out"; waits += 1) {
    await world.clock.advance(40_000);
  }
  expect(world.manager.status().state).toBe("locked_out");
}

/** A strategy that counts how many of it run at once, and takes its time. */
export function busyStrategy(world: () => World, seen: { now: number; most: number }): Strategy {
  return {
    name: "busy",
    async run() {
      seen.now += 1;
      seen.most = Math.max(seen.most, seen.now);
      await sleep(world().clock, 400);
      seen.now -= 1;
      return { outcome: "unchanged" };
    },
  };
}
