import { defineConfig } from '@playwright/test'

// A Chromium that is on the machine; without CHROMIUM_PATH the one of `npx playwright install chromium`.
const executablePath = process.env.CHROMIUM_PATH

export default defineConfig({
  testDir: '.',
  workers: 2,
  use: {
    launchOptions: {
      ...(executablePath && { executablePath }),
      args: ['--no-sandbox', '--disable-gpu'],
    },
  },
})
