import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { findChromium, launchChromium, noChromium } from '../support/chromium.ts'
import { clientsFolder, hasClients } from '../support/clients.ts'
import { apiOf } from '../support/management.ts'
import { manyRequests } from '../support/nodes.ts'
import {
  debianVersion,
  missingDebian,
  type Register,
  type RunningApp,
  startApache,
  startAuthlib,
  startExample,
  startPageApp,
  startServerApp,
} from '../support/redirect-apps.ts'
import { register as registerClient } from '../wire/oauth-app.ts'
import { type RedirectClient, redirectClients, type Site, sessionCalls } from './redirect-clients.ts'

// Published clients, unmodified, which redirect to the engine's own pages: each in an app of a few lines, in a real browser.

const chromium = findChromium()
const reason = chromium === undefined ? ` (skipped: ${noChromium})` : ''
const world = process.env.REKEY_TEST_WORLD === '1'
const name = 'Mary Major'

const starters: Readonly<Record<string, (register: Register) => Promise<RunningApp>>> = {
  example: startExample,
  apache: startApache,
  'apps/authlib_app.py': startAuthlib,
}
const aliasOf = ({ name: id, insteadOf }: RedirectClient) =>
  insteadOf === undefined ? undefined : { [insteadOf]: id }

function startApp(client: RedirectClient, register: Register): Promise<RunningApp> {
  const start = starters[client.app]
  if (start !== undefined) return start(register)
  return client.app.startsWith('pages/')
    ? startPageApp(client.app, register, { alias: aliasOf(client) })
    : startServerApp(client.app, register)
}

describe.skipIf(chromium === undefined || !hasClients)(`clients that redirect${reason}`, () => {
  let idp: Kit
  let browser: Browser

  beforeAll(async () => {
    browser = await launchChromium(chromium ?? '')
    idp = await startEngine({ settings: { limits: manyRequests } })
  })
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close()
  })
  afterAll(async () => {
    await browser?.close()
    await idp?.close()
  })

  const registering =
    ({ kind }: Pick<RedirectClient, 'kind'>, engine: Kit, into: { id?: string } = {}): Register =>
    async (url) => {
      const { id, secret } = await registerClient(engine, {
        label: 'An app',
        applicationType: kind === 'browser' ? 'browser' : 'web',
        grantTypes: ['authorization_code', 'refresh_token'],
        redirectUris: ['/callback', '/auth/callback/okta', '/silent'].map((path) => url + path),
        postLogoutRedirectUris: [`${url}/`],
      })
      into.id = id
      return { issuer: engine.issuer, clientId: id, clientSecret: secret ?? '' }
    }

  async function newPage(): Promise<Page> {
    const context = await browser.newContext()
    context.setDefaultTimeout(60_000)
    return context.newPage()
  }

  /** A link or a button of an app. */
  const choose = (page: Page, label: string) =>
    page
      .getByRole('link', { name: label })
      .or(page.getByRole('button', { name: label }))
      .click()

  const isSignedIn = (page: Page) =>
    page
      .getByText(`Hello ${name}`)
      .or(page.getByText('Failed:'))
      .first()
      .waitFor()
      .then(async () => expect(await page.locator('body').innerText()).toContain(`Hello ${name}`))

  /** On the engine's page. */
  async function typePassword(page: Page): Promise<void> {
    await page.getByLabel('Username').fill(idp.person.login)
    await page.getByLabel('Password').fill(idp.person.password)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  }

  /** The app forgets the user, the engine does not. */
  async function forgetApp(context: BrowserContext, page: Page): Promise<void> {
    await page.evaluate('sessionStorage.clear(); localStorage.clear()')
    // Cookies of localhost have no port: those of the engine say whose they are.
    await context.clearCookies({ name: /^(?!rekey_)/ })
  }

  const refreshes = async (engine: Kit, clientId: string) => {
    const { list } = await apiOf(engine)('GET', '/logs?limit=1000')
    return list.filter(
      ({ eventType, client, debugContext }) =>
        eventType === 'app.oauth2.token.grant.access_token' &&
        JSON.stringify([client, debugContext]).includes(clientId) &&
        JSON.stringify(debugContext).includes('refresh_token'),
    ).length
  }

  /** Signs in, refreshes, signs in at once where the app alone has forgotten, and signs out of both. */
  async function journey(
    engine: Kit,
    app: RunningApp,
    clientId: string,
    refresh: (page: Page) => Promise<unknown>,
  ) {
    const page = await newPage()
    await page.goto(app.url)
    await choose(page, 'Sign in')
    await typePassword(page)
    await isSignedIn(page)

    const before = await refreshes(engine, clientId)
    await refresh(page)
    await expect.poll(() => refreshes(engine, clientId)).toBe(before + 1)
    await isSignedIn(page)

    await forgetApp(page.context(), page)
    await page.goto(app.url)
    await choose(page, 'Sign in')
    await isSignedIn(page)

    await choose(page, 'Sign out')
    await page.getByText('Sign in').first().waitFor()
    expect(new URL(page.url()).origin).toBe(app.url)
    await choose(page, 'Sign in')
    // Neither the app nor the engine knows the user any more.
    await page.getByLabel('Password').waitFor()
    expect(page.url()).toContain(`${engine.engineUrl}/signin?t=`)
    return page
  }

  const others = redirectClients.filter(({ app }) => app !== 'example')
  for (const client of others) {
    const missing = world ? missingDebian(client.app) : undefined
    const isRequired = process.env.REKEY_REQUIRE_CLIENTS === '1'
    const why = missing === undefined ? '' : ` (skipped: ${missing})`
    test.runIf((world || client.runs === 'test') && (missing === undefined || isRequired))(
      `${client.name} signs in, refreshes and signs out${why}`,
      async () => {
        if (missing !== undefined) throw new Error(`it is not on this machine: ${missing}`)
        const registered: { id?: string } = {}
        const app = await startApp(client, registering(client, idp, registered))
        try {
          await journey(idp, app, registered.id ?? '', (page) => choose(page, 'Refresh'))
        } finally {
          await app.close()
        }
      },
    )
  }

  const hosts: Readonly<Record<Site, string>> = { sameSite: 'localhost', otherSite: '127.0.0.1' }
  const siteInWords: Readonly<Record<Site, string>> = { sameSite: 'the same site', otherSite: 'another site' }
  const silent = redirectClients.filter(
    (client) => client.silent !== undefined && (world || client.runs === 'test'),
  )
  for (const site of ['sameSite', 'otherSite'] as const) {
    test.each(silent)(`$name asks without a page, in an app on ${siteInWords[site]}`, async (client) => {
      const app = await startPageApp(client.app, registering(client, idp), {
        ...{ host: hosts[site], alias: aliasOf(client) },
      })
      try {
        const page = await newPage()
        await page.goto(app.url)
        await choose(page, 'Sign in')
        await typePassword(page)
        await isSignedIn(page)
        const answers = async (names: readonly string[]) => {
          const found: string[] = []
          for (const one of names) found.push(await page.evaluate<string>(`answerOf('${one}')`))
          return found
        }
        if (!client.app.includes('okta-auth-js')) {
          return expect(await answers([''])).toEqual([client.silent?.[site]])
        }
        const found = await answers(sessionCalls.map((call) => call.id))
        expect(sessionCalls.map(({ call }, at) => [call, found[at]])).toEqual(
          sessionCalls.map((call) => [call.call, call[site]]),
        )
      } finally {
        await app.close()
      }
    })
  }

  test('openid-client in examples/redirect signs in, refreshes and signs out', async () => {
    // The example refreshes what expires within a minute: here every token.
    const engine = await startEngine({ settings: { lifetimes: { accessToken: '1m' } } })
    const app = await startExample(async () => ({
      ...{ issuer: engine.issuer, clientId: engine.publicClientId, clientSecret: '' },
    }))
    try {
      const page = await journey(engine, app, engine.publicClientId, (one) => one.reload())
      // Two tabs are at it at once: each comes back to its own.
      const other = await page.context().newPage()
      const request = other.waitForRequest(/\/v1\/authorize\?/)
      await other.goto(`${app.url}/sign-in`)
      await other.getByLabel('Password').waitFor()
      await typePassword(page)
      await isSignedIn(page)
      // What went wrong in one of them is said, and can be tried again.
      const state = new URL((await request).url()).searchParams.get('state')
      const error = `error=access_denied&error_description=Not%20%3Cb%3Eyou&state=${state}`
      await other.goto(`${app.url}/callback?${error}`)
      await other.getByText('Try again').waitFor()
      // A state that is not of this browser is none of the app's.
      await other.goto(`${app.url}/callback?${error}`)
      await other.getByText('Sign in').waitFor()
    } finally {
      await app.close()
      await engine.close()
    }
  })
})

test.runIf(world)('the versions of Debian are those that the documents name', () => {
  for (const { name: id, from, version = '', app } of redirectClients) {
    if (from !== 'Debian' || missingDebian(app) !== undefined) continue
    expect(debianVersion(id), id).toMatch(new RegExp(`^${version.replaceAll('.', '[.]')}[+-]`))
  }
})

test('examples/redirect has the package that is tested', () => {
  const read = (path: string) =>
    (JSON.parse(readFileSync(path, 'utf8')) as { readonly dependencies: Readonly<Record<string, string>> })
      .dependencies
  expect(read(join(import.meta.dirname, '../../examples/redirect/package.json'))).toEqual({
    'openid-client': read(join(clientsFolder, 'package.json'))['openid-client'],
  })
})
