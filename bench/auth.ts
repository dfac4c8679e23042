// Measures the refresh system on the real Claude CLI against the simulator and prints one table: `npm run bench:auth`.
// Real processes, real files; every number is what a client, the upstream or the log saw. Takes about three minutes.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type RunningBench, startBench } from "./bench-server.ts";
import { measureAdmission } from "./auth-gate.ts";

interface Row {
  readonly id: string;
  readonly what: string;
  readonly goal: string;
  readonly measured: string;
}

const rows: Row[] = [];
const dead = "sk-ant-bench-dead-0001";
const good = "sk-ant-bench-good-0002";

await firstSign();
await carryOver();
await manyAtOnce();
await hammer();
await testQuery();
rows.push({
  id: "G7",
  what: "auth check of a healthy request",
  goal: "< 5 µs",
  measured: `${measureAdmission().toFixed(2)} µs`,
});

console.log("| id | what | goal | measured |\n| --- | --- | --- | --- |");
for (const { id, what, goal, measured } of rows) console.log(`| ${id} | ${what} | ${goal} | ${measured} |`);

async function withKey(
  environment: Record<string, string>,
  run: (bench: RunningBench, file: string) => Promise<void>,
): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), "ccapi-bench-"));
  const file = join(home, "key");
  await writeFile(file, dead);
  const bench = await startBench({
    home,
    file,
    environment: { ANTHROPIC_API_KEY_FILE: file, ...environment },
    credentials: [dead],
  });
  try {
    await run(bench, file);
  } finally {
    await bench.stop();
    await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

/** G1: first sign of a failure to the look at the credential, by the server's own log. */
async function firstSign(): Promise<void> {
  const delays: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    await withKey({ CCAPI_AUTH_PARK_MS: "500" }, async (bench) => {
      bench.simulator.credentials.expire(dead, "expired");
      await bench.ask("Hello", "claude-code");
      const seen = bench.logged("failure-report")[0];
      const looked = bench.reads.find((at) => seen !== undefined && at >= seen);
      if (seen !== undefined && looked !== undefined) delays.push(looked - seen);
    });
  }
  rows.push({
    id: "G1",
    what: "first sign to the look at the credential",
    goal: "< 50 ms",
    measured: `${Math.max(...delays).toFixed(1)} ms at most (${delays.length} runs)`,
  });
}

/** G2: new credential on disk to the waiting request answered, the watch's own delay left out. */
async function carryOver(): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < 9; round += 1) {
    await withKey({}, async (bench, file) => {
      bench.simulator.credentials.expire(dead, "expired");
      bench.simulator.credentials.add(good);
      const answer = bench.ask("Hello", round % 2 === 0 ? "sonnet" : "claude-code");
      await bench.until(() => bench.rejected() >= 2);
      await sleep(300);
      await writeFile(file, good);
      const { status } = await answer;
      const changed = bench.logged("credential-change").at(-1);
      if (status === 200 && changed !== undefined) times.push(performance.now() - changed);
    });
  }
  rows.push({
    id: "G2",
    what: "renewed credential seen to request answered",
    goal: "p50 ≤ 1,000 ms",
    measured: `p50 ${median(times)} ms, p95 ${quantile(times, 0.95)} ms (${times.length} runs)`,
  });
}

/** G3: 100 requests at once on an expired credential. */
async function manyAtOnce(): Promise<void> {
  await withKey({ CCAPI_AUTH_PARK_MS: "120000" }, async (bench, file) => {
    bench.simulator.credentials.expire(dead, "expired");
    bench.simulator.credentials.add(good);
    const startedAt = performance.now();
    const answers = Array.from({ length: 100 }, () => bench.ask("Hello", "sonnet"));
    await bench.until(() => bench.rejected() >= 2);
    await writeFile(file, good);
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    const errors = statuses.filter((status) => status !== 200).length;
    const { refreshCount } = await bench.health();
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    rows.push({
      id: "G3",
      what: "100 requests at once on an expired credential",
      goal: "1 refresh, 0 errors",
      measured: `${refreshCount} refresh, ${errors} errors, ${seconds} s`,
    });
  });
}

/** G4: 20 clients hammering a dead credential for 60 s, cooldown 5 s. */
async function hammer(): Promise<void> {
  await withKey({ CCAPI_AUTH_COOLDOWN_MS: "5000" }, async (bench) => {
    bench.simulator.credentials.expire(dead, "expired");
    const endAt = performance.now() + 60_000;
    const lockedTimes: number[] = [];
    let wrong = 0;
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        while (performance.now() < endAt) {
          const { status, state, ms } = await bench.ask("Hello", "sonnet");
          if (status !== 503) wrong += 1;
          if (state === "locked_out") lockedTimes.push(ms);
          await sleep(20);
        }
      }),
    );
    const { refreshCount } = await bench.health();
    rows.push({
      id: "G4",
      what: "20 clients on a dead credential for 60 s, cooldown 5 s",
      goal: "≤ 3 refreshes, then 503s < 50 ms",
      measured: `${refreshCount} refreshes, ${bench.calls()} model calls, ${wrong} answers other than 503; locked out: p50 ${quantile(lockedTimes, 0.5)} ms, p95 ${quantile(lockedTimes, 0.95)} ms (${lockedTimes.length} answers)`,
    });
  });
}

/** G6: the body of the test query. */
async function testQuery(): Promise<void> {
  await withKey({}, async (bench) => {
    await bench.refresh();
    rows.push({
      id: "G6",
      what: "body of the test query",
      goal: "< 4,000 bytes",
      measured: `${bench.lastBodyBytes()} bytes`,
    });
  });
}

function median(values: readonly number[]): string {
  return quantile(values, 0.5);
}

function quantile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return value === undefined ? "not measured" : value.toFixed(0);
}
