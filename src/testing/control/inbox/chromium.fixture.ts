import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The machine's Chromium: CHROMIUM_PATH, then the usual names on the PATH; undefined where there is none. */
export function findChromium(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const names = ['chromium', 'chromium-browser', 'google-chrome']
  const places = names.flatMap((name) => folders.map((folder) => join(folder, name)))
  const found = [process.env.CHROMIUM_PATH ?? '', ...places].find((path) => path !== '' && existsSync(path))
  // Where a browser is required, as in CI, a suite without one fails instead of being skipped.
  if (found === undefined && process.env.REKEY_REQUIRE_BROWSER === '1')
    throw new Error('no Chromium was found')
  return found
}

export const chromiumArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
