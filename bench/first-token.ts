// How long the first token takes, one request at a time: every way of asking in turn, round after round, on the same simulator.
import { randomUUID } from "node:crypto";
import { atRest } from "./process-tree.ts";
import type { Report } from "./report.ts";
import { openStage, type Stage, clientKey } from "./stage.ts";
import { above, type Spread, spreadOf } from "./statistics.ts";
import type { Streamed } from "./streamed.ts";
import { inMs, type Row, runs } from "./table.ts";
import { type Ask, askPrint, askQuery, askRaw, askServer, type Message } from "./ways.ts";

/** A way of asking: what has to be there before is prepared first, and not measured. */
interface Way {
  readonly name: string;
  /** Most milliseconds that its median may be above the upstream's. */
  readonly limitMs?: number;
  prepare(stage: Stage): Promise<Shot>;
}

interface Shot {
  ask(): Promise<Streamed>;
  tidy?(): Promise<void>;
}

const upstream = "the upstream alone";
const agent = "claude-code";

const ways: readonly Way[] = [
  { name: upstream, prepare: async (stage) => ({ ask: () => askRaw(stage, words()) }) },
  { name: "ccapi: follow-up, by its history", limitMs: 30, prepare: (stage) => followHistory(stage) },
  { name: "ccapi: follow-up, by session", limitMs: 30, prepare: (stage) => followSession(stage, {}) },
  { name: "ccapi: new plain chat", limitMs: 60, prepare: async (stage) => ({ ask: () => askNew(stage, {}) }) },
  {
    name: "ccapi: new plain chat of a new end user",
    prepare: async (stage) => ({ ask: () => askNew(stage, { user: randomUUID() }) }),
  },
  { name: "ccapi: agent, follow-up", limitMs: 30, prepare: (stage) => followSession(stage, { model: agent }) },
  {
    name: "ccapi: agent, new conversation",
    limitMs: 150,
    prepare: async (stage) => ({ ask: () => askNew(stage, { model: agent }) }),
  },
  { name: "`query()` for each request", prepare: async (stage) => ({ ask: () => askQuery(stage, words()) }) },
  {
    name: "`query()` for each request, agent",
    prepare: async (stage) => ({ ask: () => askQuery(stage, words(), "agent") }),
  },
  { name: "`claude -p` for each request", prepare: async (stage) => ({ ask: () => askPrint(stage, words()) }) },
];

/** Measures all ways. */
export async function measureFirstToken({ isQuick }: { readonly isQuick: boolean }): Promise<Report> {
  const rounds = isQuick ? 5 : 25;
  const taken = new Map<string, number[]>(ways.map(({ name }) => [name, []]));
  const stage = await openStage();
  try {
    await stage.upstream.control("rules", { rules: [{ tokens: 50 }] });
    // The first round finds a server that has just started, and is left out.
    for (let round = 0; round <= rounds; round += 1) {
      for (const way of ways) {
        const firstMs = await shoot(way, stage);
        if (round > 0 && firstMs !== undefined) taken.get(way.name)?.push(firstMs);
      }
      await stage.upstream.control("clear-requests", {});
    }
  } finally {
    await stage.stop();
  }
  return toReport(taken, rounds);
}

/** One measurement, from rest. One that fails has no figure, which the count shows. */
async function shoot(way: Way, stage: Stage): Promise<number | undefined> {
  try {
    const shot = await way.prepare(stage);
    await atRest(stage.server.pid);
    await stage.greet();
    const { firstMs } = await shot.ask();
    await shot.tidy?.();
    return firstMs;
  } catch (error) {
    console.error(`${way.name}: ${String(error)}`);
    return undefined;
  }
}

/** Never the same twice: nothing may be answered from a memory. */
function words(): string {
  return `Tell me of ${randomUUID()}`;
}

function askNew(stage: Stage, ask: Ask): Promise<Streamed> {
  return askServer(stage, [{ role: "user", content: words() }], ask);
}

async function followHistory(stage: Stage): Promise<Shot> {
  const begun: Message[] = [{ role: "user", content: words() }];
  const { text } = await askServer(stage, begun);
  const next: Message[] = [...begun, { role: "assistant", content: text }, { role: "user", content: words() }];
  return { ask: () => askServer(stage, next) };
}

async function followSession(stage: Stage, ask: Ask): Promise<Shot> {
  const session = randomUUID();
  const turn = () => askNew(stage, { ...ask, session });
  await turn();
  return {
    ask: turn,
    async tidy() {
      const headers = { authorization: `Bearer ${clientKey}` };
      await fetch(`${stage.server.url}/v1/sessions/${session}`, { method: "DELETE", headers });
    },
  };
}

function toReport(taken: ReadonlyMap<string, readonly number[]>, rounds: number): Report {
  const base = spreadOf(taken.get(upstream) ?? []).p50;
  const spreads = ways.map((way) => ({ way, spread: spreadOf(taken.get(way.name) ?? []) }));
  return {
    part: "speed",
    title: "First token, one request at a time",
    notes: [
      `${rounds} rounds of every way in turn; 50 tokens without delay. Each measurement begins when the server's processes are at rest, on open connections. ` +
        "Milliseconds from the request to the first piece of text.",
    ],
    columns: [
      { key: "way", head: "way" },
      { key: "p50", head: "p50", digits: 1 },
      { key: "p95", head: "p95", digits: 1 },
      { key: "above", head: "p50 above the upstream's", digits: 1 },
      { key: "count", head: "measured" },
    ],
    figures: spreads.map(({ way, spread }) => ({ way: way.name, ...spread, above: above(spread.p50, base) })),
    goals: spreads.flatMap(({ way, spread }) => toGoal(way, spread, base, rounds)),
  };
}

function toGoal({ name, limitMs }: Way, spread: Spread, base: number | undefined, rounds: number): Row[] {
  if (limitMs === undefined) return [];
  const measured = above(spread.p50, base);
  return [
    {
      id: "G5",
      what: `first token of ${name}`,
      goal: `p50 ≤ ${limitMs} ms above the upstream's`,
      measured: `${inMs(measured, 1)} (${runs(rounds, spread.count)})`,
      isMet: measured !== undefined && measured <= limitMs && spread.count === rounds,
    },
  ];
}
