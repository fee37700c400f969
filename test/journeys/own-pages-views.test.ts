import { readFileSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { findChromium, launchChromium, noChromium } from '../support/chromium.ts'
import { handedOut } from '../support/management.ts'

// How the pages look that no app leads to, with a brand: that all of them can be used by all, in each look of the system.

const executablePath = findChromium()
const reason = executablePath === undefined ? ` (skipped: ${noChromium})` : ''
const obstacles = readFileSync(join(import.meta.dirname, 'page-obstacles.js'), 'utf8')
const { REKEY_SHOTS: shots } = process.env

const views: Readonly<Record<string, BrowserContextOptions>> = {
  light: { viewport: { width: 900, height: 860 }, colorScheme: 'light' },
  dark: { viewport: { width: 900, height: 860 }, colorScheme: 'dark' },
  small: { viewport: { width: 320, height: 640 }, colorScheme: 'light' },
  arabic: { viewport: { width: 400, height: 800 }, colorScheme: 'dark', locale: 'ar' },
}

/** Two pixels of a logo, as a program for pictures writes them. */
const logo = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

describe.skipIf(executablePath === undefined)(`the pages of no app${reason}`, () => {
  let idp: Kit
  let browser: Browser
  beforeAll(async () => {
    browser = await launchChromium(executablePath ?? '')
    const file = join(await mkdtemp(join(tmpdir(), 'rekey-logo-')), 'logo.png')
    await writeFile(file, logo)
    idp = await startEngine({
      settings: {
        brand: {
          ...{ name: 'Harbour', logo: file, primaryColor: '#ffb000' },
          links: {
            help: 'mailto:help@example.com',
            privacy: 'https://example.com/privacy',
            terms: 'https://example.com/terms',
          },
        },
      },
    })
  })
  afterAll(async () => {
    await browser?.close()
    await idp?.close()
  })

  test.each([
    ['forgot password', async () => '/signin/forgot-password'],
    ['link of a mail', async () => `/signin/reset-password/${await handedOut(idp)}`],
    ['link of no use', async () => `/welcome/${'A'.repeat(43)}`],
    ['end of a recovery', async () => `/reset_password/${await handedOut(idp)}`],
  ])('%s', async (name, pathOf) => {
    const found: string[] = []
    for (const [view, options] of Object.entries(views)) {
      const context = await browser.newContext(options)
      const page = await context.newPage()
      await page.goto(idp.engineUrl + (await pathOf()))
      if (name === 'end of a recovery') {
        await page.locator('button').click()
        await page.locator('input[name="credentials.passcode"]').fill(`Marmalade-Harbour-31-${view}`)
        await page.locator('button.primary').click()
        await page.waitForURL(/\/signin\/done/)
      }
      for (const one of await page.evaluate<string[]>(obstacles)) found.push(`${view}: ${one}`)
      if (shots) {
        const path = join(shots, `own-${name.replaceAll(' ', '-')}-${view}.png`)
        await page.screenshot({ path, fullPage: true })
      }
      await context.close()
    }
    expect(found).toEqual([])
  })
})
