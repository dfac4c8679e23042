// argv → command. Help comes from the settings table. Exit codes: 0 done, 1 failed, 2 wrong use or configuration.
import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Command, CommanderError, Option } from "commander";
import { serve } from "./cli/serve.ts";
import { type Output, terminal } from "./cli/output.ts";
import { ConfigError } from "./config.ts";
import { flagName, type Setting, settings } from "./config/settings.ts";
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
    .description("start the server")
    .option("--env-file <file>", "file of NAME=value lines; the environment beats it")
    .action(async ({ envFile, ...options }: Record<string, string | boolean> & { envFile?: string }) => {
      code = await serve(toFlags(options), envFile, output);
    });
  for (const setting of Object.values(settings)) serving.addOption(toOption(setting));

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
    return 1;
  }
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
    Object.entries(options).map(([name, value]) => [name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`), value]),
  );
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return `Failed: ${String(error)}`;
  const { code, port } = error as NodeJS.ErrnoException & { port?: number }; // Fields that node's network errors carry.
  if (code === "EADDRINUSE") return `Port ${port} is taken. Choose another with --port, or end what listens there.`;
  if (code === "EACCES" && port !== undefined) return `Port ${port} may not be listened on by this user.`;
  return `Failed: ${error.message}`;
}

const isMain = process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url);
if (isMain) {
  // Not `process.exit()` at once: what was printed must get out first.
  process.exitCode = await main(process.argv.slice(2));
}
