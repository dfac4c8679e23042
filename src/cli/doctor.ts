// `ccapi doctor`: examines the configuration on this host and prints what it found, each trouble with its fix.
import { loadConfig } from "../config.ts";
import { examine } from "../doctor.ts";
import type { Output } from "./output.ts";

const marks = { ok: "ok     ", warning: "warning", problem: "PROBLEM" } as const;

/** How to examine. */
export interface DoctorFlags {
  readonly envFile?: string;
  readonly probe: boolean;
  readonly json: boolean;
}

/** Resolves to the exit code: 1 where something would make requests fail. */
export async function doctor({ envFile, probe, json }: DoctorFlags, output: Output): Promise<number> {
  let problems = 0;
  for await (const finding of examine(loadConfig({ envFile }), { probe })) {
    if (finding.verdict === "problem") problems += 1;
    if (json) {
      output.line(JSON.stringify(finding));
      continue;
    }
    output.line(`${marks[finding.verdict]} ${finding.about.padEnd(13)} ${finding.seen}`);
    if (finding.fix !== undefined) output.line(`${" ".repeat(22)}-> ${finding.fix}`);
  }
  if (!json) output.line(problems === 0 ? "Nothing stands in the way." : `${problems} to be mended.`);
  return problems === 0 ? 0 : 1;
}
