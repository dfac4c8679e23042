// `ccapi serve`: starts the server, says where it is, ends it in order on a signal.
import { createLogger } from "../observe/log.ts";
import { loadConfig } from "../config.ts";
import { startServer } from "../server.ts";
import type { Output } from "./output.ts";
import { untilSignal } from "./until-signal.ts";

/** Runs until a signal ends it. Resolves to the exit code. */
export async function serve(
  flags: Readonly<Record<string, string | boolean | undefined>>,
  envFile: string | undefined,
  output: Output,
): Promise<number> {
  const config = loadConfig({ flags, envFile });
  const isTerminal = process.stderr.isTTY;
  const log = createLogger({
    level: config.logLevel,
    format: config.logFormat ?? (isTerminal ? "pretty" : "json"),
    isColoured: isTerminal && !config.environment["NO_COLOR"],
  });
  // A failure that nobody foresaw must not end a server that others depend on; it is logged with its stack.
  process.on("unhandledRejection", (reason) => {
    log.error({ stack: reason }, "Unforeseen rejection");
  });
  const server = await startServer(config, log);
  if (server.madeKey !== undefined) output.error(welcome(server.url, server.madeKey));
  await untilSignal(() => server.close());
  return 0;
}

function welcome(url: string, key: string): string {
  return `
No key is set (CCAPI_API_KEYS), so one was made for this run. Try it:

  curl ${url}/v1/chat/completions \\
    -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" \\
    -d '{"model": "sonnet", "messages": [{"role": "user", "content": "Hello!"}]}'

or log in with it to the dashboard: ${url}
`;
}
