// 40 requests, so many at a time: how long they take together, what a client waits, and what memory they need.
import { randomUUID } from "node:crypto";
import { type Loaded, runLoad } from "./load.ts";
import { atRest, treeOf } from "./process-tree.ts";
import type { Figures, Report } from "./report.ts";
import { openStage, type Stage } from "./stage.ts";
import { quantile, spreadOf } from "./statistics.ts";
import type { Streamed } from "./streamed.ts";
import type { Row } from "./table.ts";
import { askPrint, askQuery, askRaw, askServer, type Message } from "./ways.ts";

type WayName =
  | "the upstream alone"
  | "ccapi: new plain chats"
  | "ccapi: follow-ups"
  | "`query()` for each"
  | "`claude -p` for each";

/** So many requests by one way, some of them at a time. */
interface Load {
  readonly way: WayName;
  readonly atOnce: number;
  /** Of the model, between two tokens. */
  readonly delayMs: number;
}

type Measured = Load & Loaded;

const requests = 40;
const tokens = 50;

/** Measures the loads, each several times in turn. */
export async function measureThroughput({ isQuick }: { readonly isQuick: boolean }): Promise<Report> {
  const stage = await openStage();
  const measured: Measured[] = [];
  try {
    await setDelay(stage, 0);
    await atRest(stage.server.pid);
    const cold = await run({ way: "ccapi: new plain chats", atOnce: 8, delayMs: 0 }, stage);
    for (let round = 0; round < (isQuick ? 2 : 3); round += 1) {
      for (const load of loads(isQuick, round)) measured.push(await run(load, stage));
    }
    return toReport(measured, cold);
  } finally {
    await stage.stop();
  }
}

/** The slow ways only once and 8 at a time: they need half a second of a core for each request. */
function loads(isQuick: boolean, round: number): Load[] {
  const concurrencies = isQuick ? [8] : [1, 4, 8, 16];
  return [0, 10].flatMap((delayMs) => [
    ...concurrencies.flatMap((atOnce) =>
      (["the upstream alone", "ccapi: new plain chats", "ccapi: follow-ups"] as const)
        // One at a time, with a delay: 40 times half a second, of which nothing is learned.
        .filter(() => delayMs === 0 || atOnce > 1 || round === 0)
        .map((way) => ({ way, atOnce, delayMs })),
    ),
    ...(round > 0 || isQuick
      ? []
      : (["`query()` for each", "`claude -p` for each"] as const).map((way) => ({ way, atOnce: 8, delayMs }))),
  ]);
}

async function run(load: Load, stage: Stage): Promise<Measured> {
  await setDelay(stage, load.delayMs);
  await stage.upstream.control("clear-requests", {});
  const clients = await Promise.all(Array.from({ length: load.atOnce }, () => prepareClient(load.way, stage)));
  await atRest(stage.server.pid);
  return { ...load, ...(await runLoad(clients, requests, () => pidsOf(load.way, stage))) };
}

/** One of the clients that ask at the same time; of follow-ups, with a conversation begun. */
async function prepareClient(way: WayName, stage: Stage): Promise<() => Promise<Streamed>> {
  const words = () => `Tell me of ${randomUUID()}`;
  switch (way) {
    case "the upstream alone":
      return () => askRaw(stage, words());
    case "`query()` for each":
      return () => askQuery(stage, words());
    case "`claude -p` for each":
      return () => askPrint(stage, words());
    case "ccapi: new plain chats":
      return () => askServer(stage, [{ role: "user", content: words() }]);
    case "ccapi: follow-ups": {
      let history: Message[] = [];
      const turn = async () => {
        const asked: Message[] = [...history, { role: "user", content: words() }];
        const answer = await askServer(stage, asked);
        history = [...asked, { role: "assistant", content: answer.text }];
        return answer;
      };
      await turn();
      return turn;
    }
  }
}

/** The server with all that it started; for the other ways, what this process started beside the stage. */
async function pidsOf(way: WayName, { server, upstream }: Stage): Promise<number[]> {
  if (way.startsWith("ccapi")) return treeOf(server.pid);
  const stage = new Set([...(await treeOf(server.pid)), ...(await treeOf(upstream.pid)), process.pid]);
  return (await treeOf(process.pid)).filter((pid) => !stage.has(pid));
}

async function setDelay({ upstream }: Stage, delayMs: number): Promise<void> {
  await upstream.control("rules", { rules: [{ tokens, delayMs }] });
}

function toReport(measured: readonly Measured[], cold: Measured): Report {
  const grouped = Map.groupBy(measured, ({ way, atOnce, delayMs }) => `${delayMs} ${atOnce} ${way}`);
  const lines = [...grouped.values()].flatMap((all) => all.slice(0, 1).map((load) => toLine(load, all)));
  const baseOf = (line: Line) =>
    lines.find((one) => one.way === "the upstream alone" && one.atOnce === line.atOnce && one.delayMs === line.delayMs);
  const withRatio = lines.map((line) => ({ ...line, ratio: ratioOf(line.wallS, baseOf(line)?.wallS) }));
  return {
    part: "throughput",
    title: `${requests} requests, some at a time, ${tokens} tokens each`,
    notes: [
      "Medians of the rounds: seconds for all requests together, milliseconds to a client's first text, and the most memory (PSS) of all the processes that answer: " +
        "for ccapi the server with them, for the others the Claude processes alone. A follow-up goes on in the history of its client.",
    ],
    columns: [
      { key: "delayMs", head: "ms a token" },
      { key: "atOnce", head: "at a time" },
      { key: "way", head: "way" },
      { key: "wallS", head: "all, s", digits: 2 },
      { key: "ratio", head: "of the upstream's", digits: 2 },
      { key: "p50", head: "first text, p50" },
      { key: "p95", head: "p95" },
      { key: "memoryMB", head: "PSS, MB" },
      { key: "failed", head: "failed" },
    ],
    figures: [...withRatio, { ...toLine(cold, [cold]), way: "ccapi: new plain chats, right after the start" }],
    goals: [fastGoal(withRatio), slowGoal(withRatio)],
  };
}

type Line = Figures & Pick<Load, "way" | "atOnce" | "delayMs"> & { wallS: number; memoryMB: number; failed: number };
type RatioLine = Line & { ratio: number | undefined };

function toLine(load: Load, all: readonly Measured[]): Line {
  const { way, atOnce, delayMs } = load;
  const { p50, p95 } = spreadOf(all.flatMap(({ firstMs }) => firstMs));
  return {
    way,
    atOnce,
    delayMs,
    p50,
    p95,
    wallS:
      (quantile(
        all.map(({ wallMs }) => wallMs),
        0.5,
      ) ?? Number.NaN) / 1_000,
    memoryMB: Math.max(...all.map(({ memoryBytes }) => memoryBytes)) / 1_048_576,
    failed: all.reduce((sum, { failed }) => sum + failed, 0),
  };
}

function ratioOf(value: number, base: number | undefined): number | undefined {
  return base === undefined ? undefined : value / base;
}

function find(lines: readonly RatioLine[], delayMs: number): RatioLine | undefined {
  return lines.find((line) => line.way === "ccapi: new plain chats" && line.atOnce === 8 && line.delayMs === delayMs);
}

function fastGoal(lines: readonly RatioLine[]): Row {
  const line = find(lines, 0);
  return {
    id: "G9",
    what: `${requests} new plain chats, 8 at a time, no delay`,
    goal: "< 3 s, < 800 MB",
    measured:
      line === undefined
        ? "not measured"
        : `${line.wallS.toFixed(2)} s, ${line.memoryMB.toFixed(0)} MB, ${line.failed} failed`,
    isMet: line !== undefined && line.wallS < 3 && line.memoryMB < 800 && line.failed === 0,
  };
}

function slowGoal(lines: readonly RatioLine[]): Row {
  const line = find(lines, 10);
  return {
    id: "G9",
    what: `${requests} new plain chats, 8 at a time, 10 ms a token`,
    goal: "≤ 1.3 × the upstream's",
    measured: line?.ratio === undefined ? "not measured" : `${line.ratio.toFixed(2)} ×, ${line.failed} failed`,
    isMet: line?.ratio !== undefined && line.ratio <= 1.3 && line.failed === 0,
  };
}
