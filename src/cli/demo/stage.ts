// What the demo plays on: the simulator, a server beside it, and a client; all on loopback, with a home folder of their own.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig, programPath } from "../../config.ts";
import { createLogger } from "../../observe/log.ts";
import { startServer } from "../../server.ts";
import { type Simulator, startSimulator } from "../../simulator/index.ts";

/** Made up, as everything here. */
const key = "demo-client-key";

/** The demo's parts. */
export interface Stage {
  readonly simulator: Simulator;
  /** The folder that stands for the user's home; its file `key` holds the API key that Claude uses. */
  readonly home: string;
  readonly url: string;
  get(path: string): Promise<Response>;
  post(path: string, body: unknown): Promise<Response>;
  close(): Promise<void>;
}

/** Longer than anything here takes: the demo ends by itself, whatever happens. */
const answerTimeoutMs = 60_000;

/** Sets the stage. Settings are as on a command line, e.g. `{ "auth-cooldown-ms": "3000" }`; `claudeKey` is what Claude begins with. */
export async function setStage(flags: Readonly<Record<string, string>>, claudeKey: string): Promise<Stage> {
  // What is to be undone at the end, the last first. Node 22 has no AsyncDisposableStack.
  const undo: (() => Promise<void>)[] = [];
  const close = async () => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step();
  };
  try {
    return { ...(await setUp(flags, claudeKey, (step) => void undo.push(step))), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function setUp(
  flags: Readonly<Record<string, string>>,
  claudeKey: string,
  atEnd: (step: () => Promise<void>) => void,
): Promise<Omit<Stage, "close">> {
  const home = await mkdtemp(join(tmpdir(), "ccapi-demo-"));
  atEnd(() => rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
  const simulator = await startSimulator({ credentials: [{ value: claudeKey, name: "first" }] });
  atEnd(simulator.close);
  await writeFile(join(home, "key"), `${claudeKey}\n`);
  await mkdir(join(home, ".claude"));
  // What the operator of this server approved: agents may make empty files, and nothing else.
  await writeFile(
    join(home, ".claude", "settings.json"),
    JSON.stringify({ permissions: { allow: ["Bash(touch:*)"] } }),
  );
  const config = loadConfig({
    flags: { host: "127.0.0.1", port: "0", "api-keys": `demo=${key}`, ...flags },
    environment: {
      PATH: programPath(),
      HOME: home,
      LANG: "C.UTF-8",
      IS_SANDBOX: "1",
      ANTHROPIC_BASE_URL: simulator.url,
      ANTHROPIC_API_KEY_FILE: join(home, "key"),
    },
  });
  const server = await startServer(config, createLogger({ level: "silent", format: "json" }));
  atEnd(server.close);
  const request = (path: string, init: RequestInit) =>
    fetch(server.url + path, {
      ...init,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      signal: AbortSignal.timeout(answerTimeoutMs),
    });
  return {
    simulator,
    home,
    url: server.url,
    get: (path) => request(path, {}),
    post: (path, body) => request(path, { method: "POST", body: JSON.stringify(body) }),
  };
}
