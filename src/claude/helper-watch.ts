// Notices an `apiKeyHelper` that hangs. Claude Code waits for it without a word and without a limit (measured, 2.1.330: two
// minutes and more), so that no sign of failure would ever come from a run.
import type { ChildSetup } from "./child-setup.ts";
import { readHelperKey } from "./helper-key.ts";

/** A model that was asked may take its time; a run that has not even asked is looked into after this time. */
const patienceMs = 3_000;

/** The helper gives no key. The message holds nothing of its output. */
export class HelperFailure extends Error {
  override readonly name = "HelperFailure";
}

/**
 * Rejects with {@link HelperFailure} where the run has not been heard of for a while and the helper, run once more, fails or
 * hangs. Never resolves. Abort the signal once the run has been heard of.
 */
export function watchHelper(
  { kind, credentialSettings, environment }: ChildSetup,
  signal: AbortSignal,
): Promise<never> {
  const { apiKeyHelper } = credentialSettings;
  return new Promise((_resolve, reject) => {
    if (kind !== "api_key_helper" || apiKeyHelper === undefined) return;
    const timer = setTimeout(() => {
      readHelperKey(apiKeyHelper, environment, signal).catch((error: unknown) => {
        if (!signal.aborted) reject(new HelperFailure(error instanceof Error ? error.message : "apiKeyHelper failed."));
      });
    }, patienceMs);
    signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  });
}
