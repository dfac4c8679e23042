// Before `npm test`: the programs that tests need and npm does not bring. Says nothing where all are there.
// Installs only as root and with apt-get, never with sudo; elsewhere it says which tests will be skipped.
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { run } from "./process.ts";

/** A program that tests need. */
export interface Tool {
  readonly command: string;
  readonly debianPackage: string;
  /** What is skipped without it. */
  readonly neededFor: string;
}

/** A row comes with the first test that needs its program, and skips itself without it. */
const tools: readonly Tool[] = [
  { command: "promtool", debianPackage: "prometheus", neededFor: "the check of the metrics' form" },
  { command: "systemd-analyze", debianPackage: "systemd", neededFor: "the check of the systemd unit" },
  { command: "redis-server", debianPackage: "redis-server", neededFor: "the tests of several instances" },
  { command: "chromium", debianPackage: "chromium", neededFor: "the tests of the dashboard in a browser" },
];

/** The machine, as far as this script touches it. */
export interface Machine {
  has(command: string): boolean;
  /** Whether {@link install} may be tried. */
  readonly canInstall: boolean;
  /** Installs Debian packages; what went wrong is told by what is still missing. */
  install(debianPackages: readonly string[]): Promise<void>;
  readonly isCi: boolean;
  say(line: string): void;
}

/**
 * Sees to it that the tools are there, as far as it may.
 *
 * @returns the exit code: 1 only where a tool is missing in CI, where nothing may be skipped.
 */
export async function prepareTools(wanted: readonly Tool[], machine: Machine): Promise<number> {
  const isMissing = ({ command }: Tool): boolean => !machine.has(command);
  let missing = wanted.filter(isMissing);
  if (missing.length > 0 && machine.canInstall) {
    await machine.install(missing.map(({ debianPackage }) => debianPackage));
    missing = missing.filter(isMissing);
  }
  for (const { command, debianPackage, neededFor } of missing) {
    machine.say(`${command} is not on this machine: ${neededFor} will be skipped (Debian package: ${debianPackage}).`);
  }
  if (missing.length === 0 || !machine.isCi) return 0;
  machine.say("With CI=true no test may be skipped.");
  return 1;
}

const thisMachine: Machine = {
  has: hasCommand,
  canInstall: process.getuid?.() === 0 && hasCommand("apt-get"),
  install: async (debianPackages) => {
    // A machine's lists of packages may be old, or missing; where they can't be renewed, the old ones may do.
    await run("apt-get", ["update"], { timeoutMs: 120_000 });
    const { code, output } = await run("apt-get", ["install", "--yes", "--no-install-recommends", ...debianPackages], {
      timeoutMs: 300_000,
    });
    if (code !== 0) console.error(output.trimEnd());
  },
  isCi: process.env["CI"] === "true",
  say: (line) => console.error(line),
};

function hasCommand(command: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false; // Not in this folder of PATH.
    }
  });
}

if (import.meta.main) process.exitCode = await prepareTools(tools, thisMachine);
