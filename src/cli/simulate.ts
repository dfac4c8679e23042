// `ccapi simulate`: flags → a simulator that runs until a signal ends it.
import { readFile } from "node:fs/promises";
import { integer } from "../config/kinds.ts";
import { ConfigError } from "../config.ts";
import { simulateCommand } from "../simulator/command.ts";
import type { Output } from "./output.ts";
import { untilSignal } from "./until-signal.ts";

/** As commander hands them over. */
export interface SimulateFlags {
  readonly port: string;
  readonly tokenDelayMs: string;
  readonly credential?: readonly string[];
  readonly script?: string;
}

/**
 * Runs until a signal ends it. Resolves to the exit code.
 *
 * @throws ConfigError for a value out of its range or a script that can't be read.
 */
export async function simulate(flags: SimulateFlags, output: Output): Promise<number> {
  const simulator = await simulateCommand(
    {
      port: number("--port", flags.port, 65_535),
      tokenDelayMs: number("--token-delay-ms", flags.tokenDelayMs, 60_000),
      credentials: flags.credential ?? [],
      script: flags.script === undefined ? [] : await readScript(flags.script),
    },
    (line) => output.line(line),
  ).catch((error: unknown) => {
    throw error instanceof TypeError ? new ConfigError(error.message) : error;
  });
  await untilSignal(() => simulator.close());
  return 0;
}

function number(flag: string, text: string, max: number): number {
  const kind = integer(0, max);
  try {
    return kind.parse(text);
  } catch {
    throw new ConfigError(`${flag} "${text}": it has to be ${kind.range}.`);
  }
}

async function readScript(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as unknown;
  } catch (error) {
    throw new ConfigError(`--script "${file}": can't be read (${error instanceof Error ? error.message : "unknown"}).`);
  }
}
