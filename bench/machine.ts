// What a measurement was made on, in one line.
import { execFileSync } from "node:child_process";
import { cpus, loadavg, totalmem } from "node:os";
import { claudePath } from "./ways.ts";

/** The machine, for the head of the output. */
export interface Machine {
  readonly cores: number;
  readonly processor: string;
  readonly memoryGB: number;
  readonly node: string;
  readonly claude: string;
  /** Programs that wanted a core in the last minute, when the bench began: more than 0.3 is a machine that others use. */
  readonly load: number;
}

/** Looks. */
export function lookAtMachine(): Machine {
  const version = execFileSync(claudePath(), ["--version"], { encoding: "utf8", timeout: 20_000 });
  return {
    cores: cpus().length,
    processor: cpus()[0]?.model.trim() ?? "unknown",
    memoryGB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    claude: version.trim(),
    load: loadavg()[0] ?? 0,
  };
}

/** In words. */
export function describeMachine({ cores, processor, memoryGB, node, claude, load }: Machine): string {
  const busy = load > 0.3 ? ", which other work shared" : "";
  return `${cores} cores (${processor}), ${memoryGB} GB, Node ${node}, Claude Code ${claude}; load ${load.toFixed(1)} at the start${busy}`;
}
