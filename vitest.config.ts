import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'examples/web/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // A page that is slow to answer is not a page that does not answer.
    expect: { poll: { timeout: 15_000 } },
    // A shared machine may starve a test that waits for real processes: in CI it has one more try, on a laptop none.
    retry: process.env.CI ? 1 : 0,
    maxWorkers: 2,
    globalSetup: ['test/support/postgres-setup.ts'],
    setupFiles: ['test/support/kit-database.ts'],
  },
})
