import { defineConfig } from "vitest/config";

// Tests run on the built JavaScript: what is tested is what ships, worker threads and addon included.
export default defineConfig({
  test: {
    include: ["packages/*/dist/**/*.test.js", "test/**/*.test.mjs"],
    pool: "forks",
    maxWorkers: "100%", // of the cores; the default leaves one idle, which on two is half
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ["default", "./scripts/summary-reporter.mjs"],
  },
});
