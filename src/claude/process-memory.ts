// How much memory a process has for itself.
import { readFile } from "node:fs/promises";

/** Where the system doesn't tell: what a Claude process was measured to have (2.1.330: 126 to 150 MB). */
const typicalBytes = 150 * 1_048_576;

/** Its proportional share (PSS), in bytes: what it shares with others is divided among them. */
export async function memoryOf(pid: number | undefined): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
  const kilobytes = /^Pss:\s+(\d+) kB$/m.exec(text)?.[1];
  return kilobytes === undefined ? typicalBytes : Number(kilobytes) * 1_024;
}
