// The library's entry `ccapi/agent`: the Agent SDK's own query(), which goes on where a failing credential broke it off.
// Every name here is public API and pinned by a test.
import type { Query } from "@anthropic-ai/claude-agent-sdk";
import type { AuthStatus, RefreshResult } from "./auth/contract.ts";
import type { AuthListener } from "./auth/events.ts";
import type { Policy } from "./auth/policy.ts";
import { createKeepers } from "./agent/keepers.ts";
import { createQuery, type QueryParameters } from "./agent/self-healing.ts";
import { toSource } from "./agent/source.ts";
import { createProcessOwner } from "./claude/process.ts";
import { createRuntime } from "./claude/runtime.ts";

export type { AuthStatus, RefreshResult } from "./auth/contract.ts";
export { CcapiError } from "./auth/errors.ts";
export type { ErrorCode } from "./auth/errors.ts";
export type { AuthEvent, AuthListener } from "./auth/events.ts";
export type { Policy } from "./auth/policy.ts";
export type { QueryParameters } from "./agent/self-healing.ts";

/** How an agent keeps its credential working. */
export interface AgentOptions {
  /** Environment of queries whose options name none. Default: this process's, as it is when the query is made. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** Program and arguments of a command that renews the credential. It runs with the environment. */
  readonly refreshCommand?: readonly string[] | undefined;
  /** Model of the question by which a renewed credential is proven where no query waits. Default `haiku`. */
  readonly testModel?: string | undefined;
  /** Numbers of the refresh system that differ from their defaults. */
  readonly policy?: Partial<Policy> | undefined;
  /** Told of everything that happens to the credential, for logs and metrics. */
  readonly onEvent?: AuthListener | undefined;
}

/** An agent with its own idea of how a credential is kept working. */
export interface Agent {
  /** As {@link query}. */
  query(parameters: QueryParameters): Query;
  /** What is known of the credential of the agent's environment. Starts nothing. */
  status(): AuthStatus;
  /** Renews that credential now. @throws CcapiError `auth_refresh_limited`, `shutting_down`. */
  refresh(options?: { readonly signal?: AbortSignal | undefined }): Promise<RefreshResult>;
  /** Ends its queries and their processes, its watches and timers. Resolves when nothing is left. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes an agent. It keeps no process alive: where nothing of yours waits, your program ends.
 *
 * @throws TypeError naming the option that can't be used.
 */
export function createAgent(options: AgentOptions = {}): Agent {
  const { refreshCommand, testModel = "haiku", policy, onEvent } = options;
  if (refreshCommand?.length === 0) throw new TypeError("refreshCommand must name a program");
  const environment = () => options.environment ?? process.env;
  const runtime = createRuntime();
  const owner = createProcessOwner();
  const ender = new AbortController();
  const keepers = createKeepers({ refreshCommand, testModel, policy, onEvent }, { runtime, owner });
  const parts = { keepers, runtime, owner, environment, signal: ender.signal };
  const manager = () => keepers.of(toSource({}, environment())).manager;

  async function close(): Promise<void> {
    ender.abort();
    await keepers.close();
    await owner.close();
  }

  return {
    query: (parameters) => createQuery(parameters, parts),
    status: () => manager().status(),
    refresh: (how) => manager().refresh(how),
    close,
    [Symbol.asyncDispose]: close,
  };
}

let usual: Agent | undefined;

/**
 * The Agent SDK's `query()`: same arguments, same messages, same control methods. Where the Claude credential fails, it is renewed and
 * the query goes on where it stopped, so that no tool runs twice and no message comes twice.
 *
 * The generator throws what the SDK throws, and CcapiError: `upstream_auth_unavailable` where the credential can't be renewed (with
 * `action`: what a person does about it), `upstream_auth_failed_after_side_effects` where going on could repeat or lose something.
 *
 * @example
 * ```ts
 * import { query } from "ccapi/agent";
 * for await (const message of query({ prompt: "Tidy up the notes", options: { allowedTools: ["Bash"] } })) console.log(message.type);
 * ```
 */
export function query(parameters: QueryParameters): Query {
  usual ??= createAgent();
  return usual.query(parameters);
}
