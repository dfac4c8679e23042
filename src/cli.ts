// argv → command. Help comes from the settings table. Exit codes: 0 done, 1 failed, 2 wrong use or configuration,
// 3 no server answers.
import { realpathSync } from "node:fs";
import { open } from "node:fs/promises";
import { createInterface } from "node:readline";
import { text as readAll } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { Command, CommanderError, Option } from "commander";
import { check } from "./cli/check.ts";
import { doctor, type DoctorFlags } from "./cli/doctor.ts";
import { explainLines, explainText } from "./cli/explain.ts";
import { demo } from "./cli/demo/play.ts";
import { type Output, terminal } from "./cli/output.ts";
import { createRemote, UnreachableError } from "./cli/remote.ts";
import { serve } from "./cli/serve.ts";
import { simulate, type SimulateFlags } from "./cli/simulate.ts";
import { refresh, status } from "./cli/status.ts";
import { ConfigError, loadRemoteConfig } from "./config.ts";
import { flagName, type Setting, settings } from "./config/settings.ts";
import { makeKey } from "./made-key.ts";
import { defaultPort } from "./simulator/command.ts";
import { version } from "./version.ts";

/**
 * Runs one command.
 *
 * @param argv as `process.argv.slice(2)`.
 * @returns the exit code.
 */
export async function main(argv: readonly string[], output: Output = terminal): Promise<number> {
  let code = 0;
  const program = new Command("ccapi")
    .description("Serves Claude Code to any OpenAI client, and keeps serving when the Claude credential expires.")
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => output.line(text.trimEnd()),
      writeErr: (text) => output.error(text.trimEnd()),
    })
    .showHelpAfterError("(ccapi --help shows what there is)");

  const serving = program
    .command("serve", { isDefault: true })
    .description("start the server; what runs where no command is named")
    .allowExcessArguments()
    .option("--env-file <file>", "file of NAME=value lines; the environment beats it")
    .action(
      async ({ envFile, ...options }: Record<string, string | boolean> & { envFile?: string }, { args }: Command) => {
        const [unknown] = args;
        if (unknown !== undefined)
          throw new ConfigError(`"${unknown}" is no command. ccapi --help shows what there is.`);
        code = await serve(toFlags(options), envFile, output);
      },
    );
  for (const setting of Object.values(settings)) serving.addOption(toOption(setting));

  addRemoteCommands(program, output, (result) => {
    code = result;
  });
  program
    .command("doctor")
    .description(
      "examine this host's configuration: credential, keys, folders, Claude Code, the model API; exit code 1: a problem",
    )
    .option("--env-file <file>", "file of NAME=value lines, as for serve")
    .option("--probe", "also ask the model one short question", false)
    .option("--json", "for programs: a finding a line", false)
    .action(async (options: DoctorFlags) => {
      code = await doctor(options, output);
    });
  program
    .command("demo")
    .description("show what this is, on a simulated model API: no account, no network")
    .action(async () => {
      code = await demo(output);
    });
  program
    .command("simulate")
    .description("run the simulated model API by itself")
    .option("--port <port>", "port on 127.0.0.1", String(defaultPort))
    .option("--token-delay-ms <ms>", "time between two tokens", "0")
    .option("--credential <value...>", "a key that is accepted, bare or as name=value; none: every key")
    .option("--script <file>", "JSON file of changes to the credentials, see docs/simulator.md")
    .action(async (options: SimulateFlags) => {
      code = await simulate(options, output);
    });
  program
    .command("explain [text]")
    .description("say what an error means for the Claude credential; without a text, stdin is read")
    .option(
      "--jsonl <file>",
      "records by the line, { id, text, shape, http_status }, of which only text has to be there; one verdict out for each; - for stdin",
    )
    .action(async (text: string | undefined, { jsonl }: { jsonl?: string }) => {
      code = await explain(text, jsonl, output);
    });
  program
    .command("keys")
    .description("make keys for CCAPI_API_KEYS and CCAPI_ADMIN_KEYS")
    .command("generate")
    .description("print a new key")
    .action(() => output.line(makeKey()));

  try {
    await program.parseAsync(argv, { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof ConfigError) {
      output.error(error.message);
      return 2;
    }
    output.error(describe(error));
    return error instanceof UnreachableError ? 3 : 1;
  }
}

/** Is the program: runs what this process was called with, and sets its exit code. For `bin/ccapi.js` and this file itself. */
export async function run(): Promise<void> {
  // Whoever reads the output may have seen enough: `ccapi explain … | head`.
  process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => process.exit(code === "EPIPE" ? 0 : 1));
  // A terminal that has gone, a disk that is full: no reason to stop serving.
  process.stderr.on("error", () => undefined);
  // Not `process.exit()` at once: what was printed must get out first.
  process.exitCode = await main(process.argv.slice(2));
}

async function explain(text: string | undefined, file: string | undefined, output: Output): Promise<number> {
  if (file === undefined) {
    const given = text ?? (await readAll(process.stdin));
    if (given.trim() === "") throw new ConfigError("There is no text to explain.");
    return explainText(given, output);
  }
  if (file === "-") return explainLines(createInterface({ input: process.stdin }), output);
  const opened = await open(file).catch((error: NodeJS.ErrnoException) => {
    throw new ConfigError(`--jsonl "${file}": can't be read (${error.code}).`);
  });
  return explainLines(opened.readLines(), output);
}

/** The commands that ask a running server. Exit code 3: none answers. */
function addRemoteCommands(program: Command, output: Output, done: (code: number) => void): void {
  const remoteCommand = (name: string, description: string) =>
    program
      .command(name)
      .description(description)
      .option("--url <url>", "where the server is (CCAPI_URL; default: http://127.0.0.1:3000)")
      .option("--key <key>", "a key of it (CCAPI_KEY)");
  type Remotes = { url?: string; key?: string };
  remoteCommand("status", "what a running server knows of its Claude credential; exit code 1: that it does not work")
    .option("--json", "for programs", false)
    .action(async (options: Remotes & { json: boolean }) => {
      done(await status(createRemote(loadRemoteConfig(options)), options, output));
    });
  remoteCommand("refresh", "have a running server renew its Claude credential now; needs an admin key")
    .option("--json", "for programs", false)
    .action(async (options: Remotes & { json: boolean }) => {
      done(await refresh(createRemote(loadRemoteConfig(options)), options, output));
    });
  remoteCommand("check", "try a running server: status, a completion, a stream; exit code 1: something failed")
    .option("--model <model>", "model to ask", "haiku")
    .option("--refresh", "try a refresh too; needs an admin key", false)
    .action(async (options: Remotes & { model: string; refresh: boolean }) => {
      const checks = { model: options.model, withRefresh: options.refresh };
      done(await check(createRemote(loadRemoteConfig(options)), checks, output));
    });
}

function toOption(setting: Setting<unknown>): Option {
  const flag = setting.kind.isSwitch === true ? `--${flagName(setting)}` : `--${flagName(setting)} <value>`;
  const fallback = setting.fallbackText ?? String(setting.fallback);
  const variable = setting.isFlagOnly === true ? "flag only" : setting.variable;
  return new Option(flag, `${setting.help} (${variable}; default: ${fallback})`);
}

/** Commander's camelCase names → flag names. */
function toFlags(options: Readonly<Record<string, string | boolean>>): Record<string, string | boolean> {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
      value,
    ]),
  );
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return `Failed: ${String(error)}`;
  if (error instanceof UnreachableError) return error.message;
  const { code, port } = error as NodeJS.ErrnoException & { port?: number }; // Fields that node's network errors carry.
  if (code === "EADDRINUSE") return `Port ${port} is taken. Choose another with --port, or end what listens there.`;
  if (code === "EACCES" && port !== undefined) return `Port ${port} may not be listened on by this user.`;
  return `Failed: ${error.message}`;
}

const isMain = process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url);
if (isMain) await run();
