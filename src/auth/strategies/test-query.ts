// Asks the model one minimal question in a fresh process, which makes Claude renew what it owns.
// Where requests wait it leaves that to one of them; before an expiry it asks only for a credential that Claude itself renews.
import type { Strategy } from "./strategy.ts";

/** Makes the strategy. Costs at most one model call. */
export function testQueryStrategy(): Strategy {
  return {
    name: "test-query",
    async run({ trigger, waiting, look, testQuery }) {
      if (waiting() > 0) return { outcome: "unchanged", detail: "a waiting request will be the proof" };
      if (trigger === "schedule") {
        const seen = await look();
        if (seen?.reading.claudeRenews !== true) return { outcome: "unchanged", detail: "asking renews nothing" };
      }
      const proof = await testQuery();
      if (proof === undefined) return { outcome: "unchanged", detail: "no test query is left" };
      switch (proof.outcome) {
        case "answered":
          return { outcome: "proved" };
        case "rejected":
          return { outcome: "rejected", classification: proof.classification };
        case "inconclusive":
          return { outcome: "failed", reason: proof.reason };
      }
    },
  };
}
