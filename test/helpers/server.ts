// A real server process for tests: its own HOME, a free port, made-up keys, loopback only; and a look at what it leaves running.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { watchServer } from "./watched-answers.ts";

const cli = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));

/** The client key and the admin key of every test server. */
export const clientKey = "test-client-key-0001";
export const otherKey = "test-client-key-0002";
export const adminKey = "test-admin-key-0001";

export interface TestServerOptions {
  /** The simulator's address. */
  readonly upstream: string;
  /** Added to the environment; `undefined` takes a variable away. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly flags?: readonly string[];
  /** Files below the home folder, by their relative path. */
  readonly files?: Readonly<Record<string, string>>;
  /** A home that an earlier server used. It is then the caller's to remove. */
  readonly home?: string;
}

export interface TestServer {
  readonly url: string;
  readonly home: string;
  readonly pid: number;
  readonly stateDir: string;
  /** Everything it has written to stderr. */
  readonly log: () => string;
  readonly post: (path: string, body: unknown, init?: RequestInit) => Promise<Response>;
  readonly get: (path: string, init?: RequestInit) => Promise<Response>;
  /** Sends a signal; resolves to the exit code (null after a fatal signal). */
  readonly signal: (signal: NodeJS.Signals) => Promise<number | null>;
  readonly exited: Promise<number | null>;
  /** Ends it in order, and removes its home unless that was given. */
  readonly stop: () => Promise<void>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

export async function makeHome(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), "ccapi-test-"));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(home, name)), { recursive: true });
    await writeFile(join(home, name), content);
  }
  return home;
}

export async function startServer(options: TestServerOptions): Promise<TestServer> {
  const home = options.home ?? (await makeHome(options.files));
  const child = spawn(process.execPath, [cli, "serve", "--port", "0", ...(options.flags ?? [])], {
    env: serverEnvironment(home, options),
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  const exited = once(child, "exit").then(([code]) => code as number | null);
  const url = await listeningUrl(child, () => log);
  watchServer(url, exited);
  const request = (path: string, init: RequestInit = {}) =>
    fetch(url + path, {
      ...init,
      headers: { authorization: `Bearer ${clientKey}`, ...(init.headers as Record<string, string>) },
    });

  async function signal(name: NodeJS.Signals): Promise<number | null> {
    child.kill(name);
    return exited;
  }

  async function stop(): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      const forced = setTimeout(() => child.kill("SIGTERM"), 5_000);
      await exited;
      clearTimeout(forced);
    }
    if (options.home === undefined) await rm(home, { recursive: true, force: true, maxRetries: 3 });
  }

  return {
    url,
    home,
    pid: child.pid ?? 0,
    stateDir: join(home, ".local", "state", "ccapi"),
    log: () => log,
    get: request,
    post: (path, body, init = {}) =>
      request(path, {
        ...init,
        method: "POST",
        body: typeof body === "string" ? body : JSON.stringify(body),
        headers: { "content-type": "application/json", ...(init.headers as Record<string, string>) },
      }),
    signal,
    exited,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function serverEnvironment(home: string, { upstream, environment = {} }: TestServerOptions): NodeJS.ProcessEnv {
  const all: Record<string, string | undefined> = {
    HOME: home,
    PATH: process.env["PATH"],
    LANG: "C.UTF-8",
    IS_SANDBOX: "1",
    ANTHROPIC_BASE_URL: upstream,
    ANTHROPIC_API_KEY: "sk-ant-test-0001",
    CCAPI_API_KEYS: `client=${clientKey},other=${otherKey}`,
    CCAPI_ADMIN_KEYS: `admin=${adminKey}`,
    CCAPI_LOG_FORMAT: "json",
    // Kept processes end soon, so that a test can see that nothing is left.
    CCAPI_POOL_IDLE_MS: "2000",
    // Tests count processes: those that are started ahead are for the tests about them.
    CCAPI_POOL_MAX_SPARES: "0",
    ...environment,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

async function listeningUrl(child: ChildProcess, log: () => string): Promise<string> {
  for (let waited = 0; waited < 20_000; waited += 20) {
    const line = log()
      .split("\n")
      .find((text) => text.includes('"msg":"Listening"'));
    if (line !== undefined) return (JSON.parse(line) as { url: string }).url;
    if (child.exitCode !== null) break;
    await sleep(20);
  }
  child.kill("SIGKILL");
  throw new Error(`The server did not start: ${log()}`);
}

/** The Claude processes that have this home, in the order of their numbers. */
export async function claudePids(home: string): Promise<number[]> {
  const pids: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const [environ, command] = await Promise.all([
      readFile(`/proc/${name}/environ`, "utf8").catch(() => ""),
      readFile(`/proc/${name}/cmdline`, "utf8").catch(() => ""),
    ]);
    if (environ.split("\0").includes(`HOME=${home}`) && command.includes("claude-agent-sdk")) pids.push(Number(name));
  }
  return pids.toSorted((a, b) => a - b);
}

/** Command lines of the living processes that have this home: the server's own Claude processes and their tools. */
export async function processesOf(home: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    try {
      const environ = await readFile(`/proc/${pid}/environ`, "utf8");
      if (!environ.split("\0").includes(`HOME=${home}`)) continue;
      const command = (await readFile(`/proc/${pid}/cmdline`, "utf8")).replaceAll("\0", " ").trim();
      if (command !== "" && !command.includes("src/cli.ts serve")) found.push(command);
    } catch {
      // Gone meanwhile.
    }
  }
  return found;
}

/** Waits until something is so. For what another process does, which no fake clock reaches. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<number> {
  const startedAt = performance.now();
  for (;;) {
    if (await isSo()) return performance.now() - startedAt;
    if (performance.now() - startedAt > limitMs) throw new Error(`Not within ${limitMs} ms: ${what}`);
    await sleep(20);
  }
}

/** Every file below a folder whose name ends so. */
export async function filesBelow(dir: string, ending: string): Promise<string[]> {
  const all = await readdir(dir, { recursive: true }).catch(() => []);
  return all.filter((name) => name.endsWith(ending));
}

/** A chat request's body. */
export function chat(text: string, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { model: "sonnet", messages: [{ role: "user", content: text }], ...more };
}
