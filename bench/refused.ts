// What it costs to say no: a wrong key, a wrong body, a credential that is locked out. No process, no model call, few milliseconds.
import { setTimeout as sleep } from "node:timers/promises";
import { treeOf } from "./process-tree.ts";
import type { Figures, Report } from "./report.ts";
import { clientKey, credential, openStage, type Stage } from "./stage.ts";
import { spreadOf } from "./statistics.ts";
import { inMs, isBelow, type Row } from "./table.ts";

interface Refusal {
  readonly what: string;
  readonly status: number;
  readonly key: string;
  readonly body: object;
}

const question = { model: "sonnet", messages: [{ role: "user", content: "Hello" }] };
const healthy: readonly Refusal[] = [
  { what: "wrong key", status: 401, key: "not-a-key", body: question },
  { what: "wrong body", status: 400, key: clientKey, body: { model: "sonnet", messages: "none" } },
];
const lockedOut: Refusal = { what: "credential locked out", status: 503, key: clientKey, body: question };

const limitMs = 5;
const clients = 16;

/** Measures each refusal: one request at a time, and then many clients at once. */
export async function measureRefused({ isQuick }: { readonly isQuick: boolean }): Promise<Report> {
  const stage = await openStage({
    credentialInFile: true,
    environment: { CCAPI_AUTH_COOLDOWN_MS: "0", CCAPI_AUTH_PARK_MS: "1000", CCAPI_POOL_MAX_IDLE: "0" },
  });
  const figures: RefusalFigures[] = [];
  try {
    for (const refusal of healthy) figures.push(await measure(refusal, stage, isQuick));
    await stage.upstream.control("expire", { value: credential });
    await lockOut(stage);
    figures.push(await measure(lockedOut, stage, isQuick));
  } finally {
    await stage.stop();
  }
  return {
    part: "refused",
    title: "Requests that are refused",
    notes: [`Milliseconds of one request at a time, then requests a second from ${clients} clients in one process.`],
    columns: [
      { key: "what", head: "why" },
      { key: "status", head: "status" },
      { key: "p50", head: "p50, ms", digits: 2 },
      { key: "p95", head: "p95, ms", digits: 2 },
      { key: "perSecond", head: "requests/s" },
      { key: "processes", head: "processes started" },
      { key: "calls", head: "model calls" },
    ],
    figures,
    goals: figures.map((one) => toGoal(one)),
  };
}

type RefusalFigures = Figures & { what: string; p95: number | undefined; processes: number; calls: number };

async function measure(refusal: Refusal, stage: Stage, isQuick: boolean): Promise<RefusalFigures> {
  const ask = async () => {
    const startedAt = performance.now();
    const response = await fetch(`${stage.server.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${refusal.key}`, "content-type": "application/json" },
      body: JSON.stringify(refusal.body),
      signal: AbortSignal.timeout(10_000),
    });
    const text = await response.text();
    if (response.status !== refusal.status) throw new Error(`${refusal.what}: ${response.status} ${text}`);
    return performance.now() - startedAt;
  };
  for (let warming = 0; warming < 100; warming += 1) await ask();
  const before = await counts(stage);
  const times: number[] = [];
  for (let taken = 0; taken < (isQuick ? 200 : 1_000); taken += 1) times.push(await ask());
  const seconds = isQuick ? 1 : 5;
  const endAt = performance.now() + seconds * 1_000;
  let answered = 0;
  await Promise.all(
    Array.from({ length: clients }, async () => {
      for (; performance.now() < endAt; answered += 1) await ask();
    }),
  );
  const after = await counts(stage);
  return {
    what: refusal.what,
    status: String(refusal.status),
    ...spreadOf(times),
    perSecond: answered / seconds,
    processes: after.processes - before.processes,
    calls: after.calls - before.calls,
  };
}

async function counts({ server, upstream }: Stage): Promise<{ processes: number; calls: number }> {
  return { processes: (await treeOf(server.pid)).length, calls: await upstream.requestCount() };
}

/** Asks until the credential is locked out, and everything that was tried for it has ended. */
async function lockOut(stage: Stage): Promise<void> {
  const headers = { authorization: `Bearer ${clientKey}`, "content-type": "application/json" };
  for (let tries = 0; tries < 60; tries += 1) {
    const response = await fetch(`${stage.server.url}/v1/chat/completions`, {
      method: "POST",
      headers,
      body: JSON.stringify(question),
      signal: AbortSignal.timeout(60_000),
    });
    const { error } = (await response.json()) as { error?: { state?: string } };
    if (error?.state === "locked_out") {
      await sleep(2_000);
      return;
    }
    await sleep(200);
  }
  throw new Error("The credential was never locked out.");
}

function toGoal({ what, p95, processes, calls }: RefusalFigures): Row {
  return {
    id: "refused",
    what: `${what}: answered`,
    goal: `p95 < ${limitMs} ms, no process, no model call`,
    measured: `${inMs(p95, 2)}, ${processes} processes, ${calls} calls`,
    isMet: isBelow(p95, limitMs) && processes <= 0 && calls === 0,
  };
}
