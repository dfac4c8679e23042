// What an agent leaves behind, on the real CLI: commands in the background, and files in the temporary folder.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { openClaudeHouse } from "../helpers/claude.ts";
import { processesOf, until } from "../helpers/server.ts";

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator();
});
afterAll(() => simulator.close());
beforeEach(() => simulator.setRules([]));

const allowBash = { ".claude/settings.json": JSON.stringify({ permissions: { allow: ["Bash"] } }) };
const loop = "while true; do echo tick >> ticks; sleep 0.2; done";

function useTool(command: string): void {
  simulator.setRules([
    {
      when: ({ toolResults }: { toolResults: readonly unknown[] }) => toolResults.length === 0,
      answer: [{ type: "tool_use", name: "Bash", input: { command, description: "tick" } }],
    },
  ]);
}

/** Of a home's processes the ones that tick. */
const ticking = async (home: string) => (await processesOf(home)).filter((command) => command.includes("tick"));

describe.runIf(process.platform === "linux")("when a run is over", () => {
  it("no command that its agent put into the background is left, nor a temporary file (C4, B3)", async () => {
    await using claude = await openClaudeHouse(simulator.url, allowBash);
    useTool(`(nohup bash -c '${loop}' > /dev/null 2>&1 &); until [ -s ticks ]; do sleep 0.1; done`);
    await claude.run("tick", { turn: { profile: "agent" } });
    expect(await readdir(join(claude.home, "work"))).toContain("ticks");
    expect(await ticking(claude.home)).toEqual([]);
    expect(await readdir(join(claude.home, "tmp"))).toEqual([]);
  });

  it("because Claude was killed, its tool goes too (C4)", async () => {
    await using claude = await openClaudeHouse(simulator.url, allowBash);
    useTool(loop);
    const failure = claude.run("tick", { turn: { profile: "agent" } }).catch((error: unknown) => error);
    await until("the tool runs", async () => (await ticking(claude.home)).length > 0);
    process.kill(await claudePid(claude.home), "SIGKILL");
    expect(await failure).toMatchObject({ code: "upstream_process_died" });
    expect(await ticking(claude.home)).toEqual([]);
    expect(await readdir(join(claude.home, "tmp"))).toEqual([]);
  });
});

/** The CLI that runs in this home. */
async function claudePid(home: string): Promise<number> {
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    try {
      const isOurs = (await readFile(`/proc/${pid}/environ`, "utf8")).split("\0").includes(`HOME=${home}`);
      if (isOurs && (await readFile(`/proc/${pid}/cmdline`, "utf8")).includes("stream-json")) return Number(pid);
    } catch {
      // Gone meanwhile.
    }
  }
  throw new Error("There is no Claude process.");
}
