// What the server itself takes of a processor for what it passes on, its Claude processes left out.
import { randomUUID } from "node:crypto";
import { atRest, processorTimeOf, treeOf } from "./process-tree.ts";
import type { Figures, Report } from "./report.ts";
import { clientKey, openStage, type Stage } from "./stage.ts";
import { askServer } from "./ways.ts";

interface Load {
  readonly what: string;
  readonly tokens: number;
  readonly isStreamed: boolean;
}

const loads: readonly Load[] = [
  { what: "streamed, 1,000 tokens each", tokens: 1_000, isStreamed: true },
  { what: "streamed, 50 tokens each", tokens: 50, isStreamed: true },
  { what: "in one piece, 1,000 tokens each", tokens: 1_000, isStreamed: false },
];
const clients = 4;

/** Measures each load on a server that is warm. */
export async function measureGatewayCpu({ isQuick }: { readonly isQuick: boolean }): Promise<Report> {
  const requests = isQuick ? 8 : 40;
  const stage = await openStage();
  try {
    await run({ what: "", tokens: 50, isStreamed: true }, requests, stage);
    const figures: Figures[] = [];
    for (const load of loads) figures.push(await run(load, requests, stage));
    return {
      part: "cpu",
      title: "Processor time of the server itself",
      notes: [
        `${requests} new plain chats, ${clients} at a time, without delay. Milliseconds of a core for 1,000 tokens, those of a request included; the server's ` +
          "Claude processes apart.",
      ],
      columns: [
        { key: "what", head: "answers" },
        { key: "perThousand", head: "server, ms per 1,000 tokens", digits: 1 },
        { key: "perRequest", head: "server, ms a request", digits: 1 },
        { key: "claudePerRequest", head: "Claude processes, ms a request", digits: 1 },
      ],
      figures,
      goals: [],
    };
  } finally {
    await stage.stop();
  }
}

async function run({ what, tokens, isStreamed }: Load, requests: number, stage: Stage): Promise<Figures> {
  await stage.upstream.control("rules", { rules: [{ tokens }] });
  await stage.upstream.control("clear-requests", {});
  await atRest(stage.server.pid);
  const before = await times(stage);
  let begun = 0;
  await Promise.all(
    Array.from({ length: clients }, async () => {
      for (; begun < requests;) {
        begun += 1;
        await (isStreamed ? askServer(stage, [words()]) : askWhole(stage));
      }
    }),
  );
  await atRest(stage.server.pid);
  const after = await times(stage);
  const serverMs = after.serverMs - before.serverMs;
  return {
    what,
    perThousand: (serverMs * 1_000) / (requests * tokens),
    perRequest: serverMs / requests,
    claudePerRequest: (after.claudeMs - before.claudeMs) / requests,
  };
}

function words(): { role: "user"; content: string } {
  return { role: "user", content: `Tell me of ${randomUUID()}` };
}

async function askWhole({ server }: Stage): Promise<void> {
  const response = await fetch(`${server.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${clientKey}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "sonnet", messages: [{ role: "system", content: "You are brief." }, words()] }),
    signal: AbortSignal.timeout(60_000),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${response.status}: ${text.slice(0, 300)}`);
}

/** Those that have ended count with the server's ended children. */
async function times({ server }: Stage): Promise<{ serverMs: number; claudeMs: number }> {
  const [own, ...others] = await Promise.all((await treeOf(server.pid)).map((pid) => processorTimeOf(pid)));
  const { ownMs = 0, endedMs = 0 } = own ?? {};
  return { serverMs: ownMs, claudeMs: endedMs + others.reduce((sum, each) => sum + each.ownMs + each.endedMs, 0) };
}
