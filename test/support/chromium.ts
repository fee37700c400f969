import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'

const names = ['chromium', 'chromium-browser', 'google-chrome']

/** Why tests in a browser are skipped, and how to have them run. */
export const noChromium =
  'no Chromium was found: install chromium, set CHROMIUM_PATH to one, or npm install --no-save @sparticuz/chromium'

/** The machine's Chromium: `CHROMIUM_PATH`, the usual names on the `PATH`, or one that an installed package ships. */
export function findChromium(env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (env.CHROMIUM_PATH) return env.CHROMIUM_PATH
  const folders = (env.PATH ?? '').split(delimiter)
  const found =
    names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path)) ??
    shippedChromium()
  // Where a browser is required, as in CI, a suite without one fails instead of being skipped.
  if (found === undefined && env.REKEY_REQUIRE_BROWSER === '1') throw new Error(noChromium)
  return found
}

/** A Chromium that comes as an npm package, unpacked at its first use. The package is no dependency: it is 70 MB. */
function shippedChromium(): string | undefined {
  const name = '@sparticuz/chromium'
  try {
    import.meta.resolve(name)
  } catch {
    return undefined
  }
  const script = `import chromium from '${name}'; process.stdout.write(await chromium.executablePath())`
  const parameters = ['--input-type=module', '--eval', script]
  return execFileSync(process.execPath, parameters, { cwd: import.meta.dirname, encoding: 'utf8' })
}

/** Starts a Chromium that makes no requests but those of the pages under test, with a profile of its own. */
export const launchChromium = (executablePath: string, more: readonly string[] = []): Promise<Browser> =>
  chromium.launch({
    executablePath,
    timeout: 120_000,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...more,
    ],
  })
