// A real redis-server for tests, on a free port of loopback and with nothing on disk; and a way to it that can be cut.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@redis/client";

/** Whether this machine has one; scripts/pretest-tools.ts sees to it. */
export function hasRedis(): boolean {
  try {
    execFileSync("redis-server", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

export interface TestRedis {
  readonly port: number;
  readonly url: string;
  /** Ends it at once; what it held is gone. */
  readonly kill: () => Promise<void>;
  /** Starts it again on the same port. */
  readonly start: () => Promise<void>;
  /** It hangs, or goes on. */
  readonly signal: (signal: "SIGSTOP" | "SIGCONT") => void;
  readonly flush: () => Promise<void>;
  /** What is in it now, for {@link restore}: as a replica that lags behind has it. */
  readonly save: () => Promise<ReadonlyMap<string, string>>;
  readonly restore: (saved: ReadonlyMap<string, string>) => Promise<void>;
  /** Every key with all that is in it, as one text. */
  readonly dump: () => Promise<string>;
  readonly close: () => Promise<void>;
}

const password = "test-redis-password-0001";

/** Starts one that wants a password. */
export async function startRedis(): Promise<TestRedis> {
  const port = await freePort();
  const url = `redis://:${password}@127.0.0.1:${port}`;
  let child: ChildProcess;

  async function start(): Promise<void> {
    const settings = { port: String(port), bind: "127.0.0.1", requirepass: password, save: "", appendonly: "no" };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    child = spawn("redis-server", args, { stdio: "ignore" });
    for (let tries = 0; tries < 500; tries += 1) {
      if (await answers(port)) return;
      await sleep(20);
    }
    throw new Error("redis-server did not start");
  }

  async function kill(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }

  async function use<T>(work: (client: ReturnType<typeof open>) => Promise<T>): Promise<T> {
    const client = open(url);
    await client.connect();
    try {
      return await work(client);
    } finally {
      client.destroy();
    }
  }

  await start();
  return {
    port,
    url,
    kill,
    start,
    signal: (name) => void child.kill(name),
    flush: () => use(async (client) => void (await client.flushAll())),
    save: () =>
      use(async (client) => {
        const saved = new Map<string, string>();
        for (const key of await client.keys("ccapi:auth:*")) saved.set(key, JSON.stringify(await client.hGetAll(key)));
        return saved;
      }),
    restore: (saved) =>
      use(async (client) => {
        await client.flushAll();
        for (const [key, hash] of saved) await client.hSet(key, JSON.parse(hash) as Record<string, string>);
      }),
    dump: () =>
      use(async (client) => {
        const parts: string[] = [];
        for (const key of await client.keys("*")) {
          parts.push(key, JSON.stringify(await readKey(client, key)));
        }
        return parts.join("\n");
      }),
    close: kill,
  };
}

function open(url: string) {
  return createClient({ url, RESP: 2, socket: { reconnectStrategy: false } }).on("error", () => undefined);
}

async function readKey(client: ReturnType<typeof open>, key: string): Promise<unknown> {
  switch (await client.type(key)) {
    case "hash":
      return client.hGetAll(key);
    case "list":
      return client.lRange(key, 0, -1);
    case "zset":
      return client.zRange(key, 0, -1);
    case "set":
      return client.sMembers(key);
    default:
      return client.get(key);
  }
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

export interface TestProxy {
  readonly port: number;
  /** Nothing goes through any more, and nobody is told; or all goes on, on new connections. */
  readonly setCut: (isCut: boolean) => void;
  readonly close: () => Promise<void>;
}

/** A way to a port of loopback that can be cut as a network is: silently. */
export async function startProxy(target: number): Promise<TestProxy> {
  let isCut = false;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(target, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("data", (data) => isCut || to.write(data));
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    setCut(next) {
      isCut = next;
      // What was lost on a connection can't be made good.
      if (!next) for (const socket of sockets) socket.destroy();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
