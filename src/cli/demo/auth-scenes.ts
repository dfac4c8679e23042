// The demo's scenes about the credential: it expires and is renewed, it dies for good, it comes back.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ask, promise, type Scene, tryToAsk } from "./client.ts";
import type { Stage } from "./stage.ts";

/** Made up, as everything here. */
export const keys = { first: "sk-ant-demo-0001", second: "sk-ant-demo-0002", third: "sk-ant-demo-0003" };

const expiry: Scene = {
  title: "The credential expires, and somebody renews it while a request waits",
  async play(stage, tell) {
    stage.simulator.credentials.add({ value: keys.second, name: "second" });
    stage.simulator.credentials.expire(keys.first, "expired");
    const answer = ask(stage, "Say exactly: I was carried over.");
    await untilRejected(stage);
    await sleep(500);
    const renewedAt = performance.now();
    await renew(stage, keys.second);
    const { text, ms } = await answer;
    tell(`asked with the old key, answered with the new one: "${text}" after ${ms} ms,`);
    tell(
      `${Math.round(performance.now() - renewedAt)} ms after the new key was there; the client saw one answer and no error`,
    );
    promise(text.includes("I was carried over"), "the very same request is answered");
    const { authentication } = await health(stage);
    tell(`health: ${authentication.state}, refreshes: ${authentication.refreshCount}`);
    promise(authentication.state === "authenticated", "health says so");
  },
};

const crowd: Scene = {
  title: "It expires for 12 requests at once",
  async play(stage, tell) {
    const before = (await health(stage)).authentication.refreshCount;
    stage.simulator.credentials.add({ value: keys.third, name: "third" });
    stage.simulator.credentials.expire(keys.second, "expired");
    const answers = Promise.all(Array.from({ length: 12 }, (_, index) => ask(stage, `Say exactly: number ${index}.`)));
    await untilRejected(stage);
    await renew(stage, keys.third);
    const times = (await answers).map(({ ms }) => ms);
    const refreshes = (await health(stage)).authentication.refreshCount - before;
    tell(`12 answers, 0 errors, ${refreshes} refresh; the slowest took ${Math.max(...times)} ms`);
    promise(refreshes <= 1, "one refresh for all");
  },
};

const death: Scene = {
  title: "It dies for good: three refreshes fail, then nobody waits any more",
  async play(stage, tell) {
    stage.simulator.credentials.expire(keys.third, "expired");
    let state = "";
    while (state !== "locked_out") {
      await tryToAsk(stage, "Anybody there?");
      ({ state } = (await health(stage)).authentication);
      promise(state !== "authenticated", "a dead credential is not taken for a good one");
    }
    const calls = stage.simulator.requests.length;
    const { status, ms, message } = await tryToAsk(stage, "And now?");
    tell(`HTTP ${status} in ${ms} ms: ${message}`);
    promise(status === 503 && ms < 1_000, "a 503 at once");
    promise(stage.simulator.requests.length === calls, "no process and no model call for it");
  },
};

const recovery: Scene = {
  title: "A new key appears, and nobody has to restart anything",
  async play(stage, tell) {
    stage.simulator.credentials.restore(keys.first);
    const mendedAt = performance.now();
    await renew(stage, keys.first);
    for (;;) {
      const { status } = await tryToAsk(stage, "Say exactly: I am back.");
      if (status === 200) break;
      promise(performance.now() - mendedAt < 10_000, "healed within seconds");
    }
    tell(`answered again ${Math.round(performance.now() - mendedAt)} ms after the key was there`);
    promise((await health(stage)).authentication.state === "authenticated", "health says so");
  },
};

/** In their order. */
export const authScenes: readonly Scene[] = [expiry, crowd, death, recovery];

function renew(stage: Stage, key: string): Promise<void> {
  return writeFile(join(stage.home, "key"), `${key}\n`);
}

interface Health {
  readonly authentication: { readonly state: string; readonly refreshCount: number };
}

async function health(stage: Stage): Promise<Health> {
  return (await (await stage.get("/health/auth")).json()) as Health;
}

async function untilRejected(stage: Stage): Promise<void> {
  const before = stage.simulator.requests.length;
  const startedAt = performance.now();
  while (!stage.simulator.requests.slice(before).some(({ outcome }) => outcome === "rejected")) {
    promise(performance.now() - startedAt < 10_000, "the model API rejects the old key");
    await sleep(20);
  }
}
