import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { findChromium, launchChromium, noChromium } from '../support/chromium.ts'
import { apiOf } from '../support/management.ts'

const executablePath = findChromium()
const reason = executablePath === undefined ? ` (skipped: ${noChromium})` : ''

describe.skipIf(executablePath === undefined)(`sign-up on the admin page${reason}`, () => {
  let idp: Kit
  let chromium: Browser
  beforeAll(async () => {
    idp = await startEngine()
    chromium = await launchChromium(executablePath ?? '')
  })
  beforeEach(() => idp.reset())
  afterAll(async () => {
    await chromium?.close()
    await idp.close()
  })

  const shot = async (page: Page, name: string) => {
    const folder = process.env.REKEY_SHOTS
    if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true })
  }
  const actionOf = async () => {
    const api = apiOf(idp)
    const [policy] = (await api('GET', '/policies?type=PROFILE_ENROLLMENT')).list
    const [rule] = (await api('GET', `/policies/${policy?.id}/rules`)).list
    const { profileEnrollment } = (rule?.actions ?? {}) as { readonly profileEnrollment?: object }
    return profileEnrollment
  }

  test('is shown with its apps, closed and opened again, by keyboard', async () => {
    const context = await chromium.newContext({ viewport: { width: 1280, height: 900 } })
    const page = await context.newPage()
    await page.goto(`${idp.engineUrl}/admin`)
    await page.getByLabel('API token').fill(idp.apiToken)
    await page.keyboard.press('Enter')
    await page.locator('.row').first().waitFor()
    await page.evaluate("location.hash = '#/policies'")
    const card = page.locator('.card', { has: page.getByText('Sign-up', { exact: true }) })
    await card.waitFor()
    const text = async () => (await card.textContent()) ?? ''
    expect(await text()).toContain('Sample Web App')
    expect(await text()).toContain('Email, First name and Last name')
    expect(await text()).toMatch(/Sign-up\s*open/)
    const before = await actionOf()

    await card.getByRole('button', { name: 'Close sign-up: Default Policy' }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').getByRole('button', { name: 'Close sign-up' }).click()
    await page.getByRole('status').getByText('is closed').waitFor()
    expect(await text()).toMatch(/Sign-up\s*closed/)
    expect(await actionOf()).toEqual({ ...before, unknownUserAction: 'DENY' })
    await shot(page, 'regpol-admin-closed')
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.setViewportSize({ width: 320, height: 700 })
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320)
    await shot(page, 'regpol-admin-dark-320')

    await card.getByRole('button', { name: 'Open sign-up: Default Policy' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Open sign-up' }).click()
    await page.getByRole('status').getByText('is open').waitFor()
    expect(await actionOf()).toEqual(before)
    await context.close()
  })
})
