// Hearing a process: its messages until it, or what it runs for, breaks off; and a process that says nothing at all.
import type { SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import { processDied } from "./failures.ts";
import type { ClaudeProcess } from "./sdk-process.ts";

/** A kept process that says nothing for so long after its prompt is taken for hanging. */
const silenceMs = 5_000;

/**
 * The SDK's messages, at once at an end when the run is aborted, and without the SDK's own end: leaving its generator
 * waits up to 2 s for the process and then kills it (measured, SDK 0.3.330). The process is ours to end, in its own time,
 * and nobody waits for that.
 */
export function keptOpen(source: Pick<ClaudeProcess, "next">, broken: Promise<never>): AsyncIterable<SDKMessage> {
  return {
    [Symbol.asyncIterator]() {
      let failure: { readonly reason: unknown } | undefined;
      let fail: (reason: unknown) => void = () => undefined;
      // Not `Promise.race` for each message: `broken` lives as long as the run, and would hold every one of them.
      broken.catch((reason: unknown) => {
        failure = { reason };
        fail(reason);
      });
      return {
        next() {
          if (failure !== undefined) return Promise.reject(failure.reason); // What the run was ended with.
          return new Promise((resolve, reject) => {
            fail = reject;
            source.next().then(resolve, reject);
          });
        },
      };
    },
  };
}

/** A process that waited says within milliseconds that it has begun. @throws CcapiError where it has not: it hangs. */
export function watchSilence(claude: ClaudeProcess, heard: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const timer = setTimeout(() => reject(processDied("no sign of life")), silenceMs);
    const stop = () => clearTimeout(timer);
    heard.addEventListener("abort", stop, { once: true });
    claude.peek().then(stop, stop); // What it says is the run's to read.
  });
}

/** Whether a message belongs to a turn. Others tell of the process alone. */
export function speaks({ type }: SDKMessage): boolean {
  return type === "assistant" || type === "user" || type === "stream_event" || type === "result";
}
