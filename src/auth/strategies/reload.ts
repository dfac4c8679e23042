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
    async run({ signal }) {
      await reload(signal);
      return { outcome: "unchanged", detail: "everything cached was dropped" };
    },
  };
}
