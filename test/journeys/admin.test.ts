import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { silentLogger } from '../../src/base/index.ts'
import { checkConfig, type Settings } from '../../src/config/index.ts'
import { openEngine } from '../../src/engine/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { findChromium, launchChromium, noChromium } from '../support/chromium.ts'
import { apiOf, tokenOf } from '../support/management.ts'

const executablePath = findChromium()
const reason = executablePath === undefined ? ` (skipped: ${noChromium})` : ''
let idp: Kit

beforeAll(async () => {
  idp = await startEngine()
})
beforeEach(async () => {
  await idp.reset()
  await idp.people.add({ login: 'ada@example.com', firstName: 'Ada', lastName: 'Lovelace' })
})
afterAll(() => idp.close())

describe('the files of the admin page', () => {
  test('allow no other script, and load nothing from other origins', async () => {
    const page = await fetch(`${idp.engineUrl}/admin`)
    const policy = page.headers.get('content-security-policy') ?? ''
    for (const part of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "form-action 'none'",
      "require-trusted-types-for 'script'",
    ]) {
      expect(policy.split('; ')).toContain(part)
    }
    expect(policy).not.toContain('unsafe')
    expect(page.headers.get('x-frame-options')).toBe('DENY')
    const text = await page.text()
    expect(text).not.toMatch(/<script>|<style|\son\w+=|style=|https?:/)
    const files = readdirSync(join(import.meta.dirname, '../../src/admin')).filter((name) =>
      name.endsWith('.js'),
    )
    expect(files).toContain('users.js')
    for (const name of files) {
      const script = await fetch(`${idp.engineUrl}/admin/${name}`)
      expect(script.status, name).toBe(200)
      expect(await script.text(), name).not.toMatch(
        /innerHTML|insertAdjacentHTML|document\.write|eval\(|https:\/\//,
      )
    }
  })

  test('contain the path of the public address', async () => {
    const issuer = 'http://localhost:9000/auth'
    const engine = await openEngine(checkConfig({ issuer, secrets: ['s'.repeat(48)], http: { port: 0 } }), {
      log: silentLogger,
    })
    onTestFinished(() => engine.close())
    const at = (path: string) => fetch(`http://localhost:${engine.port}${path}`)
    const text = await (await at('/auth/admin')).text()
    const named = [...text.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path = '']) => path)
    expect(named).toContain('/auth/admin/admin.js')
    for (const path of named) expect((await at(path)).status, path).toBe(200)
    expect(text).toContain('data-api="/auth/api/v1"')
  })

  test('are not served if the configuration disables them, nor in production by default', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rekey-admin-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const url = `sqlite:${join(folder, 'rekey.db')}`
    const open = (settings: Settings) =>
      openEngine(
        checkConfig({
          issuer: 'https://id.example.com',
          secrets: ['s'.repeat(48)],
          database: { url },
          mail: { url: 'smtp://localhost:9', deliver: false },
          http: { port: 0 },
          ...settings,
        }),
        { log: silentLogger },
      )
    for (const [settings, status] of [
      [{ mode: 'development' }, 200],
      [{ mode: 'development', management: { adminPage: false } }, 404],
      [{ mode: 'production' }, 404],
      [{ mode: 'production', management: { adminPage: true } }, 200],
    ] as const) {
      const engine = await open(settings)
      onTestFinished(() => engine.close())
      for (const path of ['/admin', '/admin/admin.js', '/ui/ui.css', '/ui/dom.js']) {
        expect((await fetch(`http://localhost:${engine.port}${path}`)).status, path).toBe(status)
      }
    }
  })
})

describe.skipIf(executablePath === undefined)(`the admin page in Chromium${reason}`, () => {
  let chromium: Browser
  beforeAll(async () => {
    chromium = await launchChromium(executablePath ?? '')
  })
  afterAll(() => chromium?.close())

  async function visited(address: string, options: BrowserContextOptions = {}) {
    const context = await chromium.newContext({ viewport: { width: 1280, height: 900 }, ...options })
    onTestFinished(() => context.close())
    const page = await context.newPage()
    const complaints: string[] = []
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('console', (message) => {
      // Refused API requests are expected; violations of the Content Security Policy are not.
      if (message.type() === 'error' && !/status of (401|403)/.test(message.text()))
        complaints.push(message.text())
    })
    const asked = new Set<string>()
    page.on('request', (request) => asked.add(new URL(request.url()).origin))
    await page.goto(address)
    return { page, complaints, asked, context }
  }

  async function opened(token: string, options?: BrowserContextOptions) {
    const visit = await visited(`${idp.engineUrl}/admin`, options)
    await visit.page.getByLabel('API token').fill(token)
    await visit.page.keyboard.press('Enter')
    await visit.page.locator('.row').first().waitFor()
    return visit
  }

  const names = (page: Page) => page.locator('.row-name').allTextContents()
  const notice = (page: Page) => page.getByRole('status')
  const alert = (page: Page) => page.getByRole('alert')

  test('a user is found and reset by keyboard only, and the mail arrives', async () => {
    const { page, complaints, asked } = await opened(await tokenOf(idp, 'users'))

    await page.keyboard.press('/')
    await page.keyboard.type('lov')
    await expect.poll(() => names(page)).toEqual(['Ada Lovelace'])
    expect(await notice(page).innerText()).toBe('1 found.')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Ada Lovelace' }).waitFor()
    await page.locator('.facts', { hasText: 'Everyone' }).waitFor()

    await page.getByRole('button', { name: 'Reset password' }).focus()
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog', { name: 'Reset the password of Ada Lovelace?' })
    await dialog.waitFor()
    const focused = () => page.evaluate('document.activeElement.textContent.trim()')
    // The dialog focuses Cancel, so that pressing Enter twice changes nothing.
    await expect.poll(focused).toBe('Cancel')
    await page.keyboard.press('Enter')
    await dialog.waitFor({ state: 'hidden' })
    expect(idp.outbox.all()).toEqual([])

    await expect.poll(focused).toBe('Reset password')
    await page.keyboard.press('Enter')
    await expect.poll(focused).toBe('Cancel')
    await dialog.getByRole('button', { name: 'Reset and send email' }).focus()
    await page.keyboard.press('Enter')
    await expect
      .poll(() => notice(page).innerText())
      .toMatch(/was reset; an email is sent to ada@example\.com/)
    expect(await idp.outbox.waitFor({ to: 'ada@example.com' })).toMatchObject({
      template: 'PasswordResetByAdmin',
    })
    expect(await page.locator('.user .chip').innerText()).toBe('recovery')
    expect(await page.locator('.event-what').allTextContents()).toContain('Password reset: ada@example.com')
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Reset password')
    expect(complaints).toEqual([])
    expect([...asked]).toEqual([idp.engineUrl])
  })

  test('a user is suspended, and the suspension ended', async () => {
    const { page } = await opened(await tokenOf(idp, 'users'))
    await page.getByRole('link', { name: /Ada/ }).click()
    for (const [label, yes, status] of [
      ['Suspend', 'Suspend', 'suspended'],
      ['End suspension', 'End suspension', 'active'],
    ] as const) {
      await page.locator('.actions').getByRole('button', { name: label, exact: true }).click()
      await page.getByRole('dialog').getByRole('button', { name: yes }).click()
      await expect.poll(() => page.locator('.user .chip').innerText()).toBe(status)
    }
    await page.locator('.actions').getByRole('button', { name: 'Reset wrong answers' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Reset wrong answers' }).click()
    await expect.poll(() => alert(page).innerText()).toMatch(/nothing to reset/)
  })

  test('a token with the role read sees everything, and its actions are refused', async () => {
    const { page } = await opened(await tokenOf(idp, 'read'))
    await page.getByRole('link', { name: /Ada/ }).click()
    await page.getByRole('button', { name: 'Reset password' }).click()
    await page.getByRole('button', { name: 'Reset and send email' }).click()
    await expect.poll(() => alert(page).innerText()).toMatch(/does not have permission.*Nothing was changed/)
    expect(await page.locator('.user .chip').innerText()).toBe('active')

    for (const [tab, words] of [
      ['Apps', idp.clientId],
      ['Policies', 'Default Policy'],
      ['Groups', 'Everyone'],
      ['Log', 'User created'],
    ] as const) {
      await page.getByRole('link', { name: tab, exact: true }).click()
      await page.getByRole('main').getByText(words).first().waitFor()
    }
    expect((await apiOf(idp)('GET', '/users/ada@example.com')).body.status).toBe('ACTIVE')
    expect(idp.outbox.all()).toEqual([])
  })

  test('a wrong token shows an error and is removed', async () => {
    const { page } = await visited(`${idp.engineUrl}/admin`)
    await page.getByLabel('API token').fill('00wrong')
    await page.keyboard.press('Enter')
    await expect.poll(() => alert(page).innerText()).toMatch(/invalid or was revoked/)
    expect(await page.evaluate('JSON.stringify(sessionStorage)')).toBe('{}')
    expect(await page.evaluate('document.activeElement.id')).toBe('token')
    await page.getByLabel('API token').fill('no token: ünicode')
    await page.keyboard.press('Enter')
    expect(await alert(page).innerText()).toMatch(/not an API token/)
    expect(await page.locator('main').innerText()).toBe('')
  })

  test('a token stays in its tab over a reload, is not shared with other tabs, and can be removed', async () => {
    const { page, context } = await opened(await tokenOf(idp, 'read'))
    await page.reload()
    await page.locator('.row').first().waitFor()
    const second = await context.newPage()
    await second.goto(`${idp.engineUrl}/admin`)
    await second.getByLabel('API token').waitFor()
    expect(await page.evaluate('localStorage.length + document.cookie.length')).toBe(0)

    await page.getByRole('button', { name: 'Forget token' }).click()
    await page.getByLabel('API token').waitFor()
    expect(await page.locator('main').innerText()).toBe('')
  })

  test('names are shown as text, also in the log', async () => {
    const evil = '<img src=x onerror="document.title=1"><b>bold</b>'
    await idp.people.add({ login: 'evil@example.com', firstName: evil, lastName: '"><script>1</script>' })
    const form = new URLSearchParams({ client_id: idp.clientId })
    await fetch(`${idp.issuer}/v1/interact`, { method: 'POST', body: form, headers: { 'user-agent': evil } })
    await apiOf(idp)('POST', '/users/evil@example.com/lifecycle/suspend')
    await apiOf(idp)('POST', '/groups', { profile: { name: evil } })
    const { page, complaints } = await opened(await tokenOf(idp, 'all'))

    const row = page.locator('.row', { hasText: 'onerror' })
    expect(await row.locator('.row-name').innerText()).toBe(`${evil} "><script>1</script>`)
    await row.click()
    expect(await page.locator('.user h2').innerText()).toBe(`${evil} "><script>1</script>`)
    await page.getByRole('link', { name: 'Log', exact: true }).click()
    await page.locator('.event', { hasText: 'Group created' }).locator('summary').click()
    await page.getByText('onerror').first().waitFor()
    await page.getByRole('link', { name: 'Groups', exact: true }).click()
    await page.locator('.card', { hasText: 'onerror' }).waitFor()

    expect(await page.locator('main :is(img, b, script)').count()).toBe(0)
    expect(complaints).toEqual([])
  })

  test('a link cannot bring a token, except on localhost from rekey dev', async () => {
    const { page } = await visited(`${idp.controlUrl}/admin`)
    await page.locator('.row').first().waitFor()
    expect(page.url()).not.toContain(idp.apiToken)
    // In development the tabs lead back to the pages that it was opened from (N-m56).
    await page.getByRole('link', { name: 'Inbox', exact: true }).click()
    await page.getByRole('heading', { name: 'No mail yet' }).waitFor()
    expect(new URL(page.url()).origin).toBe(idp.controlUrl)
    // The same page under a host name that is not localhost.
    const elsewhere = await chromium.newContext()
    onTestFinished(() => elsewhere.close())
    const there = await elsewhere.newPage()
    await there.route('http://id.example.com/**', async (route) => {
      const { pathname } = new URL(route.request().url())
      const response = await fetch(idp.engineUrl + pathname)
      const contentType = response.headers.get('content-type') ?? ''
      await route.fulfill({ status: response.status, contentType, body: await response.text() })
    })
    await there.goto(`http://id.example.com/admin#token=${idp.apiToken}&tools=8025`)
    await there.getByLabel('API token').waitFor()
    expect(await there.evaluate('JSON.stringify(sessionStorage)')).toBe('{}')
    expect(there.url()).not.toContain(idp.apiToken)
  })

  test.each([320, 1280])('at %i pixels nothing overflows', async (width) => {
    await idp.people.add({ login: `${'long.'.repeat(12)}login@example.com`, firstName: 'Wolfe'.repeat(9) })
    const { page } = await opened(await tokenOf(idp, 'read'), { viewport: { width, height: 700 } })
    for (const path of [
      '#/users',
      '#/users/ada@example.com',
      `#/users/${'long.'.repeat(12)}login@example.com`,
      '#/groups',
      '#/apps',
      '#/policies',
      '#/log',
    ]) {
      await page.evaluate(`location.hash = '${path}'`)
      await page.locator('main').locator('.row, .card, .event').first().waitFor({ state: 'attached' })
      expect(await page.evaluate('document.documentElement.scrollWidth'), path).toBeLessThanOrEqual(width)
    }
  })
})
