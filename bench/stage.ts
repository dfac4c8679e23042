// What a bench plays on: the simulator and the server, each a process of its own, in a home of their own with made-up keys.
// Everything is on loopback, and gone afterwards.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { programPath } from "../src/config.ts";

const cli = fileURLToPath(new URL("../src/cli.ts", import.meta.url));
const startMs = 30_000;
const endMs = 45_000;
const keptLogLength = 64 * 1_024;

/** One of our programs while it runs. */
export interface Program {
  readonly url: string;
  readonly pid: number;
  /** Its exit code; `null` after a signal. */
  readonly exited: Promise<number | null>;
  /** Ends it in order, and by force where that takes too long. */
  stop(): Promise<void>;
}

/** The simulator, by its control endpoint. */
export interface Upstream extends Program {
  control(name: string, body: object): Promise<void>;
  /** Requests that came in so far, since the record was cleared. */
  requestCount(): Promise<number>;
}

/** Simulator and server. */
export interface Stage {
  readonly home: string;
  readonly upstream: Upstream;
  readonly server: Program;
  /** Opens the client's connections to both: what follows is not measured with a connection being made. */
  greet(): Promise<void>;
  /** Environment of a Claude process that somebody else than the server starts. */
  readonly claude: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** The key of the server's only client, and its administrator's. */
export const clientKey = "bench-client-key";
const adminKey = "bench-admin-key";

/** The credential of all Claude processes, where nobody renews it. */
export const credential = "sk-ant-bench-0001";

/** How a stage differs from the usual one. */
export interface StageOptions {
  /** The server's, beyond the usual. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Files below its home, by their relative path. */
  readonly files?: Readonly<Record<string, string>>;
  /** The credential is in the file `key` of the home, and may be renewed there. */
  readonly credentialInFile?: boolean;
  /** Hears all that the server says. */
  readonly onLog?: (text: string) => void;
}

/** Starts both. */
export async function openStage(options: StageOptions = {}): Promise<Stage> {
  const { environment = {}, files = {}, credentialInFile = false } = options;
  const home = await mkdtemp(join(tmpdir(), "ccapi-bench-"));
  for (const [name, content] of Object.entries({ "work/.keep": "", key: credential, ...files })) {
    await mkdir(dirname(join(home, name)), { recursive: true });
    await writeFile(join(home, name), content);
  }
  const machine = { HOME: home, PATH: programPath(), LANG: "C.UTF-8", IS_SANDBOX: "1" };
  const upstream = await startUpstream(machine);
  const claude = {
    ...machine,
    ANTHROPIC_BASE_URL: upstream.url,
    ANTHROPIC_API_KEY: credential,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    DISABLE_TELEMETRY: "1",
  };
  const server = await startProgram(
    ["serve", "--port", "0"],
    {
      ...machine,
      ANTHROPIC_BASE_URL: upstream.url,
      ...(credentialInFile ? { ANTHROPIC_API_KEY_FILE: join(home, "key") } : { ANTHROPIC_API_KEY: credential }),
      CCAPI_API_KEYS: `client=${clientKey}`,
      CCAPI_ADMIN_KEYS: `admin=${adminKey}`,
      CCAPI_LOG_FORMAT: "json",
      ...environment,
    },
    options.onLog,
  ).catch(async (error: unknown) => {
    await upstream.stop();
    throw error;
  });
  return {
    home,
    upstream,
    server,
    claude,
    async greet() {
      for (const url of [`${upstream.url}/v1/models`, `${server.url}/health/live`]) {
        await (await fetch(url, { signal: AbortSignal.timeout(10_000) })).text();
      }
    },
    async stop() {
      await server.stop();
      await upstream.stop();
      await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

async function startUpstream(environment: Readonly<Record<string, string>>): Promise<Upstream> {
  const program = await startProgram(["simulate", "--port", "0"], environment);
  const control = async (path: string, body?: object) => {
    const response = await fetch(`${program.url}/_simulator/${path}`, {
      signal: AbortSignal.timeout(10_000),
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    });
    const told = (await response.json()) as { requests?: { count: number } };
    if (!response.ok) throw new Error(`The simulator refused "${path}": ${JSON.stringify(told)}`);
    return told;
  };
  return {
    ...program,
    async control(name, body) {
      await control(name, body);
    },
    requestCount: async () => (await control("state")).requests?.count ?? 0,
  };
}

/** Starts `ccapi` with these arguments; resolves when it says where it listens. */
async function startProgram(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  onLog?: (text: string) => void,
): Promise<Program> {
  const child = spawn(process.execPath, [cli, ...args], { env: environment, stdio: ["ignore", "pipe", "pipe"] });
  const exited = once(child, "exit").then(([code]) => code as number | null);
  let said = "";
  const keep = (text: Buffer) => {
    onLog?.(String(text));
    said = (said + String(text)).slice(-keptLogLength);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const url = await listeningUrl(child, () => said).catch((error: unknown) => {
    child.kill("SIGKILL");
    throw error;
  });
  return {
    url,
    pid: child.pid ?? 0,
    exited,
    async stop() {
      child.kill("SIGTERM");
      await Promise.race([exited, sleep(endMs)]);
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      await exited;
    },
  };
}

async function listeningUrl(child: ChildProcess, said: () => string): Promise<string> {
  const endAt = performance.now() + startMs;
  while (performance.now() < endAt && child.exitCode === null && child.signalCode === null) {
    const url = /"url":"(http:[^"]+)"|^Simulated Messages API on (\S+)/m.exec(said());
    if (url !== null) return url[1] ?? url[2] ?? "";
    await sleep(20);
  }
  throw new Error(`It did not start: ${said().slice(0, 2_000)}`);
}
