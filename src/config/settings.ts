// DATA: every setting of the server, once. Parsing, flags, help and docs/configuration.md all follow from this table.
import { addresses, aliases, clusterSecret, command, decimal, host, integer, keys, type Kind, type NamedKey, onOff, oneOf, origins, path, redisAddress, secret, text, webAddress } from "./kinds.ts";

/** One setting: its variable, its flag (the variable's name in kebab case), its kind, its default. */
export interface Setting<T> {
  readonly variable: string;
  readonly kind: Kind<T>;
  readonly fallback: T;
  /** The default in words, where the value alone doesn't say it. */
  readonly fallbackText?: string;
  readonly help: string;
  /** Heading in help and documents. */
  readonly group: Group;
  /** Only by flag: not to be turned on by a variable that somebody forgot. */
  readonly isFlagOnly?: boolean;
}

/** The headings, in their order. */
export const groups = ["Server", "Keys", "Models", "Limits", "Authentication", "Several instances", "Claude", "Alerts", "Logs"] as const;
type Group = (typeof groups)[number];

const minute = 60_000;
const hour = 60 * minute;

function setting<T>(group: Group, variable: string, kind: Kind<T>, fallback: T, help: string, more: Partial<Pick<Setting<T>, "fallbackText" | "isFlagOnly">> = {}): Setting<T> {
  return { group, variable, kind, fallback, help, ...more };
}

/** A setting that need not be set. */
function optional<T>(group: Group, variable: string, kind: Kind<T>, help: string, fallbackText: string): Setting<T | undefined> {
  return { group, variable, kind, fallback: undefined, help, fallbackText };
}

const noKeys: readonly NamedKey[] = [];

/** Every setting, by its name in {@link Config}. */
export const settings = {
  host: setting("Server", "CCAPI_HOST", host, "127.0.0.1", "Address to listen on. Other than loopback only with keys of your own."),
  port: setting("Server", "CCAPI_PORT", integer(0, 65_535), 3000, "Port to listen on; 0: any free one."),
  stateDir: optional("Server", "CCAPI_STATE_DIR", path, "Folder for sessions and workspaces.", "$XDG_STATE_HOME/ccapi, else ~/.local/state/ccapi"),
  corsOrigins: setting("Server", "CCAPI_CORS_ORIGINS", origins, [] as readonly string[], "Web origins whose pages may call this server.", { fallbackText: "none" }),
  metricsAllow: setting("Server", "CCAPI_METRICS_ALLOW", addresses, [] as readonly string[], "Addresses that may read /metrics without a key. A proxy's own address lets everybody in who comes through it.", { fallbackText: "none" }),
  fetchImages: setting("Server", "CCAPI_FETCH_IMAGES", onOff, false, "Fetch images that clients name by an https URL, from public addresses alone. Off: only data URLs."),
  shutdownTimeoutMs: setting("Server", "CCAPI_SHUTDOWN_TIMEOUT_MS", integer(0, hour), 30_000, "How long running answers may go on after SIGTERM."),

  apiKeys: setting("Keys", "CCAPI_API_KEYS", keys("key"), noKeys, "Client keys, bare or as name=key, comma-separated.", { fallbackText: "one is made at each start" }),
  adminKeys: setting("Keys", "CCAPI_ADMIN_KEYS", keys("admin"), noKeys, "Keys that may also administer: refresh.", { fallbackText: "none" }),

  modelAliases: setting("Models", "CCAPI_MODEL_ALIASES", aliases, new Map<string, string>() as ReadonlyMap<string, string>, "Foreign model names, e.g. gpt-4o=sonnet.", { fallbackText: "none" }),

  maxConcurrent: optional("Limits", "CCAPI_MAX_CONCURRENT", integer(1, 10_000), "Claude runs at once.", "from memory and cores, at least 8"),
  maxQueue: setting("Limits", "CCAPI_MAX_QUEUE", integer(0, 100_000), 256, "Requests that may wait for a run; beyond: 429."),
  maxConcurrentPerKey: optional("Limits", "CCAPI_MAX_CONCURRENT_PER_KEY", integer(1, 10_000), "Requests of one key at once; beyond: 429.", "no limit"),
  requestsPerMinutePerKey: optional("Limits", "CCAPI_REQUESTS_PER_MINUTE_PER_KEY", integer(1, 1_000_000), "Requests of one key in a minute; beyond: 429.", "no limit"),
  requestTimeoutMs: setting("Limits", "CCAPI_REQUEST_TIMEOUT_MS", integer(1_000, 24 * hour), 30 * minute, "Time for one request, its waiting included; beyond: 504."),
  poolMaxIdle: optional("Limits", "CCAPI_POOL_MAX_IDLE", integer(0, 10_000), "Claude processes kept between requests, about 140 MB each; 0: each request starts its own.", "two for each core"),
  poolMaxSpares: optional("Limits", "CCAPI_POOL_MAX_SPARES", integer(0, 10_000), "Of those, the ones started before their request is known, for kinds of requests that came twice; 0: none.", "one for each core"),
  poolMaxIdleMb: setting("Limits", "CCAPI_POOL_MAX_IDLE_MB", integer(0, 1_000_000), 1_024, "Memory of the processes kept, measured, in megabytes."),
  poolIdleMs: setting("Limits", "CCAPI_POOL_IDLE_MS", integer(0, 86_400_000), 300_000, "How long a kept process waits for its next request."),
  maxTurns: optional("Limits", "CCAPI_MAX_TURNS", integer(1, 10_000), "Model calls in one agent run.", "no limit"),
  maxBudgetUsd: optional("Limits", "CCAPI_MAX_BUDGET_USD", decimal(0.0001, 100_000), "Cost of one request in US dollars, as Claude Code reckons it.", "no limit"),
  maxBodyBytes: setting("Limits", "CCAPI_MAX_BODY_BYTES", integer(1_024, 1_073_741_824), 33_554_432, "Size of a request's body; beyond: 413."),
  maxConnections: setting("Limits", "CCAPI_MAX_CONNECTIONS", integer(1, 1_000_000), 4_096, "Open connections; beyond, new ones are dropped."),
  maxSessionsPerKey: setting("Limits", "CCAPI_MAX_SESSIONS_PER_KEY", integer(1, 1_000_000), 1_000, "Sessions kept for one key; beyond, the one unused for longest is deleted."),
  sessionTtlMs: setting("Limits", "CCAPI_SESSION_TTL_MS", integer(minute, 8_760 * hour), 24 * hour, "How long a session is kept after its last use."),

  authCooldownMs: setting("Authentication", "CCAPI_AUTH_COOLDOWN_MS", integer(0, hour), 30_000, "Least time between a failed refresh of the credential and the next."),
  authMaxFailures: setting("Authentication", "CCAPI_AUTH_MAX_FAILURES", integer(1, 100), 3, "Failed refreshes in a row until requests are refused at once."),
  authTimeoutMs: setting("Authentication", "CCAPI_AUTH_TIMEOUT_MS", integer(1_000, hour), 5 * minute, "Time for one whole refresh."),
  authParkMs: setting("Authentication", "CCAPI_AUTH_PARK_MS", integer(0, hour), 45_000, "How long a request waits for the credential to be mended."),
  authStepTimeoutMs: setting("Authentication", "CCAPI_AUTH_STEP_TIMEOUT_MS", integer(1_000, hour), minute, "Time for one step of a refresh."),
  authTestTimeoutMs: setting("Authentication", "CCAPI_AUTH_TEST_TIMEOUT_MS", integer(1_000, hour), 30_000, "Time for one test query."),
  authTestModel: setting("Authentication", "CCAPI_AUTH_TEST_MODEL", text, "haiku", "Model of the test query; where the provider has no such, Claude Code's default is asked."),
  authMaxTestQueriesPerHour: setting("Authentication", "CCAPI_AUTH_MAX_TEST_QUERIES_PER_HOUR", integer(0, 10_000), 24, "Test queries in an hour, whatever happens."),
  authRefreshCommand: optional("Authentication", "CCAPI_AUTH_REFRESH_COMMAND", command, "Program that renews the credential, with its arguments. No shell.", "none"),
  allowStoredLogin: setting("Authentication", "CCAPI_ALLOW_STORED_LOGIN", onOff, false, "Use a login stored by Claude Code even when listening on more than loopback. Read docs/security.md first."),

  redisUrl: optional("Several instances", "CCAPI_REDIS_URL", redisAddress, "Redis that all instances share, redis:// or rediss:// (TLS), with user and password. See docs/cluster.md.", "none: this instance is the only one"),
  clusterSecret: optional("Several instances", "CCAPI_CLUSTER_SECRET", clusterSecret, "Secret that all instances share: what lies in Redis is keyed and encrypted with it.", "none; needed with CCAPI_REDIS_URL"),

  allowTelemetry: setting("Claude", "CCAPI_ALLOW_TELEMETRY", onOff, false, "Let Claude Code send its telemetry and other non-essential traffic."),
  skipPermissions: setting("Claude", "CCAPI_DANGEROUSLY_SKIP_PERMISSIONS", onOff, false, "Let agents run every tool without your approval. For sandboxes only.", { isFlagOnly: true }),

  alertWebhookUrl: optional("Alerts", "CCAPI_ALERT_WEBHOOK_URL", webAddress, "Where alerts are posted, once when something begins and once when it is over.", "none"),
  alertWebhookSecret: optional("Alerts", "CCAPI_ALERT_WEBHOOK_SECRET", secret, "Signs what is posted, as Standard Webhooks says.", "nothing is signed"),
  alertFormat: setting("Alerts", "CCAPI_ALERT_FORMAT", oneOf("json", "slack"), "json" as const, "Form of what is posted: plain JSON, or what Slack's incoming webhooks take."),
  alertCommand: optional("Alerts", "CCAPI_ALERT_COMMAND", command, "Program that is run for each alert, with the alert as JSON on its standard input. No shell.", "none"),
  alertFailures: setting("Alerts", "CCAPI_ALERT_FAILURES", integer(1, 100), 2, "Failed refreshes in a row that are an alert."),
  alertRefreshesPerHour: setting("Alerts", "CCAPI_ALERT_REFRESHES_PER_HOUR", integer(1, 10_000), 12, "More refreshes than these within an hour are an alert."),
  alertExpiryMs: setting("Alerts", "CCAPI_ALERT_EXPIRY_MS", integer(0, 8_760 * hour), 24 * hour, "A credential that can't be renewed and expires within this time is an alert."),

  logLevel: setting("Logs", "CCAPI_LOG_LEVEL", oneOf("trace", "debug", "info", "warn", "error", "fatal", "silent"), "info" as const, "Least level that is logged."),
  logFormat: optional("Logs", "CCAPI_LOG_FORMAT", oneOf("json", "pretty"), "Form of the log on stderr.", "pretty on a terminal, else json"),
} as const;

/** A setting's name in the configuration. */
export type SettingName = keyof typeof settings;

/** The flag of a setting: `CCAPI_API_KEYS` → `api-keys`. */
export function flagName({ variable }: Pick<Setting<unknown>, "variable">): string {
  return variable
    .replace(/^CCAPI_/, "")
    .toLowerCase()
    .replaceAll("_", "-");
}
