// `npm run soak [-- --minutes 3] [--log FILE]`: mixed traffic on the real server and the real Claude CLI, while the credential is rotated,
// processes are killed and clients go away. Ends with 1 where an error came that was not provoked, where memory or open
// files grew, or where a process or a transcript is left.
import { createWriteStream } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { openFilesOf, residentOf } from "./process-tree.ts";
import { toColumns } from "./report.ts";
import { growthOf, type Slack } from "./soak/flat.ts";
import { marksOf, processesOf, transcriptsOf } from "./soak/leftovers.ts";
import { createTally, type Tally } from "./soak/tally.ts";
import { allTraffic, longWords, type Traffic } from "./soak/traffic.ts";
import { makeTroubles } from "./soak/troubles.ts";
import { credential, openStage, type Stage } from "./stage.ts";
import { type Row, toTable } from "./table.ts";

const { values } = parseArgs({ options: { minutes: { type: "string", default: "30" }, log: { type: "string" } } });
const minutes = Number(values.minutes);
if (!(minutes >= 0.5 && minutes <= 24 * 60)) {
  console.error("--minutes has to be a number from 0.5 to 1440.");
  process.exit(2);
}

const keys = ["soak-key-one", "soak-key-two", "soak-key-three"] as const;
/** So many requests are on their way at the same time. */
const clients = 6;

const endingColumns = [
  { key: "traffic", head: "traffic" },
  { key: "end", head: "end" },
  { key: "count", head: "times" },
];

/** What was seen of the server, look by look. */
interface Looks {
  readonly resident: number[];
  readonly files: number[];
}

const log = values.log === undefined ? undefined : createWriteStream(values.log);
const stage = await openStage({
  ...(log === undefined ? {} : { onLog: (text: string) => void log.write(text) }),
  credentialInFile: true,
  environment: { CCAPI_API_KEYS: keys.map((key, index) => `client-${index}=${key}`).join(",") },
  files: { ".claude/settings.json": JSON.stringify({ permissions: { allow: ["Bash"] } }) },
});
try {
  const goals = await soak(stage);
  console.log(toTable(goals));
  const isMet = goals.every((goal) => goal.isMet);
  process.exitCode = isMet ? 0 : 1;
} finally {
  await stage.stop();
  log?.end();
}

async function soak(on: Stage): Promise<Row[]> {
  const { home, upstream, server } = on;
  await upstream.control("add", { value: credential });
  await upstream.control("rules", { rules: [{ when: longWords, tokens: 400, delayMs: 5 }] });
  const tally = createTally();
  const { traffic, leftOut } = await allTraffic({ url: server.url, keys });
  if (leftOut.length > 0) console.log(`Not served, and left out: ${leftOut.join(", ")}.\n`);
  const over = AbortSignal.timeout(minutes * 60_000);
  const looks: Looks = { resident: [], files: [] };
  const [troubles] = await Promise.all([
    makeTroubles(on, tally, over),
    watch(server.pid, looks, over),
    ...Array.from({ length: clients }, (_, index) => keepAsking(traffic, index, tally, over)),
  ]);
  const transcripts = await patiently(() => transcriptsOf(home));
  const stopsAt = performance.now();
  await server.stop();
  const code = await server.exited;
  const seconds = ((performance.now() - stopsAt) / 1_000).toFixed(1);
  await upstream.stop();
  const processes = await patiently(() => processesOf(home));
  const marks = await marksOf(home);

  console.log(toColumns(endingColumns, tally.counted));
  console.log(
    `\n${minutes} minutes, ${clients} clients at once: ${troubles.rotations} rotated credentials, ${troubles.kills} killed processes.\n`,
  );
  return [
    noneOf(
      "errors that were not provoked",
      tally.unexplained.map(({ traffic: name, end, count }) => `${name}: ${count} × ${end}`),
    ),
    flat("resident memory of the server, MB", looks.resident, { times: 1.3, more: 48 }),
    flat("open files of the server", looks.files, { times: 1.1, more: 16 }),
    noneOf("transcripts left", transcripts),
    noneOf("processes left", processes),
    noneOf(`commands that ran twice, of ${marks.count}`, marks.repeated),
    {
      id: "soak",
      what: "the server's end by SIGTERM",
      goal: "exit code 0",
      measured: `${code} after ${seconds} s`,
      isMet: code === 0,
    },
  ];
}

async function keepAsking(traffic: readonly Traffic[], index: number, tally: Tally, over: AbortSignal): Promise<void> {
  // Each client begins elsewhere, so that every kind meets every other.
  for (let turn = index * 3; !over.aborted; turn += 1) {
    const kind = traffic[turn % traffic.length];
    if (kind === undefined) return;
    const ends = (end: string) => tally.add({ traffic: kind.name, end });
    await kind.run(ends).catch((error: unknown) => ends(`no answer: ${String(error)}`));
    await sleep(50 + Math.random() * 200);
  }
}

async function watch(pid: number, looks: Looks, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    looks.resident.push((await residentOf(pid)) / 1_048_576);
    looks.files.push(await openFilesOf(pid));
    await sleep(2_000, undefined, { signal: over }).catch(() => undefined);
  }
}

/** What ends shortly after is not left. */
async function patiently(look: () => Promise<readonly string[]>): Promise<readonly string[]> {
  let found = await look();
  for (let tries = 0; found.length > 0 && tries < 40; tries += 1) {
    await sleep(500);
    found = await look();
  }
  return found;
}

function noneOf(what: string, found: readonly string[]): Row {
  return {
    id: "soak",
    what,
    goal: "none",
    measured: found.length === 0 ? "none" : found.join("; "),
    isMet: found.length === 0,
  };
}

function flat(what: string, looks: readonly number[], slack: Slack): Row {
  const { first, last, isFlat } = growthOf(looks, slack);
  const measured = `${first?.toFixed(0)} in the first third, ${last?.toFixed(0)} in the last (${looks.length} looks)`;
  return {
    id: "soak",
    what,
    goal: `flat: at most ${slack.times} times and ${slack.more} more`,
    measured,
    isMet: isFlat,
  };
}
