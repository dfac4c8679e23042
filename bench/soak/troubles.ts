// The troubles of a soak: the credential is rotated under the running requests, and Claude processes are killed. Ends when told to.
import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isClaude, treeOf } from "../process-tree.ts";
import { credential, type Stage } from "../stage.ts";
import type { Tally } from "./tally.ts";

/** How many there were. */
export interface Troubles {
  rotations: number;
  kills: number;
}

/** Makes trouble until the signal; resolves to how much there was. */
export async function makeTroubles(stage: Stage, tally: Tally, signal: AbortSignal): Promise<Troubles> {
  const troubles: Troubles = { rotations: 0, kills: 0 };
  let current = credential;
  for (let round = 1; ; round += 1) {
    await sleep(10_000, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return troubles;
    if (round % 2 === 0) {
      current = await rotate(stage, current);
      troubles.rotations += 1;
    } else if (await killOne(stage)) {
      troubles.kills += 1;
      // Its request, if it had one, and the next turn of its session, if that was not written down yet.
      tally.allow("upstream_process_died", 1);
      tally.allow("session_not_found", 1);
    }
  }
}

/** The old one is rejected before the new one is there, as it is where somebody rotates by hand. */
async function rotate({ home, upstream }: Stage, old: string): Promise<string> {
  const next = `sk-ant-soak-${randomUUID()}`;
  await upstream.control("rotate", { value: old, newValue: next });
  await writeFile(join(home, "key"), next);
  return next;
}

async function killOne({ server }: Stage): Promise<boolean> {
  const pids = await treeOf(server.pid);
  const are = await Promise.all(pids.map((pid) => isClaude(pid)));
  const claude = pids.filter((_pid, index) => are[index]);
  const pid = claude[Math.floor(Math.random() * claude.length)];
  if (pid === undefined) return false;
  try {
    process.kill(pid, "SIGKILL");
    return true;
  } catch {
    return false; // It has ended meanwhile.
  }
}
