// What the auth check costs a healthy request: in, its first answer, out. Run it alone: node bench/auth-gate.ts
import { fileURLToPath } from "node:url";
import { createAuthManager } from "../src/index.ts";

const rounds = 50_000;

/** Microseconds for one request's check, the median of several measurements. */
export function measureAdmission(): number {
  const manager = createAuthManager({
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
  const measurements = Array.from({ length: 21 }, () => {
    const beganAt = performance.now();
    for (let round = 0; round < rounds; round += 1) {
      const admission = manager.tryAdmit("processRequest for request req_1");
      admission?.succeeded("answer");
      admission?.release();
    }
    return ((performance.now() - beganAt) * 1_000) / rounds;
  });
  void manager.close();
  return measurements.toSorted((a, b) => a - b)[10] ?? Number.NaN;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const median = measureAdmission();
  console.log(`auth check of a healthy request: ${median.toFixed(3)} µs (median; limit 5 µs)`);
  process.exitCode = median < 5 ? 0 : 1;
}
