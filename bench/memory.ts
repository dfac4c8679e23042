// What a server needs while it waits: alone, and with so many Claude processes kept for their conversations.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { atRest, isClaude, memoryOf, openFilesOf, residentOf, treeOf } from "./process-tree.ts";
import type { Figures, Report } from "./report.ts";
import { openStage, type Stage } from "./stage.ts";
import { askServer } from "./ways.ts";

const megabyte = 1_048_576;

/** Opens session after session, each with a process that is kept, and looks at the memory between them. */
export async function measureMemory({ isQuick }: { readonly isQuick: boolean }): Promise<Report> {
  const figures: Figures[] = [];
  for (const [kind, model] of [
    ["plain chat", "sonnet"],
    ["agent", "claude-code"],
  ] as const) {
    const stage = await openStage({ environment: { CCAPI_POOL_MAX_IDLE: "64", CCAPI_POOL_MAX_IDLE_MB: "16384" } });
    try {
      if (figures.length === 0) figures.push(await look(stage, "–", 0));
      let open = 0;
      for (const wanted of isQuick ? [1, 2] : [1, 2, 4, 8, 16]) {
        for (; open < wanted; open += 1) {
          await askServer(stage, [{ role: "user", content: "Hello" }], { model, session: randomUUID() });
        }
        figures.push(await look(stage, kind, wanted));
      }
    } finally {
      await stage.stop();
    }
  }
  return {
    part: "memory",
    title: "Memory at rest",
    notes: [
      "PSS, megabytes. Each open session has a Claude process kept for it; spare ones may come on top, hence the count.",
    ],
    columns: [
      { key: "kind", head: "sessions of" },
      { key: "sessions", head: "open" },
      { key: "processes", head: "Claude processes" },
      { key: "serverMB", head: "server" },
      { key: "claudeMB", head: "Claude processes together" },
      { key: "eachMB", head: "each" },
      { key: "files", head: "open files of the server" },
    ],
    figures,
    goals: [],
  };
}

async function look({ server }: Stage, kind: string, sessions: number): Promise<Figures> {
  await sleep(1_000);
  await atRest(server.pid);
  const tree = await treeOf(server.pid);
  const sizes = await Promise.all(tree.map(async (pid) => ({ pid, bytes: await memoryOf([pid]) })));
  // The watchdog is a small Node process of ours, whose mapped program is the server's own.
  const claude = await Promise.all(sizes.map(async (one) => ((await isClaude(one.pid)) ? one.bytes : 0)));
  const processes = claude.filter((bytes) => bytes > 0).length;
  const claudeMB = claude.reduce((sum, bytes) => sum + bytes, 0) / megabyte;
  const allMB = sizes.reduce((sum, { bytes }) => sum + bytes, 0) / megabyte;
  return {
    kind,
    sessions,
    processes,
    serverMB: allMB - claudeMB,
    claudeMB,
    eachMB: processes === 0 ? undefined : claudeMB / processes,
    files: await openFilesOf(server.pid),
    residentMB: (await residentOf(server.pid)) / megabyte,
  };
}
