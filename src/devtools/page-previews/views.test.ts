import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { axeFindings } from '../../../test/support/axe.ts'
import { findChromium, launchChromium, noChromium } from '../../../test/support/chromium.ts'
import { startEnvironment } from '../control/environment.fixture.ts'
import { previewNames } from './routes.ts'

// All pages, as their previews draw them, with axe: in both modes; and as narrow as a page must be able to be, from both sides.

const executablePath = findChromium()
const reason = executablePath === undefined ? ` (skipped: ${noChromium})` : ''

describe.skipIf(executablePath === undefined)(`every sign-in page${reason}`, () => {
  let browser: Browser
  let url: string
  let close: () => Promise<void>
  beforeAll(async () => {
    const environment = await startEnvironment({})
    url = environment.control.url
    close = environment.close
    browser = await launchChromium(executablePath ?? '')
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
    await close?.()
  })

  /** What is found on all pages, opened one after the other in one window. */
  async function foundOn(page: Page, lang: string, look: (page: Page) => Promise<readonly string[]>) {
    const found: string[] = []
    page.on('console', (message) => {
      if (message.type() === 'error') found.push(`${page.url()}: ${message.text()}`)
    })
    for (const name of previewNames) {
      await page.goto(`${url}/pages/${name}?lang=${lang}`)
      for (const more of await page.locator('details').all())
        await more.evaluate((one) => one.setAttribute('open', ''))
      for (const one of await look(page)) found.push(`${name}: ${one}`)
    }
    await page.close()
    return found
  }
  const isWide = async (page: Page): Promise<readonly string[]> =>
    (await page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth'))
      ? ['is wider than the screen']
      : []

  test('can be used by all, as axe knows it', async () => {
    const page = await browser.newPage({ colorScheme: 'light' })
    expect(await foundOn(page, 'en', (one) => axeFindings(one))).toEqual([])
  }, 180_000)

  test('can be read in the dark', async () => {
    const page = await browser.newPage({ colorScheme: 'dark' })
    expect(await foundOn(page, 'en', (one) => axeFindings(one, ['color-contrast']))).toEqual([])
  }, 180_000)

  test.each(['de', 'ar'])(
    'fits into 320 pixels: %s',
    async (lang) => {
      const page = await browser.newPage({ viewport: { width: 320, height: 640 } })
      expect(await foundOn(page, lang, isWide)).toEqual([])
    },
    180_000,
  )
})
