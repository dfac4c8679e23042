// One case's stage: a simulator whose credentials die as the script says, a server or the library before it, and what was seen.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Rule, type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { storedLogin } from "../helpers/auth.ts";
import { chat, makeHome, processesOf, startServer, type TestServer, until } from "../helpers/server.ts";
import { type Chunk, readStream, textOf } from "../helpers/sse.ts";
import type { Cell } from "./cells.ts";
import { askWithTools } from "./client-tools.ts";
import { askByMessages, askByResponses } from "./front-doors.ts";
import { isAgent, question, type Script } from "./scripts.ts";

/** One after the other, as they die. */
const secrets = ["sk-ant-oat01-matrix-0001", "sk-ant-oat01-matrix-0002", "sk-ant-oat01-matrix-0003"] as const;

const mendAfterMs: Readonly<Record<Cell["mended"], number | undefined>> = {
  "at once": 0,
  "after 5 s": 5_000,
  never: undefined,
};

/** What a run looked like from outside. */
export interface Seen {
  readonly text: string;
  /** The error's code, where there was one. */
  readonly error: string | undefined;
  /** What the tools wrote. */
  readonly notes: string;
  /** The conversation of each call that was answered, without what differs from run to run. */
  readonly upstream: readonly unknown[];
}

/** A stage for one case. */
export interface Stage {
  readonly simulator: Simulator;
  readonly home: string;
  /** Runs the script, unbroken. */
  play(script: Script): Promise<Seen>;
  /** Runs it with a credential that dies; tells how long the renewed one needed to be used, in milliseconds. */
  playBroken(script: Script): Promise<Seen & { readonly carriedOnAfterMs: number | undefined }>;
  /** Resolves when no process of the stage is left, but the server's own. */
  untilQuiet(): Promise<void>;
  close(): Promise<void>;
}

/** How a client asks: one run, from the question to its text or its error. */
export interface AskPort {
  /** The folder in which the agent's tools work. */
  readonly workspace: string;
  ask(): Promise<Pick<Seen, "text" | "error">>;
  close(): Promise<void>;
}

/** Sets the stage. */
export async function setStage(cell: Cell, library: (place: LibraryPlace) => Promise<AskPort>): Promise<Stage> {
  const simulator = await startSimulator({ credentials: [{ value: secrets[0], name: "first" }] });
  const home = await makeHome();
  await mkdir(join(home, ".claude"));
  await writeFile(join(home, ".claude", "settings.json"), JSON.stringify(settingsFor(cell, home)));
  const put = (secret: string) => putSecret(cell, home, secret);
  put(secrets[0]);
  const environment = environmentFor(cell, home);
  const quick = cell.mended === "never" ? { cooldownMs: 1_500, parkMs: 2_000 } : {};
  const place = { upstream: simulator.url, home, environment, quick };
  const port = cell.client === "agent() library" ? await library(place) : await askServer(cell, place);

  async function run(rules: readonly Rule[]): Promise<Seen> {
    simulator.setRules(rules);
    simulator.clearRequests();
    await rm(join(port.workspace, "notes.txt"), { force: true });
    const said = await port.ask();
    const notes = await readFile(join(port.workspace, "notes.txt"), "utf8").catch(() => "");
    return { ...said, notes, upstream: answered().map(({ body }) => withoutVolatile(body)) };
  }

  const answered = () =>
    simulator.requests.filter((request) => request.outcome === "answered" && isAgent(request)).toSorted(byTime);

  return {
    simulator,
    home,
    play: ({ rules }) => run(rules),
    async playBroken(script) {
      let deaths = 0;
      let mendedAt: number | undefined;
      let renewing: NodeJS.Timeout | undefined;
      const mend = (secret: string) => {
        simulator.credentials.add({ value: secret });
        put(secret);
        mendedAt = Date.now();
      };
      const dies: Rule = {
        when(call) {
          if (deaths >= script.deaths || !script.breaksAt(call)) return false;
          simulator.credentials.expire(secrets[deaths] ?? "", "oauth_expired");
          deaths += 1;
          const next = secrets[deaths] ?? "";
          const afterMs = mendAfterMs[cell.mended];
          if (afterMs === 0) mend(next);
          else if (afterMs !== undefined) renewing = setTimeout(mend, afterMs, next);
          return true;
        },
        ...(script.isMidText === true
          ? {
              answer: [{ type: "text", text: "It is noted, and this is told in other words." }],
              fault: {
                kind: "mid-stream-error",
                afterDeltas: 3,
                type: "authentication_error",
                message: "OAuth token has expired.",
              },
            }
          : {
              fault: {
                kind: "status",
                status: 401,
                type: "authentication_error",
                message: "OAuth token has expired.",
              },
            }),
      };
      try {
        const seen = await run([dies, ...script.rules]);
        const carriedOn = answered().find(({ at }) => mendedAt !== undefined && at >= mendedAt);
        const carriedOnAfterMs =
          mendedAt === undefined || carriedOn === undefined ? undefined : carriedOn.at - mendedAt;
        return { ...seen, carriedOnAfterMs };
      } finally {
        clearTimeout(renewing);
      }
    },
    async untilQuiet() {
      await until("no process is left", async () =>
        (await processesOf(home)).every((command) => command.includes("watchdog")),
      );
    },
    async close() {
      await port.close();
      await simulator.close();
      await rm(home, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** Where the library runs. */
export interface LibraryPlace {
  readonly upstream: string;
  readonly home: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly quick: { readonly cooldownMs?: number; readonly parkMs?: number };
}

async function askServer(cell: Cell, { upstream, home, environment, quick }: LibraryPlace): Promise<AskPort> {
  const server: TestServer = await startServer({
    upstream,
    home,
    environment: {
      ...environment,
      ...(quick.cooldownMs === undefined ? {} : { CCAPI_AUTH_COOLDOWN_MS: String(quick.cooldownMs) }),
      ...(quick.parkMs === undefined ? {} : { CCAPI_AUTH_PARK_MS: String(quick.parkMs) }),
    },
  });
  const stream = cell.client === "stream";
  let runs = 0;
  return {
    workspace: join(server.stateDir, "workspaces", "client"),
    async ask() {
      runs += 1;
      if (cell.client === "chat with client tools") return askWithTools(server, `session-${runs}`);
      if (cell.client === "messages API, stream") return askByMessages(server);
      if (cell.client === "responses API, stream") return askByResponses(server);
      const headers: Record<string, string> =
        cell.client === "session, turn 2" ? { "x-session-id": `session-${runs}` } : {};
      const post = (words: string) =>
        server.post("/v1/chat/completions", chat(words, { model: "claude-code", stream }), { headers });
      if (cell.client === "session, turn 2") await (await post("This is turn 1")).text();
      const response = await post(question);
      return stream && response.ok ? readStreamed(response) : readWhole(response);
    },
    close: () => server.stop(),
  };
}

async function readWhole(response: Response): Promise<Pick<Seen, "text" | "error">> {
  const body = (await response.json()) as {
    choices?: [{ message: { content: string } }];
    error?: { code: string };
  };
  return { text: body.choices?.[0].message.content ?? "", error: body.error?.code };
}

async function readStreamed(response: Response): Promise<Pick<Seen, "text" | "error">> {
  const { events, isDone } = await readStream(response);
  const chunks = events as Chunk[];
  const error = chunks.find((chunk) => chunk.error !== undefined)?.error?.code;
  const said = chunks.filter((chunk) => chunk.error === undefined);
  const roles = said.filter((chunk) => chunk.choices[0]?.delta.role !== undefined).length;
  const ends = said.filter((chunk) => typeof chunk.choices[0]?.finish_reason === "string").length;
  if (error === undefined && !(roles === 1 && ends === 1 && isDone)) {
    throw new Error(`${roles} role chunks, ${ends} ends, [DONE]: ${isDone}`);
  }
  return { text: textOf(said), error };
}

function settingsFor({ credential }: Cell, home: string): object {
  return {
    permissions: { allow: ["Bash"] },
    ...(credential === "apiKeyHelper" ? { apiKeyHelper: `cat ${join(home, "key")}` } : {}),
  };
}

function environmentFor({ credential }: Cell, home: string): Record<string, string | undefined> {
  return {
    ANTHROPIC_API_KEY: undefined,
    ...(credential === "key in a file" ? { ANTHROPIC_API_KEY_FILE: join(home, "key") } : {}),
  };
}

function putSecret({ credential }: Cell, home: string, secret: string): void {
  if (credential === "stored login") {
    writeFileSync(join(home, ".claude", ".credentials.json"), storedLogin(secret));
  } else {
    writeFileSync(join(home, "key"), secret);
  }
}

/** A body's conversation, without what differs from one run to the next: the cache's marks, the day's reminders, ids and times. */
function withoutVolatile(body: unknown): unknown {
  const { messages } = body as { messages: { role: string; content: unknown }[] };
  return JSON.parse(
    JSON.stringify(
      messages.filter(({ role }) => role !== "system"),
      (key, value: unknown) => (key === "cache_control" ? undefined : value),
    )
      .replaceAll(/<system-reminder>.*?<\/system-reminder>\\?n?/g, "")
      // A subagent's own id, and its time.
      .replaceAll(/agentId: \w+/g, "agentId: …")
      .replaceAll(/SendMessage with to: '\w+'/g, "SendMessage with to: '…'")
      .replaceAll(/duration_ms: \d+/g, "duration_ms: …"),
  );
}

function byTime(a: { readonly at: number }, b: { readonly at: number }): number {
  return a.at - b.at;
}
