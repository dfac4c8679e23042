// `ccapi simulate`: starts a simulator and tells how to point Claude at it. Reading of flags is the command line's work.
import type { CredentialSpec, ScriptEntry, Simulator } from "./contract.ts";
import { startSimulator } from "./server.ts";

/** What the command line hands over. */
export interface SimulateOptions {
  /** Default: {@link defaultPort}. */
  readonly port?: number;
  readonly tokenDelayMs?: number;
  /** Credentials, as a value or as `name=value`. None: any is accepted. */
  readonly credentials?: readonly string[];
  /** Planned changes of credentials, as the JSON of the script file says them. */
  readonly script?: unknown;
}

/** The command's own, so that its address can be in documents. */
export const defaultPort = 4010;

/**
 * Starts the simulator and writes the ready lines. The caller closes it.
 * @param write takes one line, without its end
 * @throws TypeError for a value out of its range or a script that can't be read
 * @throws the system's error where the port is taken
 */
export async function simulateCommand(options: SimulateOptions, write: (line: string) => void): Promise<Simulator> {
  const credentials = (options.credentials ?? []).map(toSpec);
  const simulator = await startSimulator({
    port: options.port ?? defaultPort,
    credentials,
    tokenDelayMs: options.tokenDelayMs ?? 0,
    // Checked entry by entry where the simulator reads it.
    script: (options.script ?? []) as readonly ScriptEntry[],
  });
  const { url } = simulator;
  const named = credentials.map(({ name }, index) => name ?? `key-${index + 1}`);
  const control = `${url}/_simulator`;
  for (const line of [
    `Simulated Messages API on ${url} (loopback only; Ctrl-C ends it)`,
    "",
    "Point Claude at it:",
    `  ANTHROPIC_BASE_URL=${url} ANTHROPIC_API_KEY=${credentials.length === 0 ? "made-up-key" : "<one of the keys below>"} claude -p "Say hello"`,
    credentials.length === 0
      ? "Any non-empty credential is accepted until one is added."
      : `Known credentials: ${named.join(", ")}`,
    "",
    "Control it:",
    `  curl ${control}/state`,
    `  curl ${control}/requests`,
    `  curl ${control}/expire -d '{"value":"made-up-key"}'`,
    `  curl ${control}/restore -d '{"value":"made-up-key","inMs":5000}'`,
    `  curl ${control}/rotate -d '{"value":"made-up-key","newValue":"another-key"}'`,
    `  curl ${control}/fail -d '{"kind":"status","status":529,"times":2}'`,
    `  curl ${control}/clear-faults -d ''`,
  ]) {
    write(line);
  }
  return simulator;
}

function toSpec(text: string): CredentialSpec {
  const [, name, value] = /^([A-Za-z0-9._-]+)=(.+)$/.exec(text) ?? [];
  return name === undefined || value === undefined ? { value: text } : { name, value };
}
