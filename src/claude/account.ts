// Starts Claude Code once and asks it which credential it has found. No model call is made.
import type { ChildSetup } from "./child-setup.ts";
import type { ProcessOwner } from "./process.ts";
import type { Runtime } from "./runtime.ts";
import { untilAborted } from "../auth/until-aborted.ts";

/** What Claude Code says of itself. */
export interface Account {
  /** Where its key comes from, in its own words, e.g. `ANTHROPIC_API_KEY`; `undefined`: no key. */
  readonly apiKeySource: string | undefined;
  /** Where its login comes from, in its own words; `undefined`: no login. */
  readonly tokenSource: string | undefined;
  /** From its start to its answer. */
  readonly durationMs: number;
}

/** @throws what the SDK throws where it does not start; the signal's reason where it takes too long. */
export async function askAccount(
  child: ChildSetup,
  workspace: string,
  { runtime, owner }: { readonly runtime: Runtime; readonly owner: ProcessOwner },
  signal: AbortSignal,
): Promise<Account> {
  const startedAt = performance.now();
  const sdk = await runtime.sdk();
  const isOver = new AbortController();
  const { env: _env, ...helpers } = child.credentialSettings;
  const query = sdk.query({
    prompt: silence(isOver.signal),
    options: {
      cwd: workspace,
      env: child.environment,
      tools: [],
      settingSources: [],
      settings: helpers,
      persistSession: false,
      spawnClaudeCodeProcess: owner.spawner(() => undefined),
    },
  });
  try {
    const { apiKeySource, tokenSource } = await untilAborted(query.accountInfo(), signal);
    return { apiKeySource, tokenSource, durationMs: performance.now() - startedAt };
  } finally {
    isOver.abort();
    query.close();
  }
}

/** Input on which nothing is ever said. */
function silence(signal: AbortSignal): AsyncIterable<never> {
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
        return { done: true, value: undefined };
      },
    }),
  };
}
