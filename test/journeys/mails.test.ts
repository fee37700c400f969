import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { templateNames } from '../../src/delivery/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { findChromium, launchChromium, noChromium } from '../support/chromium.ts'

// All mails as a mail program shows them that knows the dark and small screens: what an inline style sets, a rule of the
// style sheet must override, or text and ground no longer fit.

const chromium = findChromium()
const obstacles = await readFile(join(import.meta.dirname, 'page-obstacles.js'), 'utf8')

describe.skipIf(!chromium)(`mails in a browser${chromium ? '' : ` (skipped: ${noChromium})`}`, () => {
  let idp: Kit
  let browser: Browser
  beforeAll(async () => {
    idp = await startEngine()
    browser = await launchChromium(chromium ?? '')
  })
  afterAll(async () => {
    await browser?.close()
    await idp?.close()
  })

  test.each(['en', 'ar'])(
    'can be read in the light, in the dark and on a small screen: %s',
    async (language) => {
      const page = await browser.newPage()
      const found: string[] = []
      for (const template of templateNames) {
        await page.goto(`${idp.controlUrl}/mails/${template}/html?lang=${language}&width=fit`)
        for (const [colorScheme, width] of [
          ['light', 600],
          ['dark', 320],
        ] as const) {
          await page.setViewportSize({ width, height: 800 })
          await page.emulateMedia({ colorScheme })
          const wrong = await page.evaluate<string[]>(obstacles)
          // A mail has no landmarks.
          const own = wrong.filter((one) => /^contrast|wider/.test(one))
          const card = await page.evaluate<readonly string[]>(
            '(({ backgroundColor, paddingLeft }) => [backgroundColor, paddingLeft])(getComputedStyle(document.querySelector(".card")))',
          )
          const expected =
            colorScheme === 'light' ? ['rgb(255, 255, 255)', '40px'] : ['rgb(31, 34, 43)', '20px']
          const differs = card.join() === expected.join() ? [] : [`the card: ${card.join()}`]
          found.push(...[...own, ...differs].map((one) => `${template}, ${colorScheme}: ${one}`))
        }
      }
      expect(found).toEqual([])
      await page.close()
    },
  )
})
