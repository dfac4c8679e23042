// Measures the auth check on the way of a healthy request: admission, proof, release.
import { createAuthManager } from "../src/index.ts";

/** Microseconds for one request's check, the median of several rounds. */
export function measureAdmission(): number {
  const auth = createAuthManager({
    credential: {
      read: async () => ({
        kind: "bench",
        fingerprint: "f",
        present: true,
        renewable: true,
        watchMode: "cheap",
        action: "none",
      }),
    },
    prove: async () => ({ outcome: "answered" }),
    strategies: [],
  });
  const check = () => {
    const admission = auth.tryAdmit("bench");
    admission?.succeeded("answer");
    admission?.release();
  };
  const rounds = Array.from({ length: 21 }, () => {
    const startedAt = performance.now();
    for (let count = 0; count < 20_000; count += 1) check();
    return ((performance.now() - startedAt) * 1_000) / 20_000;
  });
  void auth.close();
  return rounds.toSorted((a, b) => a - b)[10] ?? NaN;
}
