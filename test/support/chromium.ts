import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'

const names = ['chromium', 'chromium-browser', 'google-chrome']

/** Why tests in a browser are skipped, and how to have them run. */
export const noChromium = 'no Chromium was found: install chromium, or set CHROMIUM_PATH to one'

/** The machine's Chromium: `CHROMIUM_PATH`, then the usual names on the `PATH`. */
export function findChromium(env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (env.CHROMIUM_PATH) return env.CHROMIUM_PATH
  const folders = (env.PATH ?? '').split(delimiter)
  const found = names
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path))
  // Where a browser is required, as in CI, a suite without one fails instead of being skipped.
  if (found === undefined && env.REKEY_REQUIRE_BROWSER === '1') throw new Error(noChromium)
  return found
}

/** Starts a Chromium that talks to nobody but the pages under test, with a profile of its own. */
export const launchChromium = (executablePath: string): Promise<Browser> =>
  chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
