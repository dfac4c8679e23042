// Has everything dropped that may hold an old credential: warm processes, cached modules. It renews nothing by itself;
// the proof that follows tells whether it helped.
import type { Strategy } from "./strategy.ts";

/**
 * Makes the strategy.
 *
 * @param reload drops what is cached and loads it anew; it must end soon after its signal is aborted.
 */
export function reloadStrategy(reload: (signal: AbortSignal) => Promise<void>): Strategy {
  return {
    name: "reload",
    async run({ signal, trigger }) {
      // What was dropped once in an outage holds nothing old the next time, and a module that was replaced is never freed.
      if (trigger === "retry" || trigger === "probe") return { outcome: "unchanged", detail: "dropped before" };
      try {
        await reload(signal);
      } catch (error) {
        if (signal.aborted) throw error;
        return { outcome: "failed", reason: "the reload failed" };
      }
      return { outcome: "unchanged", detail: "everything cached was dropped" };
    },
  };
}
