// Measures the refresh system on the real Claude CLI against the simulator. Real processes, real files; every number is what
// a client, the upstream or the log saw.
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type RunningBench, startBench } from "./bench-server.ts";
import { measureAdmission } from "./auth-gate.ts";
import type { Hammered } from "./hammer.ts";
import { quantile } from "./statistics.ts";
import type { Report } from "./report.ts";
import { inMs, isBelow, type Row, runs } from "./table.ts";

type Goal = Pick<Row, "id" | "what" | "goal">;

const dead = "sk-ant-bench-dead-0001";
const good = "sk-ant-bench-good-0002";

/** Measures the goals one after another; takes about three minutes. In short: a third of the runs, and no hammering. */
export async function measureAuth({ isQuick }: { readonly isQuick: boolean }): Promise<Report> {
  const goals: Row[] = [];
  for (const { take, isLong, ...goal } of measurements) {
    if (!isQuick || isLong !== true) goals.push(await measure(goal, () => take(isQuick)));
  }
  return { part: "auth", title: "The refresh system", notes: [], columns: [], figures: [], goals };
}

interface Measurement extends Goal {
  readonly isLong?: true;
  readonly take: (isQuick: boolean) => Promise<Measured>;
}

const measurements: readonly Measurement[] = [
  { id: "G1", what: "first sign to the look at the credential", goal: "< 50 ms", take: firstSign },
  { id: "G2", what: "renewed credential seen to request answered", goal: "p50 ≤ 1,000 ms", take: carryOver },
  {
    id: "G3",
    what: "100 requests at once on an expired credential",
    goal: "1 refresh at most, 0 errors",
    take: manyAtOnce,
  },
  {
    id: "G4",
    what: "20 clients on a dead credential for 60 s, cooldown 5 s",
    goal: "≤ 3 refreshes, then 503s: p95 < 50 ms",
    isLong: true,
    take: hammer,
  },
  { id: "G6", what: "body of the test query", goal: "< 4,000 bytes", take: testQuery },
  { id: "G7", what: "auth check of a healthy request", goal: "< 5 µs", take: authCheck },
];

type Measured = Pick<Row, "measured" | "isMet">;

/** A measurement that fails has missed its goal, and the others go on. */
async function measure(goal: Goal, take: () => Promise<Measured>): Promise<Row> {
  try {
    return { ...goal, ...(await take()) };
  } catch (error) {
    return { ...goal, measured: `not measured: ${String(error)}`, isMet: false };
  }
}

/** One run of several. One that fails has no figure, which the count shows. */
async function attempt(run: () => Promise<void>): Promise<void> {
  await run().catch((error: unknown) => console.error(`A run failed: ${String(error)}`));
}

async function withKey<T>(
  environment: Record<string, string>,
  run: (bench: RunningBench, file: string) => Promise<T>,
): Promise<T> {
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
    return await run(bench, file);
  } finally {
    await bench.stop();
    await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

/** G1: first sign of a failure to the look at the credential, by the server's own log. */
async function firstSign(isQuick: boolean): Promise<Measured> {
  const rounds = isQuick ? 2 : 5;
  const delays: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await attempt(() =>
      withKey({ CCAPI_AUTH_PARK_MS: "500" }, async (bench) => {
        bench.simulator.credentials.expire(dead, "expired");
        await bench.ask("Hello", "claude-code");
        const seen = bench.logged("failure-report")[0];
        const looked = bench.reads.find((at) => seen !== undefined && at >= seen);
        if (seen !== undefined && looked !== undefined) delays.push(looked - seen);
      }),
    );
  }
  const slowest = quantile(delays, 1);
  return {
    measured: `${inMs(slowest, 1)} at most (${runs(rounds, delays.length)})`,
    isMet: delays.length === rounds && isBelow(slowest, 50),
  };
}

/** G2: new credential on disk to the waiting request answered, the watch's own delay left out. */
async function carryOver(isQuick: boolean): Promise<Measured> {
  const rounds = isQuick ? 3 : 9;
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await attempt(() =>
      withKey({}, async (bench, file) => {
        bench.simulator.credentials.expire(dead, "expired");
        bench.simulator.credentials.add(good);
        const renewal = async () => {
          await bench.until("two calls are rejected", () => bench.rejected() >= 2);
          await sleep(300);
          await writeFile(file, good);
        };
        const [{ status }] = await Promise.all([
          bench.ask("Hello", round % 2 === 0 ? "sonnet" : "claude-code"),
          renewal(),
        ]);
        const changed = bench.logged("credential-change").at(-1);
        if (status === 200 && changed !== undefined) times.push(performance.now() - changed);
      }),
    );
  }
  const median = quantile(times, 0.5);
  return {
    measured: `p50 ${inMs(median)}, p95 ${inMs(quantile(times, 0.95))} (${runs(rounds, times.length)})`,
    isMet: times.length === rounds && isBelow(median, 1_000),
  };
}

/** G3: 100 requests at once on an expired credential. */
async function manyAtOnce(): Promise<Measured> {
  return withKey({ CCAPI_AUTH_PARK_MS: "120000" }, async (bench, file) => {
    bench.simulator.credentials.expire(dead, "expired");
    bench.simulator.credentials.add(good);
    const startedAt = performance.now();
    const renewal = bench
      .until("two calls are rejected", () => bench.rejected() >= 2)
      .then(() => writeFile(file, good));
    const questions = Array.from({ length: 100 }, () => bench.ask("Hello", "sonnet"));
    const [answers] = await Promise.all([Promise.all(questions), renewal]);
    const errors = answers.filter(({ status }) => status !== 200).length;
    const { refreshCount } = await bench.health();
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    return {
      measured: `${refreshCount} refresh, ${errors} errors, ${seconds} s`,
      // None, where the new credential was found before the refresh began.
      isMet: refreshCount <= 1 && errors === 0,
    };
  });
}

/** G4: 20 clients, in a process of their own, hammering a dead credential for 60 s, cooldown 5 s. */
async function hammer(): Promise<Measured> {
  return withKey({ CCAPI_AUTH_COOLDOWN_MS: "5000" }, async (bench) => {
    bench.simulator.credentials.expire(dead, "expired");
    const program = fileURLToPath(new URL("hammer.ts", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [program, bench.url, bench.key, "20", "60000"], {
      timeout: 150_000,
      maxBuffer: 64 * 1_048_576,
    });
    const { wrong, lockedTimes } = JSON.parse(stdout) as Hammered; // Our own program's.
    const { refreshCount } = await bench.health();
    const slow = quantile(lockedTimes, 0.95);
    return {
      measured: `${refreshCount} refreshes, ${bench.calls()} model calls, ${wrong} answers other than 503; locked out: p50 ${inMs(quantile(lockedTimes, 0.5))}, p95 ${inMs(slow)} (${lockedTimes.length} answers)`,
      isMet: refreshCount <= 3 && wrong === 0 && isBelow(slow, 50),
    };
  });
}

/** G6: the body of the test query. */
async function testQuery(): Promise<Measured> {
  return withKey({}, async (bench) => {
    await bench.refresh();
    const bytes = bench.lastBodyBytes();
    return { measured: bytes === 0 ? "not measured" : `${bytes} bytes`, isMet: bytes > 0 && bytes < 4_000 };
  });
}

/** G7: what the check costs, all on its own. */
async function authCheck(): Promise<Measured> {
  const microseconds = measureAdmission();
  return { measured: `${microseconds.toFixed(2)} µs`, isMet: microseconds < 5 };
}
