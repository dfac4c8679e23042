import { defineConfig } from "vitest/config";

/** What a busy machine does to real processes fails no build by itself; test/helpers/closing-line.ts names each test that needed it. */
const retry = process.env["CI"] === "true" ? 1 : 0;

export default defineConfig({
  test: {
    reporters: ["default", "./test/helpers/closing-line.ts"],
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**", "test/matrix/**"],
          setupFiles: ["test/helpers/watch.ts"],
          testTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Real Claude processes on a machine of two cores: two files at a time, and no more.
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          setupFiles: ["test/helpers/watch.ts"],
          testTimeout: 120_000,
          retry,
          hookTimeout: 60_000,
          maxWorkers: 2,
          // After the unit tests, not beside them.
          sequence: { groupOrder: 1 },
        },
      },
      {
        // By itself: it measures the time from a renewed credential to the request that goes on.
        test: {
          name: "matrix",
          include: ["test/matrix/**/*.test.ts"],
          setupFiles: ["test/helpers/watch.ts"],
          testTimeout: 120_000,
          retry,
          hookTimeout: 60_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
