// `npm run bench:peers`: other servers of the same kind, as npm has them, under the same load on the same simulator, beside ours.
// Each is installed into a temporary folder, and gone afterwards; one that cannot be installed or started is left out.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { runLoad } from "./load.ts";
import { describeMachine, lookAtMachine } from "./machine.ts";
import { treeOf } from "./process-tree.ts";
import { type Figures, toColumns } from "./report.ts";
import { openStage, type Stage } from "./stage.ts";
import { spreadOf } from "./statistics.ts";
import { chunkText, postStreamed, type Streamed } from "./streamed.ts";
import { askRaw, askServer, claudePath } from "./ways.ts";

/** A server that speaks OpenAI's API and starts `claude`. */
interface Peer {
  readonly name: string;
  readonly version: string;
  /** Its program in the package, given the port as its argument. */
  readonly program: string;
  readonly model: string;
}

const peers: readonly Peer[] = [
  { name: "claude-max-api-proxy", version: "1.0.0", program: "dist/server/standalone.js", model: "claude-sonnet-4" },
];
const question = "Tell me of the sea";
const requests = 40;
const atOnce = 8;
const singles = 10;

console.log(`${describeMachine(lookAtMachine())}\n`);
const folder = await mkdtemp(join(tmpdir(), "ccapi-peers-"));
const stage = await openStage();
try {
  await stage.upstream.control("rules", { rules: [{ tokens: 50 }] });
  const figures: Figures[] = [
    await measure("the upstream alone", () => askRaw(stage, question), stage.upstream.pid),
    await measure("ccapi", () => askServer(stage, [{ role: "user", content: question }]), stage.server.pid),
  ];
  for (const peer of peers) {
    const figure = await measurePeer(peer, stage).catch((error: unknown) => {
      console.log(`${peer.name} ${peer.version} is left out: ${String(error).slice(0, 300)}\n`);
    });
    if (figure !== undefined) figures.push(figure);
  }
  const columns = [
    { key: "name", head: "server" },
    { key: "p50", head: `first text of ${singles}, one at a time, p50 ms`, digits: 1 },
    { key: "p95", head: "p95 ms", digits: 1 },
    { key: "wallS", head: `${requests} requests, ${atOnce} at a time, s`, digits: 2 },
    { key: "memoryMB", head: "PSS, MB" },
    { key: "failed", head: "failed" },
  ];
  console.log(toColumns(columns, figures));
} finally {
  await stage.stop();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

async function measure(name: string, ask: () => Promise<Streamed>, pid: number): Promise<Figures> {
  const taken: number[] = [];
  for (let count = 0; count < singles; count += 1) {
    taken.push((await ask()).firstMs);
    await sleep(300);
  }
  const { wallMs, memoryBytes, failed } = await runLoad(
    Array.from({ length: atOnce }, () => ask),
    requests,
    () => treeOf(pid),
  );
  return { name, ...spreadOf(taken), wallS: wallMs / 1_000, memoryMB: memoryBytes / 1_048_576, failed };
}

async function measurePeer({ name, version, program, model }: Peer, { claude }: Stage): Promise<Figures> {
  const arguments_ = [
    "install",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--prefix",
    folder,
    `${name}@${version}`,
  ];
  await promisify(execFile)("npm", arguments_, { timeout: 120_000 });
  const bin = join(folder, "bin");
  await mkdir(bin, { recursive: true });
  await symlink(claudePath(), join(bin, "claude")).catch(() => undefined); // An earlier peer's.
  const port = await freePort();
  const child = spawn(process.execPath, [join(folder, "node_modules", name, program), String(port)], {
    cwd: folder,
    env: { ...claude, PATH: [bin, claude["PATH"]].join(delimiter) },
    stdio: "ignore",
  });
  const exited = once(child, "exit");
  const url = `http://127.0.0.1:${port}/v1/chat/completions`;
  const body = { model, stream: true, messages: [{ role: "user", content: question }] };
  const ask = () => postStreamed(url, { authorization: "Bearer none" }, body, chunkText);
  try {
    for (let tries = 0; ; tries += 1) {
      if (child.exitCode !== null || tries > 30) throw new Error("it did not start");
      const isThere = await ask().then(
        () => true,
        () => false,
      );
      if (isThere) break;
      await sleep(500);
    }
    return await measure(`${name} ${version}`, ask, child.pid ?? 0);
  } finally {
    child.kill("SIGTERM");
    const forced = setTimeout(() => child.kill("SIGKILL"), 5_000);
    await exited;
    clearTimeout(forced);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("There is no free port.");
  return address.port;
}
