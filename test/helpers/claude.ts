// Runs of the real Claude CLI against the simulator, without the server around them: a home of their own, a made-up key.
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { prepareChild } from "../../src/claude/child-setup.ts";
import { createProcessOwner } from "../../src/claude/process.ts";
import { type RunEvent, type RunSpec, startRun } from "../../src/claude/run.ts";
import { createRuntime } from "../../src/claude/runtime.ts";
import type { ContentBlock } from "../../src/turn/turn.ts";

export type TurnSettings = RunSpec["turn"];

const plain: TurnSettings = {
  profile: "chat",
  model: "sonnet",
  system: undefined,
  effort: undefined,
  sampling: {},
  stop: [],
  maxTokens: undefined,
  tools: [],
  toolChoice: { type: "auto" },
  parallelToolCalls: true,
  outputFormat: undefined,
};

/** What one test runs Claude in. */
export interface ClaudeHouse extends AsyncDisposable {
  readonly home: string;
  readonly configDir: string;
  /** A folder to work in; made where it is missing. */
  workspace(name: string): Promise<string>;
  /** Runs one turn to its end and to the end of its process. @throws what the run threw. */
  run(
    prompt: string | readonly ContentBlock[],
    more?: Partial<Omit<RunSpec, "turn" | "prompt">> & RunMore,
  ): Promise<RunEvent[]>;
}

interface RunMore {
  readonly turn?: Partial<TurnSettings>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
}

/** @param files below the home folder, by their relative path. */
export async function openClaudeHouse(
  upstream: string,
  files: Readonly<Record<string, string>> = {},
): Promise<ClaudeHouse> {
  const home = await realpath(await mkdtemp(join(tmpdir(), "ccapi-claude-")));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(home, name)), { recursive: true });
    await writeFile(join(home, name), content);
  }
  const owner = createProcessOwner();
  const runtime = createRuntime();
  const own = {
    HOME: home,
    PATH: process.env["PATH"],
    LANG: "C.UTF-8",
    IS_SANDBOX: "1",
    ANTHROPIC_BASE_URL: upstream,
    CLAUDE_CODE_TMPDIR: join(home, "tmp"),
  };

  async function workspace(name: string): Promise<string> {
    const path = join(home, name);
    await mkdir(path, { recursive: true });
    return path;
  }

  return {
    home,
    configDir: join(home, ".claude"),
    workspace,
    async run(prompt, more = {}) {
      const child = await prepareChild({
        environment: { ...own, ...(more.environment ?? { ANTHROPIC_API_KEY: "sk-ant-test-0001" }) },
        allowTelemetry: false,
        clientApp: "ccapi-test",
        privateConfigDir: undefined,
      });
      const run = startRun(
        {
          conversation: { kind: "none" },
          workspace: more.workspace ?? (await workspace("work")),
          limits: { maxTurns: undefined, maxBudgetUsd: undefined },
          skipPermissions: false,
          child,
          ...more,
          turn: { ...plain, ...more.turn },
          prompt: typeof prompt === "string" ? [{ type: "text", text: prompt }] : prompt,
        },
        { runtime, owner, now: Date.now },
        more.signal ?? new AbortController().signal,
      );
      const events: RunEvent[] = [];
      try {
        for await (const event of run.events) {
          events.push(event);
          more.onEvent?.(event);
        }
      } finally {
        await run.ended;
      }
      return events;
    },
    async [Symbol.asyncDispose]() {
      await owner.close();
      await rm(home, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** An answer's words. */
export function words(events: readonly RunEvent[], kind: "text" | "thinking" = "text"): string {
  return events.map((event) => (event.type === "delta" && event.kind === kind ? event.text : "")).join("");
}
