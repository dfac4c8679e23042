// The demo's scenes about the credential: it expires and is renewed, it dies for good, it comes back.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ask, assertKept, type Scene, tryToAsk } from "./client.ts";
import type { Stage } from "./stage.ts";

/** Made up, as everything here. */
export const keys = {
  first: "sk-ant-demo-0001",
  second: "sk-ant-demo-0002",
  third: "sk-ant-demo-0003",
  fourth: "sk-ant-demo-0004",
};

const expiry: Scene = {
  title: "The credential expires, and somebody renews it while a request waits",
  async play(stage, tell) {
    stage.simulator.credentials.add({ value: keys.second, name: "second" });
    stage.simulator.credentials.expire(keys.first, "expired");
    const renewal = async () => {
      await untilRejected(stage);
      await sleep(500);
      const startedAt = performance.now();
      await renew(stage, keys.second);
      return startedAt;
    };
    const [{ text, ms }, renewedAt] = await Promise.all([ask(stage, "Say exactly: I was carried over."), renewal()]);
    tell(`asked with the old key, answered with the new one: "${text}" after ${ms} ms,`);
    tell(
      `${Math.round(performance.now() - renewedAt)} ms after the new key was there; the client saw one answer and no error`,
    );
    assertKept(text.includes("I was carried over"), "the very same request is answered");
    const { authentication } = await health(stage);
    tell(`health: ${authentication.state}; the waiting request itself was the proof`);
    assertKept(authentication.state === "authenticated", "health says so");
  },
};

const crowd: Scene = {
  title: "It expires for 12 requests at once",
  async play(stage, tell) {
    const before = (await health(stage)).authentication.refreshCount;
    stage.simulator.credentials.add({ value: keys.third, name: "third" });
    stage.simulator.credentials.expire(keys.second, "expired");
    const questions = Array.from({ length: 12 }, (_, index) => ask(stage, `Say exactly: number ${index}.`));
    const renewal = untilRejected(stage).then(() => renew(stage, keys.third));
    const [answers] = await Promise.all([Promise.all(questions), renewal]);
    const times = answers.map(({ ms }) => ms);
    const refreshes = (await health(stage)).authentication.refreshCount - before;
    tell(`12 answers, 0 errors, ${refreshes} refresh; the slowest took ${Math.max(...times)} ms`);
    assertKept(refreshes <= 1, "one refresh for all");
  },
};

const toolLoop: Scene = {
  title: "It expires in the middle of an agent's work, between two tools",
  async play(stage, tell) {
    const results = ({ body }: { body: unknown }) => JSON.stringify(body).split('"type":"tool_result"').length - 1;
    const touch = (step: number, words: string) => [
      { type: "text" as const, text: words },
      {
        type: "tool_use" as const,
        name: "Bash",
        input: { command: `touch step-${step}`, description: `step ${step}` },
      },
    ];
    let renewal: Promise<void> | undefined;
    stage.simulator.credentials.add({ value: keys.fourth, name: "fourth" });
    stage.simulator.setRules([
      {
        when(request) {
          if (renewal !== undefined || results(request) !== 1) return false;
          stage.simulator.credentials.expire(keys.third, "expired");
          renewal = sleep(800).then(() => renew(stage, keys.fourth));
          renewal.catch(() => undefined); // Heard of below, after the answer.
          return true;
        },
        fault: { kind: "status", status: 401, type: "authentication_error", message: "OAuth token has expired." },
      },
      { when: (request) => results(request) === 0, answer: touch(1, "First step.") },
      { when: (request) => results(request) === 1, answer: touch(2, "Second step.") },
      { when: (request) => results(request) === 2, answer: [{ type: "text", text: "Both done." }] },
    ]);
    const before = stage.simulator.requests.length;
    const { text, ms } = await ask(stage, "Two steps, please", { model: "claude-code" });
    await renewal;
    // Without the question by which the server may prove the new key meanwhile: that one has no tools.
    const accepted = stage.simulator.requests
      .slice(before)
      .filter(({ outcome, body }) => outcome === "answered" && hasTools(body));
    stage.simulator.setRules([]);
    tell(`"${text.replaceAll("\n\n", " ")}" after ${ms} ms`);
    tell(`the model answered ${accepted.length} calls: each step once, and none of it again`);
    assertKept(text === "First step.\n\nSecond step.\n\nBoth done.", "no word is missing or said twice");
    assertKept(accepted.length === 3, "no tool ran twice");
  },
};

const death: Scene = {
  title: "It dies for good: three refreshes fail, then nobody waits any more",
  async play(stage, tell) {
    stage.simulator.credentials.expire(keys.fourth, "expired");
    const startedAt = performance.now();
    let state = "";
    while (state !== "locked_out") {
      assertKept(performance.now() - startedAt < 40_000, "after three failed refreshes nobody waits any more");
      await tryToAsk(stage, "Anybody there?");
      ({ state } = (await health(stage)).authentication);
      assertKept(state !== "authenticated", "a dead credential is not taken for a good one");
    }
    const calls = stage.simulator.requests.length;
    const { status, ms, message } = await tryToAsk(stage, "And now?");
    tell(`HTTP ${status} in ${ms} ms: ${message}`);
    assertKept(status === 503 && ms < 1_000, "a 503 at once");
    assertKept(stage.simulator.requests.length === calls, "no process and no model call for it");
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
      assertKept(performance.now() - mendedAt < 20_000, "healed within seconds");
    }
    tell(`answered again ${Math.round(performance.now() - mendedAt)} ms after the key was there`);
    assertKept((await health(stage)).authentication.state === "authenticated", "health says so");
  },
};

/** In their order. */
export const authScenes: readonly Scene[] = [expiry, crowd, toolLoop, death, recovery];

function hasTools(body: unknown): boolean {
  return (
    typeof body === "object" && body !== null && "tools" in body && Array.isArray(body.tools) && body.tools.length > 0
  );
}

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
    assertKept(performance.now() - startedAt < 20_000, "the model API rejects the old key");
    await sleep(20);
  }
}
