// Takes the screenshots of inbox, flow inspector, admin page and sign-in pages for the documentation, from a real run in Chromium:
// `npm run screenshots`, `npm run screenshots -- pages` those of the sign-in pages alone.

import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { previewNames } from '../src/devtools/index.ts'
import { type Kit, startEngine, type Visitor } from '../src/testing/index.ts'
import { findChromium, launchChromium, noChromium } from '../test/support/chromium.ts'

const folder = join(import.meta.dirname, '../docs/assets')
const largest = 80 * 1024

/** Runs recoveries for the screenshots: one in time, one too late, one that is still open. */
async function runRecoveries(idp: Kit): Promise<void> {
  for (const [login, firstName] of [
    ['ada@example.com', 'Ada'],
    ['grace@example.com', 'Grace'],
  ] as const) {
    await idp.people.add({ login, firstName })
  }
  const ada = await asksForTheMail(idp, 'ada@example.com')
  await ada.answers(await codeMailedTo(idp, 'ada@example.com'))
  await ada.answers('Lighthouse-Biscuit-77')
  await ada.redeems()
  const mary = await asksForTheMail(idp, 'mary@example.com')
  const code = await codeMailedTo(idp, 'mary@example.com')
  await mary.answers(code === '123456' ? '654321' : '123456')
  idp.clock.advance('7m')
  await mary.answers(code)
  await asksForTheMail(idp, 'grace@example.com')
  await codeMailedTo(idp, 'grace@example.com')
}

const asksForTheMail = (idp: Kit, identifier: string): Promise<Visitor> => idp.visitor().atTheCode(identifier)

const codeMailedTo = async (idp: Kit, to: string): Promise<string> =>
  (await idp.outbox.waitFor({ to })).code ?? ''

/** A picture of a page at rest, as Chromium itself writes WebP. */
async function pictureOf(page: Page, options: { readonly isWhole: boolean }): Promise<Buffer> {
  await page.addStyleTag({
    content:
      '*, *::before, *::after { animation: none !important; transition: none !important; caret-color: transparent !important }',
  })
  const session = await page.context().newCDPSession(page)
  const { data } = await session.send('Page.captureScreenshot', {
    format: 'webp',
    quality: 80,
    captureBeyondViewport: options.isWhole,
  })
  await session.detach()
  return Buffer.from(data, 'base64')
}

async function take(page: Page, name: string): Promise<void> {
  await page.mouse.move(0, 0)
  const picture = await pictureOf(page, { isWhole: false })
  if (picture.length >= largest)
    throw new Error(`${name} has ${picture.length} bytes: ${largest} are allowed`)
  await writeFile(join(folder, name), picture)
  console.log(`docs/assets/${name}  ${Math.ceil(picture.length / 1024)} KB`)
}

/** The pages that are shown in the dark as well. */
const alsoDark = ['sign-in', 'code-of-a-mail', 'choose', 'new-password']

/** Every sign-in page as its preview draws it, as small as a page of text can be. */
async function takePages(browser: Browser, { controlUrl }: Kit): Promise<void> {
  const pages = join(folder, 'pages')
  await rm(pages, { recursive: true, force: true })
  await mkdir(pages, { recursive: true })
  let total = 0
  for (const colorScheme of ['light', 'dark'] as const) {
    const viewport = { width: 480, height: 560 }
    const page = await browser.newPage({ viewport, colorScheme, deviceScaleFactor: 1.5 })
    for (const name of colorScheme === 'light' ? previewNames : alsoDark) {
      await page.goto(`${controlUrl}/pages/${name}?lang=en`)
      const picture = await pictureOf(page, { isWhole: true })
      if (picture.length >= largest)
        throw new Error(`${name} has ${picture.length} bytes: ${largest} are allowed`)
      await writeFile(join(pages, `${name}${colorScheme === 'dark' ? '-dark' : ''}.webp`), picture)
      total += picture.length
    }
    await page.close()
  }
  console.log(`docs/assets/pages  ${Math.ceil(total / 1024)} KB`)
}

async function takeTools(browser: Browser, idp: Kit): Promise<void> {
  await runRecoveries(idp)
  const page = await browser.newPage({ viewport: { width: 1120, height: 720 }, colorScheme: 'light' })
  await page.goto(idp.controlUrl)
  await page.locator('.row-link', { hasText: 'grace@example.com' }).first().click()
  await page.frameLocator('.mail-frame').getByText('Enter a code instead').waitFor()
  await take(page, 'inbox.webp')
  await page.goto(`${idp.controlUrl}/flows`)
  await page.locator('.row-link', { hasText: 'The code expired' }).click()
  await page.locator('.verdict').waitFor()
  await take(page, 'inspector.webp')
  await page.goto(`${idp.controlUrl}/admin`)
  await page.locator('.row', { hasText: 'ada@example.com' }).click()
  await page.locator('.user').waitFor()
  await take(page, 'admin.webp')
}

const executablePath = findChromium()
if (executablePath === undefined) throw new Error(noChromium)
const idp = await startEngine()
const browser = await launchChromium(executablePath)
try {
  await mkdir(folder, { recursive: true })
  await takePages(browser, idp)
  if (!process.argv.includes('pages')) await takeTools(browser, idp)
} finally {
  await browser.close()
  await idp.close()
}
