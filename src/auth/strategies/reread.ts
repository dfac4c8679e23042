// Looks at the credential again: someone else may already have renewed it.
import type { Strategy } from "./strategy.ts";

/** Makes the strategy. Costs one look. */
export function rereadStrategy(): Strategy {
  return {
    name: "reread",
    async run({ look }) {
      const seen = await look();
      if (seen === undefined) return { outcome: "failed", reason: "the credential could not be read" };
      return seen.changed ? { outcome: "changed" } : { outcome: "unchanged" };
    },
  };
}
