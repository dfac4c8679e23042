// Environment, env file and flags → Config. The only reader of process.env; says at once and clearly what is wrong.
import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { SettingError } from "./config/kinds.ts";
import { flagName, type Setting, type SettingName, settings } from "./config/settings.ts";

type Value<S> = S extends Setting<infer T> ? T : never;

/** What the server is started with. Each name and its unit: docs/configuration.md. */
export type Config = { readonly [Name in SettingName]: Value<(typeof settings)[Name]> } & {
  /** The environment that Claude is given a part of: the env file's variables, then the process's own. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What looks like a mistake but stops nothing. */
  readonly warnings: readonly string[];
};

/** A configuration that can't be used. The command line prints its message and exits with 2. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** Where a configuration comes from; flags beat the environment, the environment beats the file. */
export interface ConfigSources {
  /** By flag name without dashes, as `{ port: "8080", "api-keys": "…" }`; a switch that is on is `true`. */
  readonly flags?: Readonly<Record<string, string | boolean | undefined>>;
  /** Default: this process's environment. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** A file of `NAME=value` lines. */
  readonly envFile?: string | undefined;
}

/**
 * Reads the configuration.
 *
 * @throws ConfigError naming the setting, the value (never a secret one) and the range.
 */
export function loadConfig({ flags = {}, environment = process.env, envFile }: ConfigSources = {}): Config {
  const combined = { ...(envFile === undefined ? {} : readEnvFile(envFile)), ...withoutBlanks(environment) };
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const [name, setting] of Object.entries(settings) as [SettingName, Setting<unknown>][]) {
    values[name] = readSetting(setting, flags[flagName(setting)], combined[setting.variable]);
  }
  const config: Config = {
    ...(values as { [Name in SettingName]: Value<(typeof settings)[Name]> }), // One value for each, by its own kind.
    environment: combined,
    warnings: unknownVariables(combined),
  };
  assertKeysDiffer(config);
  assertHostHasKeys(config);
  assertClusterIsWhole(config);
  return { ...config, warnings: [...config.warnings, ...shortKeys(config)] };
}

/** Where a running server is, for the commands that ask one. */
export interface RemoteConfig {
  /** Without a slash at its end. */
  readonly url: string;
  readonly key: string | undefined;
}

/**
 * Where to ask: flags, else `CCAPI_URL` and `CCAPI_KEY`, else a server on this machine at its default port.
 *
 * @throws ConfigError where the address is none.
 */
export function loadRemoteConfig(
  flags: { readonly url?: string; readonly key?: string },
  environment: Readonly<Record<string, string | undefined>> = process.env,
): RemoteConfig {
  const url = flags.url ?? (environment["CCAPI_URL"] || "http://127.0.0.1:3000");
  if (!/^https?:\/\/[^\s/]+/.test(url) || !URL.canParse(url)) {
    throw new ConfigError(`--url "${url}": it has to be an address such as http://127.0.0.1:3000.`);
  }
  return { url: url.replace(/\/+$/, ""), key: flags.key ?? (environment["CCAPI_KEY"] || undefined) };
}

/** Where this process finds programs. For those that start others in an environment of their own. */
export function programPath(): string {
  return process.env["PATH"] ?? "";
}

/** Whether an address can be reached from this machine alone. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);
}

function readSetting(
  setting: Setting<unknown>,
  flag: string | boolean | undefined,
  variable: string | undefined,
): unknown {
  if (flag !== undefined) return parse(setting, String(flag), `--${flagName(setting)}`);
  if (setting.isFlagOnly === true) {
    if (variable === undefined || variable === "") return setting.fallback;
    throw new ConfigError(`${setting.variable} can't be set by a variable: use the flag --${flagName(setting)}.`);
  }
  // The file may say it so, too.
  return variable === undefined || variable.trim() === ""
    ? setting.fallback
    : parse(setting, variable, setting.variable);
}

function parse({ kind }: Setting<unknown>, value: string, key: string): unknown {
  try {
    return kind.parse(value);
  } catch (error) {
    if (!(error instanceof SettingError)) throw error;
    const shown = kind.isSecret === true ? "" : ` "${value.length > 80 ? `${value.slice(0, 80)}…` : value}"`;
    throw new ConfigError(`${key}${shown}: ${error.message}. Allowed: ${kind.range}.`);
  }
}

/** An empty variable is how compose files and shells say "not set": it must not hide what the file says. */
function withoutBlanks(environment: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value?.trim() !== ""));
}

function readEnvFile(file: string): Record<string, string | undefined> {
  try {
    return parseEnv(readFileSync(file, "utf8"));
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? "unreadable"; // fs errors carry a code.
    throw new ConfigError(`--env-file "${file}": can't be read (${reason}).`);
  }
}

function assertKeysDiffer({ apiKeys, adminKeys }: Pick<Config, "apiKeys" | "adminKeys">): void {
  for (const admin of adminKeys) {
    const twin = apiKeys.find(({ name, key }) => (name === admin.name) !== (key === admin.key));
    if (twin === undefined) continue;
    throw new ConfigError(
      `CCAPI_ADMIN_KEYS: "${admin.name}" shares its ${twin.name === admin.name ? "name" : "key"} with "${twin.name}" of CCAPI_API_KEYS, but not both.`,
    );
  }
}

function assertHostHasKeys({ host, apiKeys, adminKeys }: Pick<Config, "host" | "apiKeys" | "adminKeys">): void {
  if (isLoopback(host) || apiKeys.length > 0 || adminKeys.length > 0) return;
  throw new ConfigError(
    `CCAPI_HOST "${host}": others than this machine could reach the server, and no key protects it. Set CCAPI_API_KEYS (for example: ccapi keys generate), or listen on 127.0.0.1.`,
  );
}

function assertClusterIsWhole({ redisUrl, clusterSecret }: Pick<Config, "redisUrl" | "clusterSecret">): void {
  if (redisUrl === undefined || clusterSecret !== undefined) return;
  throw new ConfigError(
    "CCAPI_CLUSTER_SECRET is not set, and CCAPI_REDIS_URL needs it: give all instances the same secret (for example: openssl rand -hex 32).",
  );
}

/** Shorter keys can be guessed over a network. */
const leastKeyLength = 16;

function shortKeys({ host, apiKeys, adminKeys }: Config): string[] {
  if (isLoopback(host)) return [];
  return [...apiKeys, ...adminKeys]
    .filter(({ key }) => key.length < leastKeyLength)
    .map(
      ({ name }) =>
        `The key "${name}" is shorter than ${leastKeyLength} characters, and others than this machine can reach the server: ccapi keys generate makes a better one.`,
    );
}

/** What other commands than `serve` read. */
const remoteVariables = new Set(["CCAPI_URL", "CCAPI_KEY"]);

function unknownVariables(environment: Readonly<Record<string, string | undefined>>): string[] {
  const known = new Set(Object.values(settings).map(({ variable }) => variable));
  return Object.keys(environment)
    .filter((name) => name.startsWith("CCAPI_") && !known.has(name) && !remoteVariables.has(name))
    .map((name) => `${name} is no setting of this version and has no effect.`);
}
