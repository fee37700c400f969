import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { findChromium, launchChromium, noChromium } from '../support/chromium.ts'
import { apiOf } from '../support/management.ts'

// The pages of `rekey dev` and the admin page: how they lead to each other, and that all of them can be used by all.

const executablePath = findChromium()
const reason = executablePath === undefined ? ` (skipped: ${noChromium})` : ''
const obstacles = readFileSync(join(import.meta.dirname, 'page-obstacles.js'), 'utf8')
const login = 'mary@example.com'
let idp: Kit

beforeAll(async () => {
  idp = await startEngine()
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const page = async (path: string) => (await fetch(`${idp.controlUrl}${path}`)).text()
const flowsListed = async () =>
  [...(await page('/flows')).matchAll(/class="row-to">([^<]*)<[\s\S]*?class="chip is-(\w+)">([^<]*)</g)].map(
    ([, title, tone, state]) => ({ title, tone, state }),
  )

describe('the list of flows', () => {
  // N-m50: the name stands in the events before a user is identified, and one wrong answer stops nothing.
  test('names the user of a wrong password, and calls the transaction open', async () => {
    await idp.visitor().signsIn(login, 'not the password')
    expect(await flowsListed()).toEqual([{ title: login, tone: 'bad', state: 'Open' }])
    const [, id] = /href="\/flows\/(trs\w+)"/.exec(await page('/flows')) ?? []
    expect(await page(`/flows/${id}`)).toContain(`>Sign-in of ${login}</h2>`)
  })

  test('calls the recovery of an unknown name open', async () => {
    await idp.visitor().atTheCode('unknown@example.com')
    expect(await flowsListed()).toEqual([{ title: 'unknown@example.com', tone: 'bad', state: 'Open' }])
  })

  test('shows nothing of what may be a password in the field of the name', async () => {
    await idp.visitor().signsIn('Lighthouse Biscuit 77', 'x')
    expect(await flowsListed()).toEqual([
      { title: 'A name that is not an address', tone: 'bad', state: 'Open' },
    ])
  })

  test('calls a transaction stopped once it is closed or has expired, and says when no user was named', async () => {
    const visitor = idp.visitor()
    for (let count = 0; count < 5; count++) await visitor.signsIn(login, 'not the password')
    expect(await flowsListed()).toMatchObject([{ title: login, state: 'Stopped' }])
    await idp.reset()
    await idp.visitor().begins()
    expect(await flowsListed()).toMatchObject([{ title: 'No user named yet', state: 'Waiting' }])
    await idp.clock.advance('31m')
    expect(await flowsListed()).toMatchObject([{ title: 'No user named yet', state: 'Stopped' }])
  })
})

// N-m53
test('a mail leads to its flow, and the flow to its mail', async () => {
  await idp.visitor().atTheCode(login)
  const mail = await idp.outbox.waitFor({ to: login })
  const [, flow] = /<dt>Flow<\/dt><dd><a href="(\/flows\/trs\w+)"/.exec(await page(`/inbox/${mail.id}`)) ?? []
  expect(flow).toBeDefined()
  await expect.poll(() => page(flow ?? '')).toContain(`<a href="/inbox/${mail.id}">Open the mail</a>`)
  // A mail that was deleted is no address to go to.
  await fetch(`${idp.controlUrl}/messages/${mail.id}`, { method: 'DELETE' })
  expect(await page(flow ?? '')).not.toContain('Open the mail')
})

// N-p58
describe('the inbox', () => {
  test('knows what was read, and shows times with seconds', async () => {
    for (const to of ['ada@example.com', 'bob@example.com']) {
      await idp.people.add({ login: to })
      await idp.visitor().atTheCode(to)
      await idp.outbox.waitFor({ to })
    }
    expect(await page('/')).toContain('2 messages</span>, 2 unread')
    await page(`/inbox/${idp.outbox.latest({ to: 'ada@example.com' })?.id}`)
    const text = await page('/')
    expect(text).toContain('2 messages</span>, 1 unread')
    expect(text.match(/class="row is-unread"/g)).toHaveLength(1)
    expect(text).toMatch(/data-style="short">\d\d:\d\d:\d\d UTC</)
  })

  test('deletes one mail, and answers 404 for one that is not there', async () => {
    await idp.visitor().atTheCode(login)
    const { id } = await idp.outbox.waitFor({ to: login })
    const remove = () => fetch(`${idp.controlUrl}/messages/${id}`, { method: 'DELETE' })
    expect(await (await remove()).json()).toEqual({ deleted: 1 })
    expect((await remove()).status).toBe(404)
    expect(idp.outbox.all()).toEqual([])
  })
})

// N-m54
describe('the pages of the APIs', () => {
  test.each([
    ['/docs/engine', '/openapi/engine.json'],
    ['/docs/control', '/openapi.json'],
  ])('%s has every operation of %s', async (path, source) => {
    const text = await page(path)
    const { paths } = JSON.parse(await page(source)) as { paths: Record<string, Record<string, object>> }
    for (const [address, operations] of Object.entries(paths)) {
      for (const method of Object.keys(operations)) {
        expect(text).toContain(`<span class="method">${method.toUpperCase()}</span><code>${address}</code>`)
      }
    }
    expect(text).not.toMatch(/undefined|\[object/)
  })

  test('/docs leads there', async () => {
    const response = await fetch(`${idp.controlUrl}/docs`)
    expect(response.url).toBe(`${idp.controlUrl}/docs/engine`)
    expect(await response.text()).toContain('profile.login')
  })
})

describe.skipIf(executablePath === undefined)(`the pages in Chromium${reason}`, () => {
  let chromium: Browser
  beforeAll(async () => {
    chromium = await launchChromium(executablePath ?? '')
  })
  afterAll(() => chromium?.close())

  async function opened(address: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await chromium.newContext({ viewport: { width: 1280, height: 900 }, ...options })
    context.setDefaultTimeout(60_000)
    onTestFinished(() => context.close())
    const shown = await context.newPage()
    await shown.goto(address)
    return shown
  }

  test('the tools move the clock, add a user, make requests and mails fail, and reset', async () => {
    const shown = await opened(`${idp.controlUrl}/tools`)
    const status = () => shown.getByRole('status').innerText()
    const alert = () => shown.getByRole('alert').innerText()

    const before = idp.clock.now()
    await shown.getByRole('button', { name: '+ 1 hour' }).click()
    await expect.poll(status).toBe('The clock was moved.')
    expect(idp.clock.now() - before).toBeGreaterThanOrEqual(3_600_000)
    await shown.getByLabel('Advance by').fill('soon')
    await shown.getByRole('button', { name: 'Advance the clock' }).click()
    await expect.poll(alert).toMatch(/duration/)
    // Where the button is: at the top of the page it would be out of sight.
    const ofCard = (heading: string) =>
      shown.locator('.card').filter({ has: shown.getByRole('heading', { name: heading, exact: true }) })
    expect(await ofCard('Clock').getByRole('alert').innerText()).toMatch(/duration/)
    await shown.getByLabel('Login').fill('eve@example.com')
    await shown.getByLabel('Password').fill('weak')
    await shown.getByRole('button', { name: 'Add the user' }).click()
    await expect.poll(alert).toBe('password: not met: at least 12 characters')
    expect(await ofCard('Add a user').getByRole('alert').count()).toBe(1)
    await shown.getByLabel('Password').fill('')

    await shown.getByLabel('Login').fill('ada@example.com')
    await shown.getByRole('button', { name: 'Add the user' }).click()
    await expect.poll(status).toBe('ada@example.com was added.')
    expect((await apiOf(idp)('GET', '/users/ada@example.com')).status).toBe(200)

    await shown.getByLabel('Path').fill('/health/ready')
    await shown.getByRole('button', { name: 'Make them fail' }).first().click()
    await expect.poll(status).toBe('The next request to /health/ready will be answered 503.')
    expect((await fetch(`${idp.engineUrl}/health/ready`)).status).toBe(503)
    expect((await fetch(`${idp.engineUrl}/health/ready`)).status).toBe(200)
    await shown.getByRole('button', { name: 'Make them fail' }).last().click()
    await expect.poll(status).toBe('The next delivery fails.')

    await shown.getByRole('button', { name: 'Reset the engine' }).click()
    await shown.getByRole('dialog').getByRole('button', { name: 'Reset', exact: true }).click()
    await expect.poll(status).toBe('The engine was reset.')
    expect((await apiOf(idp)('GET', '/users/ada@example.com')).status).toBe(404)
  })

  test('a browser is led on where the tools serve nothing, and a program reads why', async () => {
    const shown = await opened(`${idp.controlUrl}/no-such-page`)
    expect(await shown.getByRole('heading', { level: 1 }).innerText()).toBe(
      'There is no page at this address',
    )
    expect(await shown.getByRole('link', { name: 'Inbox' }).getAttribute('href')).toBe(idp.controlUrl)
    const answer = await fetch(`${idp.controlUrl}/no-such-page`)
    expect([answer.status, await answer.json()]).toMatchObject([404, { error: 'not_found' }])
  })

  test('an open mail is deleted with a key, and the next one opens', async () => {
    for (const to of ['ada@example.com', 'bob@example.com']) {
      await idp.people.add({ login: to })
      await idp.visitor().atTheCode(to)
      await idp.outbox.waitFor({ to })
    }
    const shown = await opened(idp.controlUrl)
    await shown.getByText('Live', { exact: true }).waitFor()
    await shown.getByRole('link', { name: 'bob@example.com' }).click()
    await shown.locator('#subject').waitFor()
    await shown.keyboard.press('d')
    await shown.locator('.mail .facts', { hasText: 'ada@example.com' }).waitFor()
    await shown.getByRole('button', { name: 'Delete', exact: true }).click()
    await shown.getByText('No mail yet').waitFor()
    expect(idp.outbox.all()).toEqual([])
  })

  // N-m55, N-p57: contrast, landmarks, names, and that what scrolls can be scrolled with the keyboard.
  test.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 320],
  ] as const)('nothing keeps a user out, %s at %i pixels', async (colorScheme, width) => {
    await apiOf(idp)('POST', '/groups', { profile: { name: 'Engineering' } })
    await idp.people.add({ login: 'sam@example.com', status: 'SUSPENDED' })
    await idp.people.add({ login: 'pat@example.com', status: 'PROVISIONED' })
    await idp.visitor().signsIn(login, 'not the password')
    await idp.visitor().atTheCode(login)
    const mail = await idp.outbox.waitFor({ to: login })
    const flow = (await idp.engine.transactions())[0]?.id
    const shown = await opened(`${idp.controlUrl}/admin`, { colorScheme, viewport: { width, height: 800 } })
    const found: string[] = []
    const lookOver = async (name: string) => {
      for (const one of await shown.evaluate<string[]>(obstacles)) found.push(`${name}: ${one}`)
    }
    await shown.locator('.row').first().waitFor()
    for (const hash of ['#/users', `#/users/${login}`, '#/groups', '#/apps', '#/policies', '#/log']) {
      await shown.evaluate(`location.hash = '${hash}'`)
      await shown.locator('main').locator('.row, .card, .event').first().waitFor({ state: 'attached' })
      await expect
        .poll(() => shown.evaluate('document.querySelector(".tab[aria-current]").hash'))
        .toBe(hash.split('/').slice(0, 2).join('/'))
      await lookOver(hash)
    }
    await shown.evaluate(`location.hash = '#/users/${login}'`)
    await shown.locator('[data-action=edit]').click()
    await shown.locator('#editor').waitFor()
    await lookOver('the form of a user')
    await shown.keyboard.press('Escape')
    await shown.getByRole('button', { name: 'Forget token' }).click()
    await shown.getByLabel('API token').waitFor()
    await lookOver('the form for the token')
    for (const path of [
      '/',
      `/inbox/${mail.id}`,
      `/inbox/${mail.id}?view=source`,
      '/flows',
      `/flows/${flow}`,
      '/mails/ForgotPassword?width=600',
      '/tools',
      '/docs/engine',
      '/docs/control',
    ]) {
      await shown.goto(idp.controlUrl + path)
      await lookOver(path)
    }
    expect(found).toEqual([])
  })
})
