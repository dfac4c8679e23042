// Prints the plain closing line "N passed, N failed, N skipped" that build systems read.
// Names tests that passed at a second try only, so that none of them stays unseen.
// A file that could not be run, and an error outside of any test, count as a failed test.
import type { Reporter, SerializedError, TestModule } from "vitest/node";

export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      counts.failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state !== "pending") counts[state] += 1;
        if (test.diagnostic()?.flaky === true) console.log(`flaky, passed at its second try: ${test.fullName}`);
      }
    }
    console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  }
}
