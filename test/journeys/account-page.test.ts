import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { grantAccount, signedIn } from '../support/account.ts'
import { findChromium, launchChromium, noChromium } from '../support/chromium.ts'

const executablePath = findChromium()
const reason = executablePath === undefined ? ` (skipped: ${noChromium})` : ''
const obstacles = readFileSync(join(import.meta.dirname, 'page-obstacles.js'), 'utf8')
/** A folder for pictures of the page; absent: none are taken. */
const shots = process.env.REKEY_TEST_SHOTS

describe.skipIf(executablePath === undefined)(`the page that stops a change${reason}`, () => {
  let idp: Kit
  let browser: Browser
  beforeAll(async () => {
    idp = await startEngine({ clock: 'frozen' })
    await grantAccount(idp)
    browser = await launchChromium(executablePath ?? '')
  })
  afterAll(async () => {
    await browser?.close()
    await idp?.close()
  })

  test('is used by the keyboard alone, on a small screen and in the dark', async () => {
    const api = await signedIn(idp, idp.person.login, idp.person.password)
    const { body } = await api('POST', '/emails', { profile: { email: 'new@example.com' } })
    const { text } = await idp.outbox.waitFor({ to: 'new@example.com', template: ['PendingEmailChange'] })
    const { verify } = body._links as { verify: { href: string } }
    await api('POST', verify.href, { verificationCode: /\b\d{6}\b/.exec(text)?.[0] })
    const mail = await idp.outbox.waitFor({ to: idp.person.login, template: ['AccountChangeWaiting'] })
    const link = /http\S+\/account\/stop\/\w{43}/.exec(mail.text)?.[0] ?? ''

    for (const [name, colorScheme, width] of [
      ['light', 'light', 700],
      ['dark', 'dark', 700],
      ['small', 'light', 320],
    ] as const) {
      const page = await browser.newPage({ colorScheme, viewport: { width, height: 560 } })
      await page.goto(link)
      expect(await page.evaluate(obstacles), name).toEqual([])
      if (shots) await page.screenshot({ path: join(shots, `account-stop-${name}.png`) })
      await page.close()
    }
    const page = await browser.newPage()
    await page.goto(link)
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'The change is stopped' }).waitFor()
    expect(await page.evaluate(obstacles)).toEqual([])
    if (shots) await page.screenshot({ path: join(shots, 'account-stopped.png') })
    expect((await api('GET', '/emails')).list).toHaveLength(1)
  })
})
