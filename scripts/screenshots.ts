// Takes the screenshots of inbox, flow inspector, admin page and sign-in pages for the documentation, from a real run in Chromium:
// `npm run screenshots`, `npm run screenshots -- pages` those of the sign-in pages alone. A picture that looks as before is not written anew.

import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { previewNames } from '../src/devtools/index.ts'
import { type Kit, startEngine, type Visitor } from '../src/testing/index.ts'
import { findChromium, launchChromium, noChromium } from '../test/support/chromium.ts'

const root = join(import.meta.dirname, '..')
const folder = join(root, 'docs/assets')
const largest = 80 * 1024
/** The share of pixels that two pictures of the same page differ in at most, as the browser compresses them. */
const alike = 0.0005

interface Size {
  readonly width: number
  readonly height: number
  readonly scale: number
}
const screen: Size = { width: 1120, height: 720, scale: 1 }
/** The narrowest of a sign-in page; a longer one is shown whole. */
const small: Size = { width: 480, height: 560, scale: 1.5 }

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

/**
 * A picture of a page at rest, as Chromium itself writes WebP; the page needs `bypassCSP`. The scale stands in the clip, as this call leaves that of
 * the emulated screen aside.
 */
async function pictureOf(page: Page, { width, height, scale }: Size): Promise<Buffer> {
  await page.addStyleTag({
    content:
      '*, *::before, *::after { animation: none !important; transition: none !important; caret-color: transparent !important }',
  })
  const session = await page.context().newCDPSession(page)
  const { data } = await session.send('Page.captureScreenshot', {
    ...{ format: 'webp', quality: 80, captureBeyondViewport: true },
    clip: { x: 0, y: 0, width, height, scale },
  })
  await session.detach()
  return Buffer.from(data, 'base64')
}

/**
 * What of two pictures differs, from 0 to 1: the share of the pixels of which a colour is visibly another one, at a third of the size. 1: another
 * size. The bytes say nothing: each version of the browser compresses, and draws the edges of letters, in its own way.
 */
const difference = (page: Page, pictures: readonly Buffer[]): Promise<number> =>
  page.evaluate<number>(
    `(async (pictures) => {
      const [one, other] = await Promise.all(pictures.map(async (base64) => {
        const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
        const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/webp' }))
        const [width, height] = [Math.ceil(bitmap.width / 3), Math.ceil(bitmap.height / 3)]
        const context = new OffscreenCanvas(width, height).getContext('2d')
        context.imageSmoothingQuality = 'high'
        context.drawImage(bitmap, 0, 0, width, height)
        return context.getImageData(0, 0, width, height)
      }))
      if (one.width !== other.width || one.height !== other.height) return 1
      let different = 0
      for (let at = 0; at < one.data.length; at += 4) {
        if ([0, 1, 2].some((colour) => Math.abs(one.data[at + colour] - other.data[at + colour]) > 96)) different++
      }
      return (different * 4) / one.data.length
    })(${JSON.stringify(pictures.map((picture) => picture.toString('base64')))})`,
  )

/** Writes a picture unless the one that is there looks alike, and returns the size of what is there then. */
async function keep(page: Page, path: string, picture: Buffer): Promise<number> {
  const name = relative(root, path)
  if (picture.length >= largest)
    throw new Error(`${name} has ${picture.length} bytes: ${largest} are allowed`)
  const before = await readFile(path).catch(() => undefined)
  const differs = before === undefined ? 1 : await difference(page, [before, picture])
  if (before !== undefined && differs < alike) return before.length
  await writeFile(path, picture)
  console.log(`${name}  ${Math.ceil(picture.length / 1024)} KB${before === undefined ? ', new' : ''}`)
  return picture.length
}

async function take(page: Page, name: string): Promise<void> {
  await page.mouse.move(0, 0)
  await keep(page, join(folder, name), await pictureOf(page, screen))
}

/** The pages that are shown in the dark as well. */
const alsoDark = ['sign-in', 'code-of-a-mail', 'choose', 'new-password']

/** Every sign-in page as its preview draws it, as small as a page of text can be. */
async function takePages(browser: Browser, { controlUrl }: Kit): Promise<void> {
  const pages = join(folder, 'pages')
  await mkdir(pages, { recursive: true })
  const names = new Set<string>()
  let total = 0
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await browser.newPage({ viewport: small, colorScheme, bypassCSP: true })
    for (const preview of colorScheme === 'light' ? previewNames : alsoDark) {
      await page.goto(`${controlUrl}/pages/${preview}?lang=en`)
      const height = await page.evaluate<number>('document.documentElement.scrollHeight')
      const name = `${preview}${colorScheme === 'dark' ? '-dark' : ''}.webp`
      names.add(name)
      total += await keep(page, join(pages, name), await pictureOf(page, { ...small, height }))
    }
    await page.close()
  }
  // Pages that are there no more.
  for (const name of await readdir(pages)) if (!names.has(name)) await rm(join(pages, name))
  console.log(`docs/assets/pages  ${Math.ceil(total / 1024)} KB`)
}

async function takeTools(browser: Browser, idp: Kit): Promise<void> {
  await runRecoveries(idp)
  const page = await browser.newPage({ viewport: screen, colorScheme: 'light', bypassCSP: true })
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
