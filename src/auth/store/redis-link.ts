// The way to Redis: scripts that answer within a time or fail, hints from others, and whether there is a way at all.
// Knows nothing of what is kept. Whoever uses it goes on without it while it is down; it comes back by itself.
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@redis/client";

/** A Lua script, as Redis knows it. */
export interface Script {
  readonly text: string;
  readonly sha1: string;
}

/** Makes a script. */
export function script(text: string): Script {
  return { text, sha1: createHash("sha1").update(text).digest("hex") };
}

/** The way to one Redis. */
export interface RedisLink {
  readonly isUp: boolean;
  /**
   * Runs a script, atomically.
   *
   * @throws Error where there is no way, or no answer in time: the script then has run, or not.
   */
  run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown>;
  /** Hears what others say on a channel, as long as there is a way: nothing may rest on it. Returns what ends the hearing. */
  hear(channel: string, listener: (message: string) => void): () => void;
  /** Tells when the way opens or closes. Returns what ends the telling. */
  onChange(listener: (isUp: boolean) => void): () => void;
  close(): Promise<void>;
}

/** What a link needs. */
export interface RedisLinkOptions {
  /** `redis://` or `rediss://` with user, password and number of the database. */
  readonly url: string;
  /** No answer for so long: there is no way. */
  readonly commandTimeoutMs?: number;
}

type Client = ReturnType<typeof open>;

/** A demoted or full Redis answers a PING, too: only one that can be written to is of use. */
const canWrite = script("return redis.call('SET', KEYS[1], '', 'PX', 1000)");
const probeKey = "ccapi:probe";
const longestPauseMs = 2_000;

/** Opens the way, and resolves when there is one, or none within the time of a command. */
export async function createRedisLink({ url, commandTimeoutMs = 1_000 }: RedisLinkOptions): Promise<RedisLink> {
  const closing = new AbortController();
  const listeners = new Set<(isUp: boolean) => void>();
  const channels = new Map<string, Set<(message: string) => void>>();
  const tell = (channel: string) => (message: string) => {
    for (const listener of channels.get(channel) ?? []) listener(message);
  };
  let client: Client | undefined;
  let connecting: Promise<void> | undefined;

  function drop(lost: Client): void {
    if (client !== lost) return;
    client = undefined;
    discard(lost);
    for (const listener of listeners) listener(false);
    connecting ??= connect();
  }

  async function connect(): Promise<void> {
    for (let pauseMs = 100; client === undefined && !closing.signal.aborted; pauseMs *= 2) {
      const next = open(url, commandTimeoutMs);
      next.on("error", () => drop(next));
      next.on("end", () => drop(next));
      try {
        await within(commandTimeoutMs, next.connect());
        await within(commandTimeoutMs, send(next, canWrite, [probeKey], []));
        for (const channel of channels.keys()) await within(commandTimeoutMs, next.subscribe(channel, tell(channel)));
        client = next;
      } catch {
        discard(next); // No way yet; the next try follows.
        const waitMs = Math.min(pauseMs, longestPauseMs) * (0.75 + Math.random() / 2);
        await sleep(waitMs, undefined, { signal: closing.signal, ref: false }).catch(() => undefined);
      }
    }
    connecting = undefined;
    if (closing.signal.aborted && client !== undefined) discard(client);
    else for (const listener of listeners) listener(true);
  }

  connecting = connect();
  await within(commandTimeoutMs, connecting).catch(() => undefined);
  return {
    get isUp() {
      return client !== undefined;
    },
    async run(each, keys, args) {
      const present = client;
      if (present === undefined) throw new Error("There is no way to Redis.");
      try {
        return await within(commandTimeoutMs, send(present, each, keys, args));
      } catch (error) {
        drop(present);
        throw error;
      }
    },
    hear(channel, listener) {
      const others = channels.get(channel);
      const all = others ?? new Set();
      channels.set(channel, all.add(listener));
      // Where this fails the channel is subscribed to with the next connection.
      if (others === undefined) client?.subscribe(channel, tell(channel)).catch(() => undefined);
      return () => {
        all.delete(listener);
        if (all.size > 0 || channels.get(channel) !== all) return;
        channels.delete(channel);
        client?.unsubscribe(channel).catch(() => undefined); // A lost connection hears nothing anyway.
      };
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      closing.abort();
      listeners.clear();
      if (client !== undefined) discard(client);
      await connecting;
    },
  };
}

function open(url: string, commandTimeoutMs: number) {
  return createClient({
    url,
    name: "ccapi",
    // Who waits for a way is decided here, not in the client's queue.
    disableOfflineQueue: true,
    maintNotifications: "disabled",
    socket: { connectTimeout: commandTimeoutMs, reconnectStrategy: false, keepAlive: true },
  });
}

function discard(client: Client): void {
  try {
    client.destroy();
  } catch {
    // It was never open, or is closed already.
  }
}

async function send(client: Client, { sha1, text }: Script, keys: readonly string[], args: readonly string[]) {
  const options = { keys: [...keys], arguments: [...args] };
  try {
    return await client.evalSha(sha1, options);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
    return client.eval(text, options);
  }
}

/** A promise's result, or a rejection after so long. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("Redis did not answer in time.")), ms);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
